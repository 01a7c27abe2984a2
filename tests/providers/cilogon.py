"""CILogon: one OpenID Connect provider before thousands of universities' identity providers.

After https://www.cilogon.org/oidc. OAuthenticator finds it by `authorize_url`, `token_url` and `userdata_url`: its
`cilogon_host` would mean HTTPS.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from zlib import crc32

from aiohttp import web

from .provider import CLIENT_ID, CLIENT_SECRET, Authorization, Grant, Provider

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

UNIVERSITY = "https://idp.example.edu/idp/shibboleth"
GOOGLE = "http://google.com/accounts/o8/id"
GITHUB = "http://github.com/login/oauth/authorize"
ORCID = "http://orcid.org/oauth/authorize"

SCOPES = {"email": "email", "name": "profile", "given_name": "profile", "family_name": "profile"}


@dataclass
class Person:
    """Someone at one identity provider; `claims` are what that says of them: eppn, eptid, email, affiliation, oidc, …

    With another identity provider it is another account, of another `sub`, whatever the e-mail address is. A claim that
    the identity provider does not release is not there at all, it is never empty. `idp` itself may be missing: "".
    """

    name: str
    idp: str = UNIVERSITY
    idp_name: str = "Example University"
    claims: Mapping[str, Any] = field(default_factory=dict)


class CILogon(Provider):
    """cilogon.org. The access tokens hold for 15 minutes; a client that is registered for it gets refresh tokens."""

    authorize_path = "/authorize"
    token_path = "/oauth2/token"
    revoke_path = "/oauth2/revoke"
    logout_path = "/logout/"
    section = "CILogonOAuthenticator"
    token_lifetime = 900
    renews_refresh_tokens = True

    def __init__(self, people: Iterable[Person] = (), *, gives_refresh_tokens: bool = True) -> None:
        super().__init__()
        self.people = {person.name: person for person in people}
        self.gives_refresh_tokens = gives_refresh_tokens

    @property
    def traits(self) -> dict[str, Any]:
        return {
            "authorize_url": f"{self.url}/authorize",
            "token_url": f"{self.url}/oauth2/token",
            "userdata_url": f"{self.url}/oauth2/userinfo",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
        }

    def names(self) -> list[str]:
        return list(self.people)

    def endpoints(self) -> list[web.RouteDef]:
        return [web.get("/oauth2/userinfo", self._userinfo)]

    def offline(self, login: Authorization) -> bool:
        return self.gives_refresh_tokens

    def token_answer(self, grant: Grant, *, refreshed: bool) -> dict[str, Any]:
        return {**super().token_answer(grant, refreshed=refreshed), "id_token": self.id_token(self.claims(grant))}

    def claims(self, grant: Grant) -> dict[str, Any]:
        """What the granted scopes tell of a person; the identity provider is told with `org.cilogon.userinfo`."""
        person = self.people[grant.person]
        claims = {"idp": person.idp, "idp_name": person.idp_name, **person.claims}
        told = {
            name: value
            for name, value in claims.items()
            if value and SCOPES.get(name, "org.cilogon.userinfo") in grant.scopes
        }
        number = crc32(f"{person.idp} {person.name}".encode())
        return {"sub": f"http://cilogon.org/serverA/users/{number}", **told}

    async def _userinfo(self, request: web.Request) -> web.Response:
        return web.json_response(self.claims(self.grant_of(request)))
