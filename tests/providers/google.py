"""Google: OpenID Connect with accounts of anyone, and of organisations (Workspace).

After https://developers.google.com/identity/openid-connect/openid-connect. OAuthenticator finds it by `authorize_url`
and `google_api_url`. Not here: Google groups, which OAuthenticator always asks www.googleapis.com for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zlib import crc32

from aiohttp import web

from .provider import CLIENT_ID, CLIENT_SECRET, Authorization, Grant, OAuthError, Provider
from .server import Failure, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass
class Person:
    """An account; `hosted_domain` is the organisation that manages it, whatever the domain of the e-mail address."""

    email: str
    hosted_domain: str = ""
    verified: bool = True


def rate_limit() -> Failure:
    """Too many calls of this project."""
    return Failure("/oauth2/*", 429, _error(429, "Quota exceeded for quota metric", "RESOURCE_EXHAUSTED"))


class Google(Provider):
    """accounts.google.com and www.googleapis.com at one address; access tokens hold for an hour.

    A refresh token comes only with `access_type=offline`, and only when the person is asked for consent: the first
    time, and with `prompt=consent`.
    """

    authorize_path = "/o/oauth2/v2/auth"
    token_path = "/oauth2/v4/token"
    revoke_path = "/revoke"
    logout_path = "/Logout"
    section = "GoogleOAuthenticator"
    token_lifetime = 3599

    def __init__(self, people: Iterable[Person] = ()) -> None:
        super().__init__()
        self.people = {person.email: person for person in people}

    @property
    def traits(self) -> dict[str, Any]:
        return {
            "authorize_url": f"{self.url}/o/oauth2/v2/auth",
            "google_api_url": self.url,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
        }

    def names(self) -> list[str]:
        return list(self.people)

    def endpoints(self) -> list[web.RouteDef]:
        return [web.get("/oauth2/v1/userinfo", self._userinfo)]

    def asks_again(self, prompt: list[str]) -> bool:
        return "select_account" in prompt

    def offline(self, login: Authorization) -> bool:
        has_one = any(grant.refresh_token for grant in self.grants(login.person))
        consents = not has_one or "consent" in login.query.get("prompt", "").split()
        return login.query.get("access_type") == "offline" and consents

    def unauthorized(self) -> RefusedError:
        message = "Request had invalid authentication credentials. Expected OAuth 2 access token."
        return RefusedError(401, _error(401, message, "UNAUTHENTICATED"))

    def token_error(self, error: OAuthError) -> web.Response:
        if "refresh token" in error.description:
            error.description = "Token has been expired or revoked."
        return super().token_error(error)

    def token_answer(self, grant: Grant, *, refreshed: bool) -> dict[str, Any]:
        person = self.people[grant.person]
        claims = {"sub": _number(person), "email": person.email, "email_verified": person.verified}
        if person.hosted_domain:
            claims["hd"] = person.hosted_domain
        return {**super().token_answer(grant, refreshed=refreshed), "id_token": self.id_token(claims)}

    async def _userinfo(self, request: web.Request) -> web.Response:
        grant = self.grant_of(request)
        person = self.people[grant.person]
        told: dict[str, Any] = {"id": _number(person)}
        if "email" in grant.scopes:
            told |= {"email": person.email, "verified_email": person.verified}
        if person.hosted_domain:
            told["hd"] = person.hosted_domain
        return web.json_response(told)


def _number(person: Person) -> str:
    return str(10**20 + crc32(person.email.encode()))


def _error(status: int, message: str, name: str) -> dict[str, Any]:
    return {"error": {"code": status, "message": message, "status": name}}
