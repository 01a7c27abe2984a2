"""How files of tests are shared out among processes: those that take long come first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

# A process that starts one of these last would work on when all others have ended.
LONGEST_FIRST = (
    "tests/examples/test_laptop.py",
    "tests/kube/test_pod_features.py",
    "tests/spawners/test_doors.py",
    "tests/services/test_heartbeat.py",
    "tests/services/test_usage.py",
    "tests/services/test_api.py",
    "tests/share/test_image_building.py",
    "tests/ledger/test_retention.py",
    "tests/ledger/test_cells.py",
    "tests/test_leads.py",
    "tests/services/test_usage_in_a_browser.py",
    "tests/test_corpus_logins.py",
    "tests/authenticators/test_refresh.py",
    "tests/share/test_login_pages.py",
    "tests/share/test_pages_in_a_browser.py",
    "tests/test_wiring_properties.py",
)


def longest_first(items: list[pytest.Item], root: Path) -> None:
    """Sort what was collected; what is not known to take long keeps its place behind what is."""
    missing = [unit for unit in LONGEST_FIRST if not (root / unit).exists()]
    if missing:
        raise FileNotFoundError(f"{Path(__file__).name} names tests that are not there: {', '.join(missing)}")
    ranks = {unit: rank for rank, unit in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: ranks.get(item.nodeid.partition("::")[0], len(ranks)))
