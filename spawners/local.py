"""Profiles for servers that are processes beside the hub, for trying out and for teaching on one machine."""

import os

from jupyterhub.spawner import SimpleLocalProcessSpawner

from .profile_spawner import ProfileSpawner


class ProfileLocalSpawner(ProfileSpawner, SimpleLocalProcessSpawner):
    """Starts servers as processes of the hub's own user, each in a home folder of its own.

    Profiles work as with ProfileKubeSpawner; what of them only Kubernetes can honour, such as an image or a node
    selector, is logged as not applied. People are not kept apart from one another: whoever can start a server can read
    the files of the hub. The entry point is `profile-local`.
    """

    def get_args(self) -> list[str]:
        """Allow the server to run as root when the hub does, as in a container."""
        arguments: list[str] = super().get_args()
        return [*arguments, "--allow-root"] if os.geteuid() == 0 else arguments
