"""What every login provider has: OAuth 2 with PKCE, and tokens that end.

async with GitHub([Person("ada")], [Organization("ocean-lab", members={"ada"})]) as github:
    with github.failing(Failure("/user/*", status=502, times=1)):
        ...
    github.expire("ada")  # the access tokens
    github.revoke("ada")  # all tokens
    await github.stop()  # refuses connections, until `await github.start()`
    assert github.count("/user/teams") == 3
"""

from __future__ import annotations

import base64
import hashlib
import html
import math
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import jwt
from aiohttp import BasicAuth, web
from yarl import URL

from .server import Failure as Failure  # so that a test finds here all that it needs
from .server import RefusedError, Server

if TYPE_CHECKING:
    from collections.abc import Mapping

CLIENT_ID = "hub"
CLIENT_SECRET = "the secret that this hub shares with its provider"


@dataclass(eq=False)
class Grant:
    """What a person allowed the hub, with the tokens for it; `other_tokens` are for other servers, by their names."""

    person: str
    scopes: tuple[str, ...]
    access_token: str
    refresh_token: str
    expires_at: float
    other_tokens: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Authorization:
    """A login that has got its code, and not yet its token."""

    person: str
    query: Mapping[str, str]  # of the login page

    def fits(self, form: Mapping[str, str]) -> bool:
        """Whether the code comes from where it was sent to, and with the verifier of its challenge (RFC 7636, 4.6)."""
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = self.query.get("code_challenge")
        proven = challenge in {None, base64.urlsafe_b64encode(verifier).decode().rstrip("=")}
        return proven and self.query["redirect_uri"] == form.get("redirect_uri")


class OAuthError(Exception):
    """An error of the token endpoint (RFC 6749, 5.2)."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(error)
        self.error, self.description, self.status = error, description, status


class Provider(Server):
    """An OAuth 2 provider; a subclass adds its paths, its people and its own answers.

    A browser that has logged in is remembered by a cookie, and sent back without being asked, unless the hub's
    `prompt` says to ask. `logout_path` ends that, and leads to the address in the parameter that `returns_by` names.
    `logs_in` names someone who is logged in at the provider already, in any browser: then no page asks who comes.
    """

    authorize_path: ClassVar[str]
    token_path: ClassVar[str]
    revoke_path: ClassVar[str] = ""
    logout_path: ClassVar[str] = "/logout"
    returns_by: ClassVar[str] = ""
    section: ClassVar[str]  # of the hub's configuration: OAuthenticator's class
    token_lifetime: float = math.inf  # seconds
    renews_refresh_tokens = False  # a refresh then ends the refresh token that was used

    def __init__(self) -> None:
        super().__init__()
        self.logs_in = ""
        self._codes: dict[str, Authorization] = {}
        self._tokens: dict[str, Grant] = {}  # by each of its tokens

    # What a test asks and does.

    @property
    def traits(self) -> dict[str, Any]:
        """How OAuthenticator's class is told to use this provider: its traits in `section`."""
        raise NotImplementedError

    def names(self) -> list[str]:
        """Who has an account here."""
        raise NotImplementedError

    def grants(self, name: str) -> list[Grant]:
        """What this person has allowed and not revoked, oldest first."""
        return [grant for grant in dict.fromkeys(self._tokens.values()) if grant.person == name]

    def holds(self, token: str) -> bool:
        """Whether that token is still good for something."""
        grant = self._tokens.get(token)
        return grant is not None and (token == grant.refresh_token or grant.expires_at > time.monotonic())

    def expire(self, name: str) -> None:
        """End this person's access tokens, as their time would; refresh tokens hold."""
        for grant in self.grants(name):
            grant.expires_at = 0

    def revoke(self, name: str) -> None:
        """End all tokens of this person, as they may themselves in their settings."""
        self._tokens = {token: grant for token, grant in self._tokens.items() if grant.person != name}

    def new_grant(self, person: str, scopes: tuple[str, ...], *, refresh_token: str = "") -> Grant:
        """Make an access token; those that were made before hold on."""
        expires_at = time.monotonic() + self.token_lifetime
        grant = Grant(person, scopes, _token("access"), refresh_token, expires_at, self.other_tokens(scopes))
        for token in (grant.access_token, *filter(None, [refresh_token]), *grant.other_tokens.values()):
            self._tokens[token] = grant
        return grant

    # What a subclass answers.

    def endpoints(self) -> list[web.RouteDef]:
        """The endpoints beside those of OAuth."""
        raise NotImplementedError

    def offline(self, login: Authorization) -> bool:
        """Whether this login gets a refresh token."""
        raise NotImplementedError

    def other_tokens(self, scopes: tuple[str, ...]) -> dict[str, str]:
        """Further access tokens of a grant, by the server that they are for."""
        return {}

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

    # What subclasses use.

    def grant_of(self, request: web.Request) -> Grant:
        """What the call's access token was granted for."""
        token = bearer(request)
        grant = self._tokens.get(token)
        if grant is None or token == grant.refresh_token or not self.holds(token):
            raise self.unauthorized()
        return grant

    def asks_again(self, prompt: list[str]) -> bool:
        """Whether a login with this `prompt` asks who comes although the browser is known."""
        return bool({"login", "select_account"} & set(prompt))

    def id_token(self, claims: Mapping[str, Any]) -> str:
        """These claims, signed with the client's secret (OpenID Connect Core, 10.1)."""
        now = int(time.time())
        return jwt.encode({"iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + 600, **claims}, CLIENT_SECRET)

    # OAuth.

    def routes(self) -> list[web.RouteDef]:
        revoke = [web.post(self.revoke_path, self._revoke)] if self.revoke_path else []
        return [
            web.get(self.authorize_path, self._ask),
            web.post(self.authorize_path, self._decide),
            web.post(self.token_path, self._give),
            web.get(self.logout_path, self._end_session),
            *revoke,
            *self.endpoints(),
        ]

    def caller(self, request: web.Request) -> str:
        try:
            return self.grant_of(request).person
        except RefusedError:
            return ""

    async def _ask(self, request: web.Request) -> web.Response:
        """The provider's login page: a form that asks who comes."""
        remembered = self.logs_in or request.cookies.get(self._cookie, "")
        if remembered in self.names() and not self.asks_again(request.query.get("prompt", "").split()):
            raise self._back(request, remembered)
        buttons = "".join(
            f'<p><button name="sub" value="{html.escape(name)}">Log in as {html.escape(name)}</button></p>'
            for name in self.names()
        )
        page = f'<form method="post">{buttons}<button name="action" value="deny">Cancel</button></form>'
        return web.Response(text=page, content_type="text/html")

    async def _decide(self, request: web.Request) -> web.Response:
        form = await request.post()
        raise self._back(request, "" if form.get("action") == "deny" else str(form.get("sub")))

    def _back(self, request: web.Request, person: str) -> web.HTTPFound:
        """The way back to the hub, with a code for this person, or without when they cancelled."""
        asked = request.query
        if asked.get("client_id") != CLIENT_ID or asked.get("response_type") != "code":
            raise RefusedError(400, {"error": "unauthorized_client"})
        back = URL(asked["redirect_uri"]).update_query(state=asked["state"])
        if not person:
            words = "The user has denied your application access."
            return web.HTTPFound(back.update_query(error="access_denied", error_description=words))
        if person not in self.names():
            raise RefusedError(400, {"error": f"Nobody is called {person[:64]}"})
        code = _token("code")
        self._codes[code] = Authorization(person, dict(asked))
        found = web.HTTPFound(back.update_query(code=code))
        found.set_cookie(self._cookie, person, httponly=True, samesite="Lax")
        return found

    async def _end_session(self, request: web.Request) -> web.Response:
        leads_to = request.query.get(self.returns_by)
        page = web.Response(text="<title>Signed out</title><h1>Signed out</h1>", content_type="text/html")
        answer = web.HTTPFound(URL(leads_to)) if leads_to else page
        answer.del_cookie(self._cookie)
        if isinstance(answer, web.HTTPFound):
            raise answer
        return answer

    @property
    def _cookie(self) -> str:
        return f"{self.section}-session"  # cookies know no ports: each provider has a name of its own

    async def _give(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        refreshes = form.get("grant_type") == "refresh_token"
        try:
            _check_client(request, form)
            grant = self._refresh(form) if refreshes else self._exchange(form)
        except OAuthError as error:
            return self.token_error(error)
        return web.json_response(self.token_answer(grant, refreshed=refreshes))

    def _exchange(self, form: Mapping[str, str]) -> Grant:
        login = self._codes.pop(form.get("code", ""), None)
        if login is None or not login.fits(form):
            raise OAuthError("invalid_grant", "The code passed is incorrect or expired.")
        refresh_token = _token("refresh") if self.offline(login) else ""
        return self.new_grant(login.person, tuple(login.query.get("scope", "").split()), refresh_token=refresh_token)

    def _refresh(self, form: Mapping[str, str]) -> Grant:
        token = form.get("refresh_token", "")
        old = self._tokens.get(token)
        if old is None or old.refresh_token != token:
            raise OAuthError("invalid_grant", "The refresh token passed is incorrect or expired.")
        self._end(old)
        refresh_token = _token("refresh") if self.renews_refresh_tokens else token
        return self.new_grant(old.person, old.scopes, refresh_token=refresh_token)

    async def _revoke(self, request: web.Request) -> web.Response:
        """End a token (RFC 7009): a refresh token ends its grant; one that nobody knows is fine, too."""
        token = str((await request.post()).get("token", ""))
        grant = self._tokens.pop(token, None)
        if grant and token == grant.refresh_token:
            self._end(grant)
        return web.json_response({})

    def _end(self, ended: Grant) -> None:
        for token in (ended.access_token, ended.refresh_token, *ended.other_tokens.values()):
            self._tokens.pop(token, None)


def bearer(request: web.Request) -> str:
    """The access token that a call carries."""
    return request.headers.get("Authorization", "").partition(" ")[2]


def _token(kind: str) -> str:
    return f"{kind}-{secrets.token_urlsafe(16)}"


def _check_client(request: web.Request, form: Mapping[str, str]) -> None:
    """Refuse a client that does not know its secret, told as a header or in the form."""
    given = form.get("client_id", ""), form.get("client_secret", "")
    if "Authorization" in request.headers:
        basic = BasicAuth.decode(request.headers["Authorization"])
        given = basic.login, basic.password
    if given != (CLIENT_ID, CLIENT_SECRET):
        raise OAuthError("invalid_client", "The client_id and/or client_secret passed are incorrect.", 401)
