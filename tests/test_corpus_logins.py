"""Who gets into real hubs: the login of every hub of the corpus, with OAuthenticator's own class and with ours.

Identities are made of each hub's own rules, and near to them; they log in at a local provider over HTTP. Both classes
have the configuration of the hub. Ours admits the same people and has the same admins, except (`expected`):

- lists of admins in several sections are added up, where the stock class reads one of them;
- where names are addresses, one that is not verified, or that is not plainly one address, names nobody: the stock
  classes let such people in where all are allowed.

Hubs with a password, with throw-away accounts or without people (`PASSED_OVER`) have no class of ours to compare.
"""

from __future__ import annotations

from collections import Counter
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import chain
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from tornado.web import HTTPError
from traitlets.config import Config

from hub_extensions import groups
from hub_extensions.authenticators.community import CommunityAuthenticator
from hub_extensions.configured_login import login_of
from hub_extensions.login_check import check
from hub_extensions.login_settings import Staff
from hub_extensions.settings import Settings
from hub_extensions.spawner_traits import class_of
from hub_extensions.z2jh.values import chart_values, look_up, mapping_at

from . import corpus
from .claims import Claims, ClaimsProvider
from .providers.github import GitHub, Organization
from .providers.github import Person as GitHubPerson
from .providers.provider import CLIENT_ID, Provider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping
    from pathlib import Path

OURS = {
    "cilogon": "community-cilogon",
    "generic-oauth": "community-oidc",
    "github": "community-github",
    "google": "community-google",
}
SECTIONS = {
    "cilogon": "CILogonOAuthenticator",
    "generic-oauth": "GenericOAuthenticator",
    "github": "GitHubOAuthenticator",
    "google": "GoogleOAuthenticator",
}
PASSED_OVER = {
    "shared-password": "people have no accounts but a password",
    "tmp": "everybody is somebody new",
    "null": "nobody logs in",
}
EXISTING = "someone-from-before"
OTHER_IDP = "https://idp.elsewhere.example/idp/shibboleth"


@dataclass(frozen=True)
class Hub:
    """What a hub of the corpus says of its login."""

    values: Mapping[str, Any]

    @property
    def sections(self) -> dict[str, Any]:
        return dict(mapping_at(self.values, "hub.config"))

    @property
    def authenticator(self) -> str:
        return str(self.sections["JupyterHub"]["authenticator_class"])

    @property
    def section(self) -> dict[str, Any]:
        """What is said to the class that is in use."""
        return dict(self.sections.get(SECTIONS.get(self.authenticator, ""), {}))

    @property
    def login(self) -> tuple[Any, ...]:
        """All that decides who gets in."""
        general = [self.sections.get(name, {}) for name in ("Authenticator", "OAuthenticator")]
        general = [{name: value for name, value in each.items() if name != "oauth_callback_url"} for each in general]
        return self.authenticator, self.section, *general

    def people(self, trait: str) -> list[str]:
        """The names of a list of people, wherever they are."""
        found = [self.sections.get(name, {}).get(trait, []) for name in ("Authenticator", "OAuthenticator")]
        return list(dict.fromkeys(chain(*found, self.section.get(trait, []))))

    @property
    def staff(self) -> Staff | None:
        if not look_up(self.values, "custom.2i2c.add_staff_user_ids_to_admin_users"):
            return None
        settings = mapping_at(self.values, "custom.2i2c")
        ids = {"github": settings.get("staff_github_ids", []), "google": settings.get("staff_google_ids", [])}
        return Staff(settings.get("add_staff_user_ids_of_type", ""), ids)


def hub_in(file: Path) -> Hub:
    return Hub(chart_values(corpus.values_of(file)))


def hubs_with_accounts() -> list[Any]:
    """A parameter for each hub that can be compared; hubs with the same login (prod and staging, say) are one."""
    found: dict[str, Any] = {}
    for each in corpus.hubs():
        hub = None if each.marks else hub_in(each.values[0])
        if hub is None or hub.authenticator not in PASSED_OVER:
            found.setdefault(repr(hub and hub.login), each)
    return list(found.values())


# Who comes.


def identities(hub: Hub) -> dict[str, Claims]:
    """What the provider says of each person, by a name for the person that says what is special in it."""
    makers = {"cilogon": of_cilogon, "generic-oauth": of_oidc, "google": of_google}
    named = dict(enumerate(makers[hub.authenticator](hub)))
    return {f"{number}": claims for number, claims in named.items()}


def listed(hub: Hub) -> list[str]:
    people = [*hub.people("admin_users"), *hub.people("allowed_users"), *hub.people("blocked_users"), EXISTING]
    return [*people, people[0].upper(), f"{people[0]}x"]


def addresses(domain: str) -> list[str]:
    """An address at a domain, and addresses that are near it."""
    return [
        f"ada@{domain}",
        f"Ada@{domain.upper()}",
        f"ada@sub.{domain}",
        f"ada@evil-{domain}",
        f"ada@{domain}.evil.example",
        f"ada@{domain.rpartition('.')[0]}.example",
        f"ada@{domain}@evil.example",
    ]


def of_cilogon(hub: Hub) -> Iterator[Claims]:
    idps = hub.section.get("allowed_idps") or hub.section.get("idps") or {}
    domains = {domain for entry in idps.values() for domain in entry.get("allowed_domains", ())} | {"elsewhere.example"}
    claims = {entry["username_derivation"]["username_claim"] for entry in idps.values()}
    for idp in idps:
        for address in (*chain(*map(addresses, sorted(domains))), *listed(hub)):
            yield {"idp": idp, **dict.fromkeys(claims, address)}
        yield {"idp": idp}
        yield {"idp": idp, **dict.fromkeys(claims)}
        yield {"idp": idp, **dict.fromkeys(claims, "")}
        yield {"idp": idp.upper(), **dict.fromkeys(claims, f"ada@{min(domains)}")}
    for address in (*(f"ada@{domain}" for domain in domains), *listed(hub)):
        yield {"idp": OTHER_IDP, **dict.fromkeys(claims, address)}
        yield dict.fromkeys(claims, address)


def of_google(hub: Hub) -> Iterator[Claims]:
    workspaces = [*hub.section.get("hosted_domain", []), *hub.section.get("allowed_hosted_domains", [])]
    for address in (*chain(*map(addresses, workspaces)), *(name for name in listed(hub) if "@" in name)):
        for workspace in (*workspaces, "elsewhere.example", None):
            for verified in (True, False):
                told = {"email": address, "verified_email": verified}
                yield {**told, "hd": workspace} if workspace else told
    yield {"verified_email": True, "hd": workspaces[0]}


def of_oidc(hub: Hub) -> Iterator[Claims]:
    claim = hub.section["username_claim"]
    wanted = [*hub.people("allowed_groups"), *hub.people("admin_groups"), *hub.people("allowed_scopes")]
    belongs = [[], *([group] for group in wanted), wanted, *([f"{group}x"] for group in wanted), ["elsewhere"]]
    belongs += [[group.upper()] for group in wanted if group.upper() != group]
    for verified in (True, False, None):
        for member_of in belongs:
            # Where groups stand differs by hub: among the scopes that are granted, or in an answer of the provider.
            yield {claim: "ada@example.org", "email_verified": verified, "groups": member_of, "scope": member_of}
        for name in listed(hub):
            yield {claim: name, "email_verified": verified, "groups": [], "scope": []}
    yield {"email_verified": True, "groups": wanted, "scope": wanted}
    yield {claim: None, "email_verified": True, "groups": wanted, "scope": wanted}


def on_github(hub: Hub) -> GitHub:
    """A GitHub with the organisations that the hub names and their like, and people who belong to some of them."""
    entries = hub.section.get("allowed_organizations", [])
    wanted = [entries] if isinstance(entries, str) else entries
    organizations: dict[str, Organization] = {}
    people = dict.fromkeys(name for name in listed(hub) if groups.key(name) == name)

    def join(person: str, organization: str, team: str = "", *, public: bool = False, invited: bool = False) -> None:
        people.setdefault(person)
        joined = organizations.setdefault(organization, Organization(organization))
        if team:
            joined.teams.setdefault(team, set()).add(person)
        (joined.invited if invited else joined.public if public else joined.members).add(person)
        if not invited:
            joined.members.add(person)

    for number, entry in enumerate(wanted):
        organization, _, team = entry.partition(":")
        join(f"Member-{number}", organization)
        join(f"public-{number}", organization, public=True)
        join(f"invited-{number}", organization, invited=True)
        join(f"other-team-{number}", organization, "another-team")
        join(f"alike-{number}", f"{organization}-x", team or "team")
        join(f"elsewhere-{number}", "elsewhere", team or organization)
        if team:
            join(f"teammate-{number}", organization, team)
            join(f"longer-team-{number}", organization, f"{team}-x")
    people.setdefault("nobody")
    return GitHub([GitHubPerson(name) for name in people], organizations.values())


# How they arrive.


@dataclass(frozen=True)
class Outcome:
    """What became of a login; a name only of those who are admitted."""

    name: str = ""
    admin: bool = False


class Callback:
    """What an authenticator asks of the handler that a provider sends a person back to."""

    def __init__(self, code: str) -> None:
        self.code = code

    def get_argument(self, name: str, default: str = "") -> str:
        return self.code if name == "code" else default

    def get_secure_cookie(self, name: str, max_age_days: float = 31) -> None:
        """Nobody comes by an invitation."""

    get_cookie = get_secure_cookie

    def clear_cookie(self, name: str, path: str = "/") -> None:
        """There is none to clear."""

    def find_user(self, name: str) -> None:
        """Nobody is known of, except to the authenticator."""


async def outcome(authenticator: Any, provider: Provider, session: aiohttp.ClientSession, person: str) -> Outcome:
    """Log in at the provider and, with its code, at the hub: all that JupyterHub has an authenticator do."""
    query = {
        "client_id": CLIENT_ID,
        "response_type": "code",
        "redirect_uri": authenticator.oauth_callback_url,
        "state": "x",
        "scope": " ".join(authenticator.scope),
    }
    url = f"{provider.url}{provider.authorize_path}"
    async with session.post(url, params=query, data={"sub": person}, allow_redirects=False) as answer:
        code = aiohttp.client.URL(answer.headers["Location"]).query["code"]
    stock = not isinstance(authenticator, CommunityAuthenticator)
    try:
        model = await authenticator.get_authenticated_user(Callback(code), None)
    except HTTPError:
        return Outcome()
    except (KeyError, IndexError, AttributeError, TypeError, ValueError):
        if stock:  # it trips over claims that are missing
            return Outcome()
        raise
    return Outcome(model["name"], bool(model["admin"])) if model else Outcome()


def groups_from_the_answer(_: Any, auth_state: Any) -> Any:
    """What the hub with groups beside the claims fetches them with, in Python of its own."""
    return {**auth_state, "organizations": auth_state["oauth_user"].get("groups", [])}


def authenticator_of(hub: Hub, name: str, provider: Provider) -> Any:
    config = Config(deepcopy(hub.sections))
    section = SECTIONS[hub.authenticator]
    config[section].update(
        deepcopy({**provider.traits, "scope": hub.section.get("scope", provider.traits.get("scope"))})
    )
    if config[section].scope is None:
        del config[section]["scope"]
    config[section].enable_pkce = False  # its cookies are a browser's
    if hub.authenticator == "generic-oauth":
        config[section].modify_auth_state_hook = groups_from_the_answer
    cls = class_of(name, "jupyterhub.authenticators")
    assert cls is not None
    if "allowed_hosted_domains" in config[section] and not hasattr(cls, "allowed_hosted_domains"):
        # These hubs run a newer OAuthenticator, which has this name for it; ours has both.
        config[section].hosted_domain = config[section].pop("allowed_hosted_domains")
    authenticator = cls(config=config)
    authenticator.add_user(SimpleNamespace(name=EXISTING))
    return authenticator


@asynccontextmanager
async def provider_of(hub: Hub) -> AsyncIterator[Provider]:
    provider = on_github(hub) if hub.authenticator == "github" else ClaimsProvider(identities(hub))
    async with provider:
        yield provider


def is_named_by_address(hub: Hub, claims: Claims) -> bool:
    """Whether this person's name on the hub is made of an e-mail address."""
    if hub.authenticator != "cilogon":
        return hub.section.get("username_claim") == "email"
    entry = (hub.section.get("allowed_idps") or hub.section.get("idps") or {}).get(claims.get("idp"), {})
    return bool(entry) and entry["username_derivation"]["username_claim"] == "email"


def expected(hub: Hub, stock: Outcome, authenticator: Any, claims: Claims) -> Outcome:
    """What ours makes of someone of whom the stock class makes that; see above for the two differences."""
    if is_named_by_address(hub, claims) and str(claims.get("email")).count("@") != 1:
        return Outcome()
    vouched = hub.authenticator == "cilogon" or claims.get("email_verified") or claims.get("verified_email")
    if is_named_by_address(hub, claims) and not vouched:
        return Outcome()
    name = str(claims.get(hub.section.get("username_claim", ""), "")).lower()
    added = {each.lower() for each in hub.people("admin_users")} - {each.lower() for each in authenticator.admin_users}
    return Outcome(name, admin=True) if name and name in added else stock


async def outcome_on_both(
    hub: Hub, before: Any, now: Any, provider: Provider, session: aiohttp.ClientSession, person: str
) -> Outcome:
    """What our authenticator makes of a person, who is treated as before."""
    claims = provider.people[person] if isinstance(provider, ClaimsProvider) else {}
    stock = await outcome(before, provider, session, person)
    ours = await outcome(now, provider, session, person)
    # Each comes to a hub on which nobody else has logged in: these are one name in the hands of many accounts.
    now._owners.clear()
    now._taken.discard(ours.name)
    assert ours == expected(hub, stock, before, claims), (person, claims, stock)
    return ours


@pytest.mark.parametrize("file", hubs_with_accounts())
async def test_a_hub_admits_whom_it_admitted_before(file: Path) -> None:
    hub = hub_in(file)
    admitted = refused = 0
    async with provider_of(hub) as provider, aiohttp.ClientSession(headers={"User-Agent": "test"}) as session:
        before = authenticator_of(hub, hub.authenticator, provider)
        now = authenticator_of(hub, OURS[hub.authenticator], provider)
        for person in provider.names():
            ours = await outcome_on_both(hub, before, now, provider, session, person)
            admitted += bool(ours.name)
            refused += not ours.name
    assert refused
    assert admitted or not (hub.people("admin_users") or hub.section.get("allowed_organizations"))


def test_every_hub_is_compared_or_passed_over_for_a_reason() -> None:
    hubs = [hub_in(each.values[0]) for each in corpus.hubs() if not each.marks]
    if not hubs:
        pytest.skip("HUB_VALUES_CORPUS names no folder of values files")
    kinds = {hub.authenticator for hub in hubs}
    assert kinds == OURS.keys() | PASSED_OVER.keys(), "each case has a hub, and each hub is a case"


# What the check of the login says of each hub.


def told_of(hub: Hub) -> set[tuple[str, str]]:
    """The severity and the place of everything that is found, with the class of ours where there is one."""
    sections = Config(deepcopy(hub.sections))
    sections.JupyterHub.authenticator_class = OURS.get(hub.authenticator, hub.authenticator)
    profiles = look_up(hub.values, "singleuser.profileList", [])
    login = replace(login_of(sections, Settings(), profiles), staff=hub.staff)
    return {(finding.severity, finding.path) for finding in check(login)}


def known_mistakes(hub: Hub) -> Iterator[tuple[str, str]]:
    """The mistakes that are known of such hubs, looked for by hand and each in one way."""
    github = hub.sections.get("GitHubOAuthenticator", {})
    if isinstance(github.get("allowed_organizations"), str):
        yield "warning", "c.GitHubOAuthenticator.allowed_organizations"
    for section, trait in RULES.items():
        if trait in hub.sections.get(section, {}) and SECTIONS.get(hub.authenticator) != section:
            yield "warning", f"c.{section}"
    if hub.section.get("admin_users") and hub.sections["Authenticator"].get("admin_users"):
        yield "warning", "c.Authenticator.admin_users"
    if hub.authenticator == "shared-password" and hub.people("admin_users"):
        yield "warning", "c.Authenticator.admin_users"  # their password is a secret, and not in the corpus
    if hub.authenticator == "generic-oauth" and hub.section["username_claim"] == "email":
        yield "warning", "c.GenericOAuthenticator.username_claim"  # none of them asks for the scope email
    for idp, entry in hub.section.get("allowed_idps", {}).items():
        if entry["username_derivation"]["username_claim"] == "given_name":
            place = f"c.CILogonOAuthenticator.allowed_idps['{idp}'].username_derivation.username_claim"
            yield "warning", place
    if hub.staff and not staff_fits(hub, hub.staff.kind):
        yield "warning", "custom.2i2c.add_staff_user_ids_of_type"


RULES = {"CILogonOAuthenticator": "allowed_idps", "GitHubOAuthenticator": "allowed_organizations"}


def staff_fits(hub: Hub, kind: str) -> bool:
    """Whether anybody can have an account here by a name of that list."""
    if kind not in ("github", "google"):
        return False
    text = repr(hub.section)
    named_by_address = "'username_claim': 'email'" in text or "'username_claim': 'eppn'" in text
    named_by_login = "'username_claim': 'preferred_username'" in text
    if kind == "github":
        return named_by_login or not named_by_address
    return hub.authenticator != "github"


@pytest.mark.parametrize("file", corpus.hubs())
def test_the_mistakes_that_are_known_are_found_and_nothing_else(file: Path) -> None:
    hub = hub_in(file)
    assert told_of(hub) == set(known_mistakes(hub))


def test_the_corpus_has_such_mistakes_and_hubs_that_are_fine() -> None:
    hubs = [hub_in(each.values[0]) for each in corpus.hubs() if not each.marks]
    if not hubs:
        pytest.skip("HUB_VALUES_CORPUS names no folder of values files")
    places = Counter(place for hub in hubs for _, place in known_mistakes(hub))
    assert len(places) >= 6
    assert sum(not set(known_mistakes(hub)) for hub in hubs) > len(hubs) / 2
