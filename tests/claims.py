"""A login provider that says of its people whatever a test tells it to, well-formed or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

from .providers.provider import CLIENT_ID, CLIENT_SECRET, Authorization, Grant, Provider

if TYPE_CHECKING:
    from collections.abc import Mapping

Claims = dict[str, Any]


class ClaimsProvider(Provider):
    """An OpenID Connect provider; `people`: by a name for each, what it says of them. `scope` is what they grant.

    `section` is OAuthenticator's class that is to use it.
    """

    authorize_path, token_path = "/authorize", "/token"

    def __init__(self, people: Mapping[str, Claims], section: str = "GenericOAuthenticator") -> None:
        super().__init__()
        self.people = dict(people)
        self.section = section  # type: ignore[misc]  # of each, not of the class

    @property
    def traits(self) -> dict[str, Any]:
        return {
            "authorize_url": f"{self.url}/authorize",
            "token_url": f"{self.url}/token",
            "userdata_url": f"{self.url}/userinfo",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
        }

    def names(self) -> list[str]:
        return list(self.people)

    def endpoints(self) -> list[web.RouteDef]:
        return [web.get("/userinfo", self._userinfo)]

    def offline(self, login: Authorization) -> bool:
        return False

    def token_answer(self, grant: Grant, *, refreshed: bool) -> dict[str, Any]:
        granted = self.people[grant.person].get("scope", grant.scopes)
        return {**super().token_answer(grant, refreshed=refreshed), "scope": " ".join(granted)}

    async def _userinfo(self, request: web.Request) -> web.Response:
        person = self.grant_of(request).person
        claims = {name: value for name, value in self.people[person].items() if name != "scope"}
        return web.json_response({"sub": f"number of {person}", **claims})
