"""Community-scoped login through Google."""

from oauthenticator.google import GoogleOAuthenticator

from .community import CommunityAuthenticator


class CommunityGoogleAuthenticator(CommunityAuthenticator, GoogleOAuthenticator):
    """GoogleOAuthenticator that admits communities. The entry point is `community-google`.

    Everything set for `c.GoogleOAuthenticator` holds here too; `hosted_domain` refuses all other organisations.
    """
