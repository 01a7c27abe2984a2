from ..browser import chromium, screenshots  # noqa: F401 - fixtures
from ..ledger.conftest import postgres  # noqa: F401 - fixture
