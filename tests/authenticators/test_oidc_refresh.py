"""A login through a real OpenID Connect provider, and what becomes of it: groups, revocation, expiry, an outage."""

import asyncio
import os
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from types import SimpleNamespace

import aiohttp

from ..providers.login import arrive, hub_with, refresh

os.environ.setdefault("AUTHLIB_INSECURE_TRANSPORT", "1")  # the provider speaks plain HTTP, on loopback

POLICY = {"CommunityAuthenticator": {"communities": {"ocean-lab": {"members": [{"groups": ["ocean"]}]}}}}


@contextmanager
def openid(lifetime=timedelta(hours=1)):
    """A provider at which ada is in the group `ocean`."""
    from oidc_provider_mock import User, run_server_in_thread

    people = [User(sub="ada", claims={"groups": ["ocean", "reef"], "email": "ada@example.org"})]
    with run_server_in_thread(port=0, user_claims=people, access_token_max_age=lifetime) as server:
        url = f"http://localhost:{server.server_port}"
        traits = {
            "authorize_url": f"{url}/oauth2/authorize",
            "token_url": f"{url}/oauth2/token",
            "userdata_url": f"{url}/userinfo",
            "client_id": "hub",
            "client_secret": "not-a-secret",
            "scope": ["openid", "email"],
            "username_claim": "sub",
            "basic_auth": True,
        }
        yield SimpleNamespace(url=url, section="GenericOAuthenticator", traits=traits)


async def tell(provider, method, path, **body):
    async with aiohttp.ClientSession() as session, session.request(method, f"{provider.url}{path}", **body) as answer:
        assert answer.ok, await answer.text()


def hub_of(provider):
    return hub_with(provider, "community-oidc", {"outage_pause": 0}, POLICY)


async def test_groups_follow_the_provider_at_each_refresh():
    with openid() as provider:
        async with hub_of(provider) as hub:
            assert (await arrive(hub, "ada")).groups == {"ocean", "reef", "ocean-lab"}
            await tell(provider, "PUT", "/users/ada", json={"groups": ["ocean"]})
            assert (await refresh(hub, "ada"))["groups"] == ["ocean", "ocean-lab"]
            await tell(provider, "PUT", "/users/ada", json={"groups": ["reef"]})
            assert await refresh(hub, "ada") is False, "no rule means them any more"


async def test_whose_tokens_are_revoked_has_to_log_in_again():
    with openid() as provider:
        async with hub_of(provider) as hub:
            arrival = await arrive(hub, "ada")
            hub.app.authenticator.auth_refresh_age = 1
            await tell(provider, "POST", "/users/ada/revoke-tokens")
            await asyncio.sleep(1.1)
            assert (await arrival.browser.get("home")).url.path.endswith("/hub/login")
            assert (await arrive(hub, "ada")).admitted


async def test_a_token_that_ends_is_renewed_without_a_word():
    with openid(timedelta(seconds=1)) as provider:
        async with hub_of(provider) as hub:
            await arrive(hub, "ada")
            first = (await hub.app.users["ada"].get_auth_state())["access_token"]
            await asyncio.sleep(2.1)
            renewed = await refresh(hub, "ada")
            assert renewed["groups"] == ["ocean", "ocean-lab", "reef"]
            assert renewed["auth_state"]["access_token"] != first


async def test_while_the_provider_is_stopped_what_it_said_holds_for_its_time():
    with ExitStack() as running:
        provider = running.enter_context(openid())
        async with hub_of(provider) as hub:
            await arrive(hub, "ada")
            running.close()
            held = await refresh(hub, "ada")
            assert held["groups"] == ["ocean", "ocean-lab", "reef"]
            hub.app.authenticator.stale_membership_limit = 0
            assert await refresh(hub, "ada") is False
