"""Login through a real OpenID Connect provider to a real hub."""

import asyncio
import os
import re

import pytest
from aiohttp import ClientSession
from tornado.web import HTTPError
from traitlets import TraitError

from hub_extensions.authenticators.oidc import CommunityOIDCAuthenticator

from ..hub import running_hub

os.environ.setdefault("AUTHLIB_INSECURE_TRANSPORT", "1")  # the provider speaks plain HTTP, on loopback

COMMUNITIES = {
    "ocean-lab": {
        "title": "Ocean Lab",
        "members": [{"groups": ["ocean"]}],
        "leads": [{"users": ["cleo"]}],
    },
    "forest-network": {"members": [{"groups": ["forest", "g"]}]},
    "last-year": {"members": [{"groups": ["*"]}], "until": "2025-12-31"},
}
PEOPLE = {
    "ada": ["Ocean"],
    "ben": ["ocean", "forest"],
    "cleo": [],
    "lin": [],
    "dan": ["garden", "ocean-lab", "ocean-lab:leads"],
    "mallory": ["ocean"],
    "olga": "ocean",
    "otto": "garden",
}


@pytest.fixture(scope="module")
def provider():
    from oidc_provider_mock import User, run_server_in_thread

    people = [User(sub=name, claims={"groups": groups, "email": f"{name}@x.org"}) for name, groups in PEOPLE.items()]
    with run_server_in_thread(port=0, user_claims=people) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture(scope="module")
async def hub(provider):
    config = {
        "JupyterHub": {"authenticator_class": "community-oidc"},
        "CommunityAuthenticator": {"communities": COMMUNITIES, "contact": "help@example.org"},
        "GenericOAuthenticator": {
            "authorize_url": f"{provider}/oauth2/authorize",
            "token_url": f"{provider}/oauth2/token",
            "userdata_url": f"{provider}/userinfo",
            "client_id": "hub",
            "client_secret": "not-a-secret",
            "scope": ["openid", "email"],
            "username_claim": "sub",
            "basic_auth": True,
        },
        "Authenticator": {"admin_users": {"lin"}, "blocked_users": {"mallory"}, "allow_all": False},
    }
    async with running_hub(config) as running:
        yield running


async def sign_in(hub, name, browser=None):
    """Sign in at the provider as `name`; answers the page on which they arrive at the hub."""
    browser = browser or hub.browser()
    to_provider = await browser.get("oauth_login", follow=False)
    async with (
        ClientSession() as session,
        session.post(to_provider.headers["Location"], data={"sub": name}, allow_redirects=False) as answer,
    ):
        back = answer.headers["Location"]
    return await browser.get(back.partition("/hub/")[2])


async def groups_of(hub, name):
    return set((await hub.api("GET", f"users/{name}")).json()["groups"])


@pytest.mark.parametrize(
    ("name", "groups"),
    [
        ("ada", {"Ocean", "ocean-lab"}),
        ("ben", {"ocean", "forest", "ocean-lab", "forest-network"}),
        ("cleo", {"ocean-lab", "ocean-lab:leads"}),
        ("olga", {"ocean", "ocean-lab"}),
    ],
)
async def test_whoever_a_community_means_is_in_and_gets_its_groups(name, groups, hub):
    page = await sign_in(hub, name)
    assert page.status == 200
    assert re.search(rf"\b{name}\b", page.text)
    assert await groups_of(hub, name) == groups


async def test_an_admin_is_admitted_without_a_community(hub):
    assert (await sign_in(hub, "lin")).status == 200
    assert (await hub.api("GET", "users/lin")).json()["admin"] is True


async def test_someone_of_no_community_is_told_which_account_it_was_and_what_would_help(hub):
    page = await sign_in(hub, "dan")
    assert page.status == 403
    for words in ("You logged in as dan", "Ocean Lab", "members of ocean", "help@example.org"):
        assert words in page.text
    assert (await hub.api("GET", "users/dan")).status == 404


async def test_a_group_that_is_told_as_text_is_not_its_letters(hub):
    page = await sign_in(hub, "otto")
    assert page.status == 403


async def test_a_closed_community_admits_nobody(hub):
    page = await sign_in(hub, "dan")
    assert "last-year closed on 2025-12-31" in page.text


async def test_someone_who_is_blocked_stays_out_whatever_their_groups(hub):
    assert (await sign_in(hub, "mallory")).status == 403
    assert (await hub.api("GET", "users/mallory")).status == 404


async def test_a_community_that_closes_ends_the_access_of_those_who_are_logged_in(hub):
    authenticator = hub.app.authenticator
    browser = hub.browser()
    await sign_in(hub, "ada", browser)
    await sign_in(hub, "ben")
    assert (await browser.get("home")).url.path.endswith("/hub/home")
    open_ = authenticator.communities
    authenticator.communities = {**open_, "ocean-lab": {**open_["ocean-lab"], "until": "2026-01-01"}}
    authenticator.auth_refresh_age = 1
    try:
        await asyncio.sleep(1.1)
        assert (await browser.get("home")).url.path.endswith("/hub/login")
        ben = hub.app.users["ben"]
        assert await authenticator.refresh_user(ben) == {"name": "ben", "groups": ["forest", "forest-network", "ocean"]}
    finally:
        authenticator.communities = open_
        authenticator.auth_refresh_age = 300


async def test_an_admin_stays_when_a_community_closes(hub):
    await sign_in(hub, "lin")
    assert await hub.app.authenticator.refresh_user(hub.app.users["lin"]) is True


async def test_without_communities_nobody_gets_in_but_whom_the_stock_rules_admit():
    authenticator = CommunityOIDCAuthenticator(username_claim="sub", allowed_users={"eve"})
    model = {"admin": None, "auth_state": {"oauth_user": {"sub": "ada", "groups": ["ocean"]}}}
    assert await authenticator.check_allowed("eve", model)
    with pytest.raises(HTTPError, match="belongs to no community"):
        await authenticator.check_allowed("ada", model)


def test_a_mistake_in_a_community_stops_the_start_with_its_place():
    with pytest.raises(TraitError, match=r"ocean-lab\.members\[0\]\.group: unknown key\. Did you mean 'groups'"):
        CommunityOIDCAuthenticator(communities={"ocean-lab": {"members": [{"group": ["ocean"]}]}})
