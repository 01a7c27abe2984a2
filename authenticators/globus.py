"""Community-scoped login through Globus, behind which are the identity providers of many institutions."""

from collections.abc import Mapping
from typing import Any

from oauthenticator.globus import GlobusOAuthenticator
from traitlets import Unicode, default

from hub_extensions import identities

from .oauth import CommunityOAuthenticator

_GROUPS_SERVER = "groups.api.globus.org"
_LOGOUT = "https://auth.globus.org/v2/web/logout?client={client_id}&redirect_uri={return_url}&redirect_name=JupyterHub"
_SEE_GROUPS = f"urn:globus:auth:scope:{_GROUPS_SERVER}:view_my_groups_and_memberships"


class CommunityGlobusAuthenticator(CommunityOAuthenticator, GlobusOAuthenticator):
    """GlobusOAuthenticator that admits communities. The entry point is `community-globus`.

    Everything set for `c.GlobusOAuthenticator` holds here too. Groups are the UUIDs of the person's Globus groups; an
    `idp` is the UUID of an identity provider.
    """

    provider = Unicode("globus")

    @default("auth_state_groups_key")
    def _groups_key_default(self) -> str:
        return "globus_groups"

    @default("provider_logout_url")
    def _provider_logout_url_default(self) -> str:
        return _LOGOUT

    @default("scope")
    def _scope_with_groups(self) -> list[str]:
        scopes = self._scope_default()
        return [*scopes, *({_SEE_GROUPS, "email"} - set(scopes))]

    def idp_of(self, claims: Mapping[str, Any]) -> str:
        """The UUID of the institution's identity provider."""
        return identities.text_of(claims.get("identity_provider"))

    def has_verified_email(self, claims: Mapping[str, Any]) -> bool:
        """Whether an identity provider says so: rules name the one whose word counts for a domain."""
        return bool(self.idp_of(claims))

    async def _fetch_users_groups(self, tokens: Any) -> set[str]:
        # GlobusOAuthenticator fails if an operator's own `scope` does not ask for groups.
        if not any(token.get("resource_server") == _GROUPS_SERVER for token in tokens):
            return set()
        return set(await super()._fetch_users_groups(tokens))
