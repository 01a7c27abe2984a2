"""What every login provider has: OAuth 2 with PKCE, tokens that end, a log of its calls, and ways to fail.

async with GitHub(people=[Person("ada")]) as github:
    with github.failing(Failure("/user/*", status=502, times=1)):
        ...
    github.revoke("ada")
    await github.stop()  # refuses connections, until `await github.start()`
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import html
import math
import secrets
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, ClassVar, Self

import jwt
from aiohttp import BasicAuth, web
from yarl import URL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CLIENT_ID = "hub"
CLIENT_SECRET = "the secret that this hub shares with its provider"


@dataclass(eq=False)
class Failure:
    """What the next `times` calls of a path (a pattern) get: an error, or with status 0 their answer, only later.

    A `body` that is text is an error page, anything else is JSON. `seconds` are waited first; with `math.inf` no answer
    ever comes.
    """

    path: str = "*"
    status: int = 0
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0
    times: float = math.inf


@dataclass(frozen=True)
class Call:
    """A request that arrived; `person` is whom its token belongs to."""

    method: str
    path: str
    query: Mapping[str, str]
    person: str = ""


@dataclass
class Grant:
    """What a person allowed the hub, with the tokens for it; `other_tokens` are for other servers, by their names."""

    person: str
    scopes: tuple[str, ...]
    access_token: str
    refresh_token: str
    expires_at: float
    other_tokens: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Authorization:
    """A login that has got its code, and not yet its token."""

    person: str
    query: Mapping[str, str]  # of the login page


class RefusedError(Exception):
    """An error as the provider's API tells it: status, JSON, headers."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, body)
        self.response = web.json_response(body, status=status, headers=headers)


class OAuthError(Exception):
    """An error of the token endpoint (RFC 6749, 5.2)."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(error)
        self.error, self.description, self.status = error, description, status


class Provider:
    """An OAuth 2 provider; a subclass adds its paths, its people and its own answers.

    `logs_in` names someone who is logged in at the provider already: then no page asks who comes.
    """

    authorize_path: ClassVar[str]
    token_path: ClassVar[str]
    revoke_path: ClassVar[str] = ""
    section: ClassVar[str]  # of the hub's configuration: OAuthenticator's class
    token_lifetime: float = math.inf  # seconds
    gives_refresh_tokens = True
    renews_refresh_tokens = False  # a refresh then ends the refresh token that was used

    def __init__(self) -> None:
        self.url = ""
        self.logs_in = ""
        self.calls: list[Call] = []
        self.most_at_once = 0
        self.failures: list[Failure] = []
        self._under_way = 0
        self._codes: dict[str, Authorization] = {}
        self._grants: list[Grant] = []
        self._runner: web.AppRunner | None = None
        self._stopping = asyncio.Event()

    # What a test does with it.

    @property
    def traits(self) -> dict[str, Any]:
        """How OAuthenticator's class is told to use this provider: its traits in `section`."""
        raise NotImplementedError

    def names(self) -> list[str]:
        """Who has an account here."""
        raise NotImplementedError

    async def start(self) -> None:
        """Listen; after a stop, on the same port."""
        self._stopping = asyncio.Event()
        application = web.Application(middlewares=[self._receive])
        application.add_routes(
            [
                web.get(self.authorize_path, self._ask),
                web.post(self.authorize_path, self._decide),
                web.post(self.token_path, self._token),
                *([web.post(self.revoke_path, self._revoke)] if self.revoke_path else []),
                *self.routes(),
            ]
        )
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", URL(self.url).port or 0 if self.url else 0).start()
        self.url = "http://{}:{}".format(*self._runner.addresses[0][:2])

    async def stop(self) -> None:
        """Refuse connections from now on; who waits for an answer gets none."""
        self._stopping.set()
        if self._runner:
            await self._runner.cleanup()
        self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @contextmanager
    def failing(self, *failures: Failure) -> Iterator[None]:
        """Fail like that until the block ends; the first failure that fits a call is what it gets."""
        self.failures = [*failures, *self.failures]
        try:
            yield
        finally:
            self.failures = [failure for failure in self.failures if failure not in failures]

    def count(self, pattern: str = "*") -> int:
        """How many calls of these paths have arrived."""
        return sum(fnmatchcase(call.path, pattern) for call in self.calls)

    def counts(self) -> Counter[str]:
        """How many calls have arrived, by path."""
        return Counter(call.path for call in self.calls)

    def forget_calls(self) -> None:
        """Count from nothing again."""
        self.calls.clear()
        self.most_at_once = 0

    def expire(self, name: str) -> None:
        """End this person's access tokens, as their time would; refresh tokens hold."""
        for grant in self._grants:
            if grant.person == name:
                grant.expires_at = 0

    def revoke(self, name: str) -> None:
        """End all tokens of this person, as they may themselves in their settings."""
        self._grants = [grant for grant in self._grants if grant.person != name]

    def grants(self, name: str) -> list[Grant]:
        """What this person has allowed and not revoked, oldest first."""
        return [grant for grant in self._grants if grant.person == name]

    # What a subclass answers.

    def routes(self) -> list[web.RouteDef]:
        """The endpoints beside those of OAuth."""
        raise NotImplementedError

    def unauthorized(self) -> RefusedError:
        """The answer to a token that does not hold (RFC 6750, 3.1)."""
        return RefusedError(
            401,
            {"error": "invalid_token", "error_description": "The access token expired or was revoked"},
            {"WWW-Authenticate": 'Bearer error="invalid_token"'},
        )

    def token_error(self, error: OAuthError) -> web.Response:
        """The token endpoint's answer to what it refuses."""
        return web.json_response({"error": error.error, "error_description": error.description}, status=error.status)

    def token_answer(self, grant: Grant, *, refreshed: bool) -> dict[str, Any]:
        """What the token endpoint gives; a refresh token that holds on is not repeated."""
        answer: dict[str, Any] = {
            "access_token": grant.access_token,
            "token_type": "Bearer",
            "scope": " ".join(grant.scopes),
        }
        if grant.expires_at != math.inf:
            answer["expires_in"] = round(grant.expires_at - time.monotonic())
        if grant.refresh_token and (not refreshed or self.renews_refresh_tokens):
            answer["refresh_token"] = grant.refresh_token
        return answer

    def id_token(self, claims: Mapping[str, Any]) -> str:
        """These claims, signed with the client's secret (OpenID Connect Core, 10.1)."""
        now = int(time.time())
        return jwt.encode({"iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + 600, **claims}, CLIENT_SECRET)

    def grant_of(self, request: web.Request) -> Grant:
        """Whose token the call carries, and what for."""
        _, _, token = request.headers.get("Authorization", "").partition(" ")
        for grant in self._grants:
            if token in {grant.access_token, *grant.other_tokens.values()} and grant.expires_at > time.monotonic():
                return grant
        raise self.unauthorized()

    def offline(self, login: Authorization) -> bool:
        """Whether this login gets a refresh token."""
        return self.gives_refresh_tokens

    def new_grant(self, person: str, scopes: tuple[str, ...], *, refresh_token: str = "") -> Grant:
        """Make an access token; those that were made before hold on."""
        access_token = f"access-{secrets.token_urlsafe(16)}"
        grant = Grant(person, scopes, access_token, refresh_token, time.monotonic() + self.token_lifetime)
        self._grants.append(grant)
        return grant

    # OAuth.

    @web.middleware
    async def _receive(self, request: web.Request, handler: Any) -> web.StreamResponse:
        try:
            person = self.grant_of(request).person
        except RefusedError:
            person = ""
        self.calls.append(Call(request.method, request.path, dict(request.query), person))
        self._under_way += 1
        self.most_at_once = max(self.most_at_once, self._under_way)
        try:
            failed = await self._fail(request)
            answer: web.StreamResponse = failed or await handler(request)
        except RefusedError as refused:
            answer = refused.response
        finally:
            self._under_way -= 1
        return answer

    async def _fail(self, request: web.Request) -> web.Response | None:
        for failure in self.failures:
            if failure.times > 0 and fnmatchcase(request.path, failure.path):
                break
        else:
            return None
        failure.times -= 1
        if failure.seconds:
            try:
                async with asyncio.timeout(None if failure.seconds == math.inf else failure.seconds):
                    await self._stopping.wait()
            except TimeoutError:
                pass
        if not failure.status:
            return None
        if isinstance(failure.body, str):
            return web.Response(
                text=failure.body, content_type="text/html", status=failure.status, headers=failure.headers
            )
        return web.json_response(failure.body, status=failure.status, headers=failure.headers)

    async def _ask(self, request: web.Request) -> web.Response:
        """The provider's login page: a form that asks who comes."""
        if self.logs_in:
            return self._send_back(request, self.logs_in)
        buttons = "".join(
            f'<p><button name="sub" value="{html.escape(name)}">Log in as {html.escape(name)}</button></p>'
            for name in self.names()
        )
        page = f'<form method="post">{buttons}<button name="action" value="deny">Cancel</button></form>'
        return web.Response(text=page, content_type="text/html")

    async def _decide(self, request: web.Request) -> web.Response:
        form = await request.post()
        if form.get("action") == "deny":
            return self._send_back(request, "")
        return self._send_back(request, str(form.get("sub", "")))

    def _send_back(self, request: web.Request, person: str) -> web.Response:
        asked = request.query
        if asked.get("client_id") != CLIENT_ID or asked.get("response_type") != "code":
            raise RefusedError(400, {"error": "unauthorized_client"})
        back = URL(asked["redirect_uri"])
        if not person:
            denied = {"error": "access_denied", "error_description": "The user has denied your application access."}
            raise web.HTTPFound(back.update_query({**denied, "state": asked["state"]}))
        if person not in self.names():
            raise RefusedError(400, {"error": f"Nobody is called {person[:64]}"})
        code = secrets.token_urlsafe(16)
        self._codes[code] = Authorization(person, dict(asked))
        raise web.HTTPFound(back.update_query({"code": code, "state": asked["state"]}))

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        try:
            self.check_client(request, form)
            if form.get("grant_type") == "refresh_token":
                return web.json_response(self.token_answer(self._refresh(form), refreshed=True))
            if form.get("grant_type") == "authorization_code":
                return web.json_response(self.token_answer(self._exchange(form), refreshed=False))
            raise OAuthError("unsupported_grant_type", "The grant type is not supported.")  # noqa: TRY301
        except OAuthError as error:
            return self.token_error(error)

    def check_client(self, request: web.Request, form: Mapping[str, str]) -> None:
        """Refuse a client that does not know its secret, told as a header or in the form."""
        given = form.get("client_id", ""), form.get("client_secret", "")
        if "Authorization" in request.headers:
            basic = BasicAuth.decode(request.headers["Authorization"])
            given = basic.login, basic.password
        if given != (CLIENT_ID, CLIENT_SECRET):
            raise OAuthError("invalid_client", "The client_id and/or client_secret passed are incorrect.", 401)

    def _exchange(self, form: Mapping[str, str]) -> Grant:
        login = self._codes.pop(form.get("code", ""), None)
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = login.query.get("code_challenge", "") if login else ""
        if (
            login is None
            or login.query["redirect_uri"] != form.get("redirect_uri")
            or (challenge and challenge != base64.urlsafe_b64encode(verifier).decode().rstrip("="))
        ):
            raise OAuthError("invalid_grant", "The code passed is incorrect or expired.")
        refresh_token = _new_refresh_token() if self.offline(login) else ""
        return self.new_grant(login.person, tuple(login.query.get("scope", "").split()), refresh_token=refresh_token)

    def _refresh(self, form: Mapping[str, str]) -> Grant:
        for old in self._grants:
            if old.refresh_token and old.refresh_token == form.get("refresh_token"):
                break
        else:
            raise OAuthError("invalid_grant", "The refresh token passed is incorrect or expired.")
        self._grants.remove(old)
        refresh_token = _new_refresh_token() if self.renews_refresh_tokens else old.refresh_token
        return self.new_grant(old.person, old.scopes, refresh_token=refresh_token)

    async def _revoke(self, request: web.Request) -> web.Response:
        """End a token (RFC 7009): a refresh token ends its grant; one that nobody knows is fine, too."""
        token = (await request.post()).get("token")
        for grant in self._grants:
            if token == grant.access_token:
                grant.expires_at = 0
            grant.other_tokens = {server: each for server, each in grant.other_tokens.items() if each != token}
        self._grants = [grant for grant in self._grants if token != grant.refresh_token]
        return web.json_response({})


def _new_refresh_token() -> str:
    return f"refresh-{secrets.token_urlsafe(16)}"
