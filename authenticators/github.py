"""Community-scoped login through GitHub."""

from oauthenticator.github import GitHubOAuthenticator

from .community import CommunityAuthenticator


class CommunityGitHubAuthenticator(CommunityAuthenticator, GitHubOAuthenticator):
    """GitHubOAuthenticator that admits communities. The entry point is `community-github`.

    Everything set for `c.GitHubOAuthenticator` holds here too. Private memberships need `read:org` in `scope`.
    """
