"""What the tests of spawners share."""

from ..browser import chromium, screenshots

__all__ = ["chromium", "screenshots"]
