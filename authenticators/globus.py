"""Community-scoped login through Globus."""

from oauthenticator.globus import GlobusOAuthenticator

from .community import CommunityAuthenticator


class CommunityGlobusAuthenticator(CommunityAuthenticator, GlobusOAuthenticator):
    """GlobusOAuthenticator that admits communities. The entry point is `community-globus`.

    Everything set for `c.GlobusOAuthenticator` holds here too; `identity_provider` refuses accounts of any other one.
    """
