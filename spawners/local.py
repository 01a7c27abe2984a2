"""Profiles for servers that are processes beside the hub, for trying out and for teaching on one machine."""

import os
from typing import Any

from jupyterhub.spawner import SimpleLocalProcessSpawner

from hub_extensions import catalogue
from hub_extensions.live_settings import LiveProfiles

from .profile_spawner import ProfileSpawner

# JupyterHub's traits that a process is only told of, in its environment.
_NOT_ENFORCED = ("mem_limit", "mem_guarantee", "cpu_limit", "cpu_guarantee")
_TOLD = "hub_extensions_local_told"  # key in the hub's settings


class ProfileLocalSpawner(ProfileSpawner, SimpleLocalProcessSpawner):
    """Starts servers as processes of the hub's own user, each in a home folder of its own.

    Profiles work as with ProfileKubeSpawner; what of them only Kubernetes can honour, such as an image, a limit of
    memory or a node selector, is logged as not applied. People are not kept apart from one another: whoever can start a
    server can read the files of the hub. The entry point is `profile-local`.
    """

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        if self.user and not self.user.settings.get(_TOLD):
            self.user.settings[_TOLD] = True
            ignored = self._not_applied()
            if ignored:
                self.log.warning(
                    "%s starts processes, and does not apply %s of the profiles.",
                    type(self).__name__,
                    ", ".join(ignored),
                )

    def _not_applied(self) -> list[str]:
        """The settings in overrides of the profiles that processes do without; none of profiles from a function."""
        listed = self.profile_list
        if isinstance(listed, LiveProfiles):
            known = listed().profiles
        else:
            placed, _ = catalogue.read_each([] if callable(listed) else listed, "profile_list")
            known = tuple(profile for _, profile in placed)
        names = {name for profile in known for part in profile.parts() for name in part.kubespawner_override}
        return sorted(name for name in names if name in _NOT_ENFORCED or not self.has_trait(name))

    def get_args(self) -> list[str]:
        """Allow the server to run as root when the hub does, as in a container."""
        arguments: list[str] = super().get_args()
        return [*arguments, "--allow-root"] if os.geteuid() == 0 else arguments
