"""Community-scoped login through any OpenID Connect or OAuth 2 provider."""

from oauthenticator.generic import GenericOAuthenticator
from traitlets import Unicode

from .oauth import CommunityOAuthenticator


class CommunityOIDCAuthenticator(CommunityOAuthenticator, GenericOAuthenticator):
    """GenericOAuthenticator that admits communities. The entry point is `community-oidc`.

    Everything set for `c.GenericOAuthenticator` holds here too; `auth_state_groups_key` says where the provider's
    groups stand (default `oauth_user.groups`).
    """

    provider = Unicode("oidc")
