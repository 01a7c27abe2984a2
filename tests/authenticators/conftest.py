from ..browser import chromium, screenshots  # noqa: F401 - fixtures
