"""What the tests of services share."""

from ..browser import chromium, screenshots
from .seeded_hub import seeded

__all__ = ["chromium", "screenshots", "seeded"]
