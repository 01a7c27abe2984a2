"""Which class of ours takes the place of a stock one: a subclass of it, so that all that is set for it holds."""

from typing import Any

from ..spawner_traits import class_of

_SPAWNERS = {"kubespawner.spawner.KubeSpawner": "profile-kube"}
_AUTHENTICATORS = {
    "oauthenticator.cilogon.CILogonOAuthenticator": "community-cilogon",
    "oauthenticator.generic.GenericOAuthenticator": "community-oidc",
    "oauthenticator.github.GitHubOAuthenticator": "community-github",
    "oauthenticator.globus.GlobusOAuthenticator": "community-globus",
    "oauthenticator.google.GoogleOAuthenticator": "community-google",
}


def our_spawner(named: Any) -> str:
    """The entry point of our spawner for a stock one, however that is named; "" for any other."""
    return _SPAWNERS.get(_path_of(named, "jupyterhub.spawners"), "")


def our_authenticator(named: Any) -> str:
    """The entry point of our authenticator for a stock one, however that is named; "" for any other."""
    return _AUTHENTICATORS.get(_path_of(named, "jupyterhub.authenticators"), "")


def _path_of(named: Any, group: str) -> str:
    cls = class_of(named, group)
    return f"{cls.__module__}.{cls.__qualname__}" if cls else ""
