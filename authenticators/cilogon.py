"""Community-scoped login through CILogon, with the identity providers of universities and others behind it."""

from oauthenticator.cilogon import CILogonOAuthenticator

from .community import CommunityAuthenticator


class CommunityCILogonAuthenticator(CommunityAuthenticator, CILogonOAuthenticator):
    """CILogonOAuthenticator that admits communities. The entry point is `community-cilogon`.

    Everything set for `c.CILogonOAuthenticator` holds here too; `idps` says which identity providers may be used.
    """
