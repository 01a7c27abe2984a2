"""Profiles for servers that are pods."""

from typing import Any

from kubespawner import KubeSpawner

from .profile_spawner import ProfileSpawner


class ProfileKubeSpawner(ProfileSpawner, KubeSpawner):
    """KubeSpawner whose profiles are scoped by group and checked in one place.

    Everything set for `c.KubeSpawner` holds here too. The entry point is `profile-kube`.
    """

    async def progress(self) -> Any:
        """Events of the pod in words; the raw events, which name nodes and addresses, do not reach the browser."""
        async for event in super().progress():
            event.pop("raw_event", None)
            yield event
