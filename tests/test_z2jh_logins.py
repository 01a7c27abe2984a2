"""Who gets into a hub that `configure(c)` has configured: the people whom basehub's snippets let in, and no others.

One hub for each provider, with identities made of its rules; the stock class has the values and what the snippets add.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from hub_extensions.additions import sections
from hub_extensions.z2jh.basehub_values import STAFF_TEAM

from . import corpus, z2jh_loader
from .test_corpus_logins import OURS, Hub, authenticator_of, hub_in, outcome_on_both, provider_of

if TYPE_CHECKING:
    from pathlib import Path


def one_for_each_provider() -> list[Any]:
    found: dict[str, Any] = {}
    for each in corpus.hubs():
        found.setdefault("" if each.marks else hub_in(each.values[0]).authenticator, each)
    return [each for name, each in found.items() if name in OURS or each.marks]


def with_snippets(hub: Hub) -> Hub:
    """The hub with the staff as its snippets added them."""
    values = deepcopy(dict(hub.values))
    config = values["hub"]["config"]
    if hub.staff:
        config["Authenticator"]["admin_users"] = [*config["Authenticator"].get("admin_users", ()), *hub.staff.names]
    if hub.authenticator == "github":
        config["GitHubOAuthenticator"]["allowed_organizations"] = [
            *config["GitHubOAuthenticator"].get("allowed_organizations", ()),
            STAFF_TEAM,
        ]
    return Hub(values)


@pytest.mark.parametrize("file", one_for_each_provider())
async def test_the_configured_hub_admits_whom_the_snippets_let_in(file: Path, tmp_path: Path) -> None:
    before = with_snippets(hub_in(file))
    config = deepcopy(sections(z2jh_loader.load(before.values, tmp_path)))
    assert config["JupyterHub"]["authenticator_class"] == OURS[before.authenticator]
    config["JupyterHub"]["authenticator_class"] = before.authenticator
    now = Hub({"hub": {"config": config}})
    admitted = admins = refused = 0
    async with provider_of(before) as provider, aiohttp.ClientSession(headers={"User-Agent": "test"}) as session:
        stock = authenticator_of(before, before.authenticator, provider)
        ours = authenticator_of(now, OURS[before.authenticator], provider)
        for person in provider.names():
            found = await outcome_on_both(before, stock, ours, provider, session, person)
            admitted, admins, refused = admitted + bool(found.name), admins + found.admin, refused + (not found.name)
    assert admitted
    assert admins
    assert refused
