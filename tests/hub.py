"""A real JupyterHub in the test's own process, up in a third of a second, without a proxy process.

    async with running_hub({"JupyterHub": {"spawner_class": "simple"}}) as hub:
        reply = await hub.api("POST", "users/ada/server", json={})
        page = await (await hub.login("ada")).get("home")

The hub's base URL has a space and an `@`, so that what works here works at any base URL.
"""

from __future__ import annotations

import json as json_format
import secrets
import threading
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import aiohttp
from jupyterhub import orm, roles
from jupyterhub.proxy import Proxy
from jupyterhub.tests.mocking import MockHub
from traitlets.config import Config
from yarl import URL

from hub_extensions.group_metrics import GROUP_SIZES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

Route = dict[str, Any]


class InMemoryProxy(Proxy):  # type: ignore[misc]  # JupyterHub publishes no types
    """Keeps the routes in a dict: `Browser` looks them up as a proxy would."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.should_start = False
        self.routes: dict[str, Route] = {}

    async def add_route(self, routespec: str, target: str, data: dict[str, Any]) -> None:
        self.routes[self.validate_routespec(routespec)] = {"routespec": routespec, "target": target, "data": data}

    async def delete_route(self, routespec: str) -> None:
        self.routes.pop(self.validate_routespec(routespec), None)

    async def get_all_routes(self) -> dict[str, Route]:
        return dict(self.routes)


@dataclass(frozen=True)
class Reply:
    """An HTTP answer whose body has been read; `url` is where the last redirect led."""

    status: int
    url: URL
    headers: Mapping[str, str]
    text: str

    def json(self) -> Any:
        return json_format.loads(self.text)


async def _read(response: aiohttp.ClientResponse) -> Reply:
    return Reply(response.status, response.url, response.headers, await response.text())


@dataclass
class Browser:
    """What a person has: cookies that stay on this hub, and pages with their XSRF token."""

    hub: RunningHub
    session: aiohttp.ClientSession
    cookies: dict[tuple[str, str], str] = field(default_factory=dict)  # (path, name): aiohttp's jar decodes paths

    async def get(self, path: str, *, follow: bool = True) -> Reply:
        """Open a page; `path` is relative to `/hub/`, or absolute. Redirects off this hub are not followed."""
        return await self._navigate("GET", path, None, follow)

    async def post(self, path: str, form: Mapping[str, Any], *, follow: bool = True) -> Reply:
        """Submit a form with the XSRF token that the last page set."""
        return await self._navigate("POST", path, form, follow)

    async def api(self, method: str, path: str, *, json: Any = None) -> Reply:
        """Call `/hub/api/` as a page's script does: by cookie, with the XSRF token in a header."""
        url = URL(self.hub.url).join(URL(f"api/{path}", encoded=True))
        headers = {
            "X-XSRFToken": self.cookies_for(url).get("_xsrf", ""),
            "Content-Type": "application/json",
            "Sec-Fetch-Mode": "cors",
            "Sec-Fetch-Site": "same-origin",
        }
        return await self._request(method, url, headers=headers, json=json)

    def cookies_for(self, url: URL) -> dict[str, str]:
        """Name to value; of two cookies of one name, the one with the longer path."""
        return {name: value for (path, name), value in sorted(self.cookies.items()) if url.raw_path.startswith(path)}

    async def _navigate(self, method: str, path: str, form: Mapping[str, Any] | None, follow: bool) -> Reply:
        url = URL(self.hub.url).join(URL(path, encoded=True))
        headers = {"Sec-Fetch-Mode": "navigate"}
        if form is not None:
            form = {"_xsrf": self.cookies_for(url).get("_xsrf", ""), **form}
        reply = await self._request(method, url, headers=headers, data=form)
        for _ in range(20):
            if not follow or reply.status not in {301, 302, 303, 307, 308}:
                return reply
            url = url.join(URL(reply.headers["Location"], encoded=True))
            if not self.hub.serves(url):
                return reply
            reply = await self._request("GET", url, headers=headers)
        raise AssertionError(f"more than 20 redirects from {path}, the last one to {url}")

    async def _request(self, method: str, url: URL, *, headers: dict[str, str], **body: Any) -> Reply:
        if self.hub.serves(url):
            cookies = "; ".join(f"{name}={value}" for name, value in self.cookies_for(url).items())
            headers = {**headers, "Cookie": cookies}
            url = self.hub.routed(url)
        async with self.session.request(method, url, headers=headers, allow_redirects=False, **body) as response:
            for cookie in response.headers.getall("Set-Cookie", []):
                self._remember(cookie)
            return await _read(response)

    def _remember(self, set_cookie: str) -> None:
        for name, morsel in SimpleCookie(set_cookie).items():
            key = (morsel["path"] or "/", name)
            if not morsel.value:
                self.cookies.pop(key, None)
            else:
                self.cookies[key] = morsel.coded_value


@dataclass
class RunningHub:
    """A hub that listens on loopback: `url` ends in `/hub/`, `app` is the JupyterHub application itself."""

    app: MockHub
    url: str
    session: aiohttp.ClientSession
    _tokens: dict[str, str] = field(default_factory=dict)

    async def api(
        self, method: str, path: str, *, user: str = "admin", token: str | None = None, json: Any = None
    ) -> Reply:
        """Call `/hub/api/{path}` with `token`, or else as `user`, who is made when missing (`admin` as an admin)."""
        headers = {"Authorization": f"token {token or self.token(user)}"}
        url = URL(self.url).join(URL(f"api/{path}", encoded=True))
        async with self.session.request(method, url, headers=headers, json=json) as response:
            return await _read(response)

    def user(self, name: str, *, groups: tuple[str, ...] = (), admin: bool = False) -> orm.User:
        """Find or make a user, and put them into `groups` as well, which are made when missing."""
        database = self.app.db
        found = orm.User.find(database, name)
        if found is None:
            found = orm.User(name=name, admin=admin)
            database.add(found)
            database.commit()
            roles.assign_default_roles(database, entity=found)
        for group_name in groups:
            group = orm.Group.find(database, group_name)
            if group is None:
                group = orm.Group(name=group_name)
                database.add(group)
            if group not in found.groups:
                found.groups.append(group)
        database.commit()
        return found

    def token(self, name: str) -> str:
        """An API token of that user, with all that the user may do."""
        if name not in self._tokens:
            self._tokens[name] = self.user(name, admin=name == "admin").new_api_token()
        return self._tokens[name]

    def browser(self) -> Browser:
        """A browser that has not seen this hub yet."""
        return Browser(self, self.session)

    async def login(self, name: str, password: str | None = None) -> Browser:
        """Log in by the login form; the mock authenticator takes the user's name as password."""
        browser = self.browser()
        await browser.get("login")
        reply = await browser.post("login", {"username": name, "password": password or name}, follow=False)
        assert reply.status == 302, f"login of {name} answered {reply.status}: {reply.text}"
        await browser.get("home")  # the first page after a login sets the XSRF token of the logged-in user
        return browser

    def serves(self, url: URL) -> bool:
        """Whether the proxy of this hub would answer that URL."""
        return url.origin() in {URL(self.url).origin(), *(URL(r["target"]).origin() for r in self._routes.values())}

    def routed(self, url: URL) -> URL:
        """The same path at the server that the longest matching route names."""
        path = url.raw_path if url.raw_path.endswith("/") else f"{url.raw_path}/"
        matching = [spec for spec in self._routes if path.startswith(spec)]
        target = URL(self._routes[max(matching, key=len)]["target"] if matching else self.url)
        return url.with_scheme(target.scheme).with_host(target.host or "127.0.0.1").with_port(target.port)

    @property
    def _routes(self) -> dict[str, Route]:
        routes: dict[str, Route] = self.app.proxy.routes
        return routes


@asynccontextmanager
async def running_hub(config: Config | Mapping[str, Any] | None = None) -> AsyncIterator[RunningHub]:
    """Run a hub with `config` until the block ends: then its servers are stopped and nothing stays behind."""
    settings = Config(config or {})
    settings.JupyterHub.setdefault("proxy_class", InMemoryProxy)
    settings.JupyterHub.setdefault("cookie_secret", secrets.token_bytes(32))  # else a file in the current folder
    async with AsyncExitStack() as at_end:
        homes = at_end.enter_context(TemporaryDirectory(prefix="homes-"))
        settings.SimpleLocalProcessSpawner.setdefault("home_dir_template", f"{homes}/{{username}}")
        MockHub.clear_instance()
        app = MockHub.instance(config=settings)
        at_end.callback(MockHub.clear_instance)
        at_end.push_async_callback(_stop, app)
        await app.initialize()
        await app.start()
        session = await at_end.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
        yield RunningHub(app, app.hub.url, session)


async def _stop(app: MockHub) -> None:
    """End what the hub started, in this loop (JupyterHub 5's MockHub would use another, which has no reflectors)."""
    for callback in app._periodic_callbacks.values():
        callback.stop()
    if app.metrics_collector:
        app.metrics_collector.stop()
    if app.http_server:
        app.http_server.stop()
    for user in app.users.values():
        for spawner in user.spawners.values():
            spawner.stop_polling()
    await app.cleanup()
    if app.http_server:
        await app.http_server.close_all_connections()
    engine = app.db.get_bind()
    _end_counting(app)
    app.db.close()
    engine.dispose()
    app.db_file.close()
    app._atexit_ran = True  # JupyterHub's own clean-up at exit would do it all again


def _end_counting(app: MockHub) -> None:
    """Have groups counted no more in this hub's database, whose file SQLite would make again."""
    if GROUP_SIZES._session and GROUP_SIZES._session() is app.db:
        GROUP_SIZES._session = None
    for thread in threading.enumerate():
        if thread.name == "group-sizes":
            thread.join()
