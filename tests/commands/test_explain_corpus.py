"""What is explained of real hubs: their profiles by the documented rule, and their logins by what a login comes to."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from click.testing import CliRunner

from hub_extensions import planned_hub
from hub_extensions.commands import main
from hub_extensions.explained_hub import explain
from hub_extensions.identities import Identity
from hub_extensions.planned_login import Asked
from hub_extensions.z2jh.values import chart_values, look_up

from .. import corpus
from ..claims import ClaimsProvider
from ..providers.github import GitHub
from ..test_corpus_logins import authenticator_of, expected, hub_in, outcome, provider_of
from ..test_corpus_profiles import NOTHING, Seen, by_the_rule, people
from ..test_z2jh_logins import one_for_each_provider, with_snippets

if TYPE_CHECKING:
    from pathlib import Path

    from ..test_corpus_logins import Hub

MOST = 6  # combinations of groups of a hub; test_corpus_profiles has them all


def seen(profile: dict[str, Any]) -> Seen:
    return {name: (option["choices"], option["unlisted"]) for name, option in profile["options"].items()}


@pytest.mark.parametrize("file", corpus.hubs())
def test_a_hub_shows_the_profiles_that_the_rule_gives(file: Path) -> None:
    values = corpus.values_of(file)
    hub = planned_hub.from_values([values])
    profile_list = look_up(chart_values(values), "singleuser.profileList", [])
    for groups in people(profile_list)[:MOST]:
        said = asyncio.run(explain(hub, Asked("ada", groups))).plain
        assert set(groups) <= set(said["groups"])
        visible = [profile for profile in said["profiles"] if profile["state"] == "visible"]
        ruled = [(profile, each) for profile, each in by_the_rule(profile_list, groups) if NOTHING not in each.values()]
        assert [(profile["display_name"], seen(profile)) for profile in visible] == [
            (profile["display_name"], each) for profile, each in ruled
        ], groups
        assert len(said["profiles"]) == len(profile_list)


def test_the_command_says_the_same_of_one_of_them() -> None:
    file = corpus.hubs()[0].values[0]
    if not file.name:
        pytest.skip("HUB_VALUES_CORPUS names no folder of values files")
    hub = planned_hub.from_values([corpus.values_of(file)])
    result = CliRunner().invoke(main, ["explain", "--values", str(file), "--user", "ada", "--format", "json"])
    assert json.loads(result.stdout) == asyncio.run(explain(hub, Asked("ada"))).plain


def identity_of(hub: Hub, claims: dict[str, Any]) -> Identity | None:
    """What claims of the tests' provider are as an identity; None for those that give nobody a name."""
    claim = "email"
    if hub.authenticator == "cilogon":
        entry = (hub.section.get("allowed_idps") or {}).get(claims.get("idp"))
        if entry is None or entry["username_derivation"].get("action"):
            return None
        claim = entry["username_derivation"]["username_claim"]
    elif hub.authenticator == "generic-oauth":
        claim = hub.section["username_claim"]
    name = claims.get(claim)
    if not name:
        return None
    email = claims.get("email") or ""
    verified = bool(claims.get("email_verified") or claims.get("verified_email"))
    return Identity(
        name,
        email=email,
        email_verified=verified or hub.authenticator == "cilogon",
        idp=claims.get("idp", ""),
        hosted_domain=claims.get("hd", ""),
        groups=claims.get("groups", ()),
    )


def on_github(provider: GitHub, person: str) -> Identity:
    organizations = provider.organizations.values()
    return Identity(
        person,
        organizations=[each.login for each in organizations if person in each.members],
        teams=[f"{each.login}:{team}" for each in organizations for team, of in each.teams.items() if person in of],
    )


@pytest.mark.parametrize("file", one_for_each_provider())
async def test_a_login_is_explained_as_it_comes_out(file: Path) -> None:
    hub = hub_in(file)
    planned = planned_hub.from_values([corpus.values_of(file)])
    before = with_snippets(hub)
    outcomes = set()
    async with provider_of(before) as provider, aiohttp.ClientSession(headers={"User-Agent": "test"}) as session:
        stock = authenticator_of(before, before.authenticator, provider)
        stock.allowed_users.discard("someone-from-before")  # of whom files know nothing
        for person in provider.names():
            claims = provider.people[person] if isinstance(provider, ClaimsProvider) else {}
            identity = on_github(provider, person) if isinstance(provider, GitHub) else identity_of(hub, claims)
            if identity is None:
                continue
            login = (await explain(planned, Asked(identity.user_name, identity=identity))).login
            real = expected(before, await outcome(stock, provider, session, person), stock, claims)
            assert (login.allowed, login.admin) == (bool(real.name), real.admin), (person, claims, login)
            outcomes.add(login.allowed)
    assert outcomes == {True, False}
