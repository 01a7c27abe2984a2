"""The short form of a user's name in the names of pods and volumes, where pods are what the hub starts."""

try:
    from kubespawner.slugs import safe_slug as slug_of
except ImportError:  # the extra `kube` is not installed: no name is shortened

    def slug_of(name: str) -> str:
        """Return the name itself."""
        return name


__all__ = ["slug_of"]
