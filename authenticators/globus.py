"""Community-scoped login through Globus."""

from oauthenticator.globus import GlobusOAuthenticator
from traitlets import default

from .community import CommunityAuthenticator

GROUPS_SCOPE = "urn:globus:auth:scope:groups.api.globus.org:view_my_groups_and_memberships"


class CommunityGlobusAuthenticator(CommunityAuthenticator, GlobusOAuthenticator):
    """GlobusOAuthenticator that admits communities. The entry point is `community-globus`.

    Everything set for `c.GlobusOAuthenticator` holds here too; `identity_provider` refuses accounts of any other one.
    """

    @default("scope")
    def _scope_for_groups(self) -> list[str]:
        """The stock scope, and groups: `manage_groups` makes OAuthenticator ask for them, without the right to."""
        scope: list[str] = super()._scope_default()
        return scope if GROUPS_SCOPE in scope or not self.manage_groups else [*scope, GROUPS_SCOPE]
