"""Globus: OpenID Connect with one token for each service, and groups.

After https://docs.globus.org/api/auth/ and https://groups.api.globus.org. OAuthenticator finds it by its five URLs.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_DNS, uuid5

from aiohttp import web

from .provider import CLIENT_ID, CLIENT_SECRET, Authorization, Grant, Provider, bearer
from .server import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

GROUPS = "groups.api.globus.org"
SCOPE = "urn:globus:auth:scope:"


@dataclass
class Person:
    """An identity, `name@domain-of-the-identity-provider`, and its groups: id → status of the membership."""

    username: str
    email: str = ""
    groups: dict[str, str] = field(default_factory=dict)


def group_id(name: str) -> str:
    """A group's UUID."""
    return str(uuid5(NAMESPACE_DNS, name))


class Globus(Provider):
    """auth.globus.org and groups.api.globus.org at one address; all tokens hold for two days.

    A refresh token comes only with `access_type=offline`, and brings only the token of the service that it belongs to.
    """

    authorize_path = "/v2/oauth2/authorize"
    token_path = "/v2/oauth2/token"
    revoke_path = "/v2/oauth2/token/revoke"
    logout_path = "/v2/web/logout"
    returns_by = "redirect_uri"
    section = "GlobusOAuthenticator"
    token_lifetime = 172800

    def __init__(self, people: Iterable[Person] = ()) -> None:
        super().__init__()
        self.people = {person.username: person for person in people}

    @property
    def traits(self) -> dict[str, Any]:
        return {
            "authorize_url": f"{self.url}/v2/oauth2/authorize",
            "token_url": f"{self.url}/v2/oauth2/token",
            "userdata_url": f"{self.url}/v2/oauth2/userinfo",
            "revocation_url": f"{self.url}/v2/oauth2/token/revoke",
            "globus_groups_url": f"{self.url}/v2/groups/my_groups",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
        }

    def names(self) -> list[str]:
        return list(self.people)

    def endpoints(self) -> list[web.RouteDef]:
        return [web.get("/v2/oauth2/userinfo", self._userinfo), web.get("/v2/groups/my_groups", self._groups)]

    def offline(self, login: Authorization) -> bool:
        return login.query.get("access_type") == "offline"

    def unauthorized(self) -> RefusedError:
        return _refused(401, "UNAUTHORIZED", "Call must be authenticated")

    def other_tokens(self, scopes: tuple[str, ...]) -> dict[str, str]:
        """A token for each service that the scopes name beside Globus Auth, whose token is the grant's first one."""
        servers = {_server(scope) for scope in scopes} - {"auth.globus.org"}
        return {server: f"other-{secrets.token_urlsafe(16)}" for server in sorted(servers)}

    def token_answer(self, grant: Grant, *, refreshed: bool) -> dict[str, Any]:
        def token(server: str, access_token: str) -> dict[str, Any]:
            scopes = " ".join(scope for scope in grant.scopes if _server(scope) == server)
            return {**answer, "access_token": access_token, "scope": scopes, "resource_server": server}

        answer = super().token_answer(grant, refreshed=refreshed)
        first = token("auth.globus.org", grant.access_token)
        others = [] if refreshed else [token(server, each) for server, each in grant.other_tokens.items()]
        return {**first, "other_tokens": others, "id_token": self.id_token(self._claims(grant))}

    def _claims(self, grant: Grant) -> dict[str, Any]:
        person = self.people[grant.person]
        _, _, domain = person.username.partition("@")
        claims = {
            "sub": str(uuid5(NAMESPACE_DNS, person.username)),
            "preferred_username": person.username,
            "identity_provider": str(uuid5(NAMESPACE_DNS, domain)),
            "identity_provider_display_name": domain,
        }
        return {**claims, "email": person.email} if person.email and "email" in grant.scopes else claims

    async def _userinfo(self, request: web.Request) -> web.Response:
        grant = self.grant_of(request)
        if bearer(request) != grant.access_token:
            raise _refused(403, "FORBIDDEN", "Call must be made with a token for Globus Auth")
        return web.json_response(self._claims(grant))

    async def _groups(self, request: web.Request) -> web.Response:
        grant = self.grant_of(request)
        if bearer(request) != grant.other_tokens.get(GROUPS):
            raise _refused(403, "FORBIDDEN", "Call must be made with a token for Globus Groups")
        person = self.people[grant.person]
        wanted = request.query.get("statuses", "active").split(",")
        return web.json_response(
            [
                {
                    "id": each,
                    "name": f"group {each[:8]}",
                    "group_type": "regular",
                    "parent_id": None,
                    "my_memberships": [
                        {"group_id": each, "username": person.username, "role": "member", "status": status}
                    ],
                }
                for each, status in person.groups.items()
                if status in wanted
            ]
        )


def _server(scope: str) -> str:
    """The service that a scope is of: `urn:globus:auth:scope:SERVICE:NAME`; OpenID's own are of Globus Auth."""
    return scope.removeprefix(SCOPE).rpartition(":")[0] if scope.startswith(SCOPE) else "auth.globus.org"


def _refused(status: int, code: str, detail: str) -> RefusedError:
    error = {"status": str(status), "code": code, "detail": detail}
    return RefusedError(status, {"error": code.lower(), "error_description": detail, "errors": [error]})
