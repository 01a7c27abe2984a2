"""The short form of a user's name in the names of pods and volumes, where pods are what the hub starts."""

import sys


def slug_of(name: str) -> str:
    """Return how KubeSpawner shortens a name; the name itself on a hub that has loaded no spawner of pods.

    Not imported here: it takes a quarter of a second, of which a hub without pods would have nothing.
    """
    slugs = sys.modules.get("kubespawner.slugs")
    return slugs.safe_slug(name) if slugs else name
