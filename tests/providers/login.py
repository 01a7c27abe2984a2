"""Logging in as a browser does: from the hub to the provider and back.

One identity through two classes:

    @pytest.fixture(params=["github", "community-github"])
    async def hub(github, request):
        async with hub_with(github, request.param, {"allowed_organizations": {"ocean-lab"}}) as running:
            yield running

    async def test_a_member_is_admitted(hub):
        assert (await arrive(hub, "ada")).admitted
"""

from __future__ import annotations

import os
import secrets
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jupyterhub.crypto import CryptKeeper
from traitlets.config import Config
from yarl import URL

from ..hub import Browser, Reply, RunningHub, running_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from .provider import Provider


@asynccontextmanager
async def hub_with(
    provider: Provider,
    authenticator: str | type,
    traits: Mapping[str, Any] | None = None,
    config: Mapping[str, Any] | None = None,
) -> AsyncIterator[RunningHub]:
    """Run a hub whose people log in at `provider`, through an entry point or a class.

    `traits` are those of OAuthenticator's class, and hold for its subclasses as well; `config` is any other section.
    Nobody is allowed unless it says so; auth_state is kept.
    """
    settings = Config({provider.section: {**provider.traits, "enable_auth_state": True, **(traits or {})}})
    settings.Authenticator.allow_all = False
    settings.merge(Config(config or {}))
    settings.JupyterHub.authenticator_class = authenticator
    with _crypt_key():
        async with running_hub(settings) as hub:
            yield hub


@contextmanager
def _crypt_key() -> Iterator[None]:
    """A key for auth_state; the hubs of a process share it, so that one may run inside the block of another."""
    outer = os.environ.get("JUPYTERHUB_CRYPT_KEY")
    os.environ["JUPYTERHUB_CRYPT_KEY"] = outer or secrets.token_hex(32)
    CryptKeeper.clear_instance()  # it read its keys when it was first used in this process
    try:
        yield
    finally:
        del os.environ["JUPYTERHUB_CRYPT_KEY"]
        if outer:
            os.environ["JUPYTERHUB_CRYPT_KEY"] = outer
        CryptKeeper.clear_instance()


async def sign_in(
    hub: RunningHub, name: str | None, browser: Browser | None = None, *, button: str = "oauth_login"
) -> Reply:
    """Log in at the provider as `name`, or cancel there (None); answers the page on which they arrive at the hub.

    `button` is the path that leads to the provider. Who is admitted arrives at the hub's home page: no server starts.
    """
    browser = browser or hub.browser()
    return await browser.get(await callback(browser, name, button=button))


async def callback(browser: Browser, name: str | None, *, button: str = "oauth_login") -> str:
    """Log in at the provider, and answer the URL of the hub that it sends this browser back to.

    The provider's login page is a form with the field `sub`; oidc-provider-mock has the same one.
    """
    home = URL(browser.hub.url).raw_path + "home"
    to_provider = await browser.get(str(URL(button).update_query(next=home)), follow=False)
    assert to_provider.status == 302, f"the hub did not ask the provider, but answered {to_provider.status}"
    form = {"action": "deny"} if name is None else {"sub": name}
    url = to_provider.headers["Location"]
    async with browser.session.post(url, data=form, allow_redirects=False) as answer:
        assert answer.status in {302, 303}, f"the provider answered {answer.status}: {await answer.text()}"
        return answer.headers["Location"]


@dataclass(frozen=True)
class Arrival:
    """Where a login ended; `name` is empty for someone who was not admitted. `browser` stays logged in."""

    page: Reply
    browser: Browser
    name: str = ""
    admin: bool = False
    groups: frozenset[str] = frozenset()

    @property
    def admitted(self) -> bool:
        """Whether the hub knows them from now on."""
        return bool(self.name)


async def arrive(
    hub: RunningHub, name: str | None, browser: Browser | None = None, *, button: str = "oauth_login"
) -> Arrival:
    """Log in, and say as whom."""
    browser = browser or hub.browser()
    page = await sign_in(hub, name, browser, button=button)
    if page.status != 200 or not page.url.path.endswith("/hub/home"):
        return Arrival(page, browser)
    me = await browser.api("GET", "user")
    assert me.status == 200, f"the hub shows {name} their home page, and its API does not know them: {me.text}"
    model = me.json()
    return Arrival(page, browser, model["name"], bool(model.get("admin")), frozenset(model.get("groups", ())))


async def refresh(hub: RunningHub, name: str) -> Any:
    """Refresh a login as the hub does: what the authenticator answers (a model, True or False), or what it raises."""
    return await hub.app.authenticator.refresh_user(hub.app.users[name])
