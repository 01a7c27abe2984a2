"""A running hub whose ledger holds a month of several communities' sessions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from hub_extensions.ledger import Ledger
from hub_extensions.ledger.counting import Counter
from hub_extensions.sessions import GIB, HOUR, Month

from ..ledger.made import made
from .process_hub import Hub, run_hub

if TYPE_CHECKING:
    from collections.abc import Iterator

PEOPLE = {
    "ada": ["ocean-lab"],
    "ada2": ["ocean-lab"],
    "bo": ["ocean-lab", "ice-lab"],
    "lin": ["ocean-lab", "ocean-lab:leads"],
    "ines": ["ice-lab", "ice-lab:leads", "ocean-lab"],
    "both": ["ice-lab:leads", "ocean-lab:leads"],
    "cy": ["ice-lab"],
    "root": [],
    "zoe": ["reporters"],
    "tui": ["tutors"],
    "<b>mallory</b>": ["ocean-lab"],
}
QUOTAS = [
    {"groups": ["ocean-*"], "resource": "hours", "limit": "100 hours", "window": "7 days"},
    {"users": ["bo"], "resource": "memory", "limit": "25 GiB-hours", "window": "90 days"},
    {"communities": ["ice-lab"], "resource": "cpu", "limit": "0.5 CPU-hours", "window": "month"},
    {"users": ["tui"], "resource": "cpu", "limit": "1 CPU-hour", "window": "day"},
]
BERLIN = ZoneInfo("Europe/Berlin")


@dataclass(frozen=True)
class Seeded:
    """A running hub and what its ledger was filled with."""

    hub: Hub
    url: str


def last_month() -> Month:
    return Month.of(datetime.now(UTC), BERLIN).plus(-1)


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    folder = tmp_path_factory.mktemp("hub")
    url = f"sqlite:///{folder}/usage.sqlite"
    people = {name: {"groups": groups, "admin": name == "root"} for name, groups in PEOPLE.items()}
    with run_hub(folder, people, base_url="/deep/hub-a/", database=url, quotas=QUOTAS) as hub:
        fill(Ledger(url))
        yield Seeded(hub, url)


def fill(ledger: Ledger) -> None:
    """Fill last month, so that numbers do not depend on the day on which the tests run."""
    ledger.migrate()
    start = last_month().window(BERLIN).start
    rows = [
        ("ada", "ocean-lab", "Ocean analysis", -2, 5, {"size": "large"}),  # begins before the month: 5 hours of it
        ("ada", "ocean-lab", "Ocean small", 10, 12, {}),
        ("ada2", "ocean-lab", "Ocean analysis", 20, 21, {}),
        ("bo", "ocean-lab", "Ocean small", 30, 34, {}),
        ("bo", "ice-lab", "Ice sheets", 40, 48, {}),
        ("ada", "ice-lab", "Ice secret", 50, 51, {}),
        ("<b>mallory</b>", "ocean-lab", "<script>alert(1)</script>", 60, 61, {"<i>": "&amp;"}),
        ("eve", "", "None of a community", 70, 80, {}),
    ]
    for user, community, profile, begin, end, choices in rows:
        session = made(
            user_name=user, community=community, profile=profile, choices=choices, ready_at=start + begin * HOUR,
            memory_guarantee=2 * GIB, groups=frozenset(PEOPLE.get(user, [])),
        )  # fmt: skip
        ledger.open(session)
        ledger.close(session.id, start + end * HOUR, "stopped")
    ledger.open(made(user_name="ada", community="ocean-lab", profile="Running now", ready_at=datetime.now(UTC) - HOUR))
    ledger.open(made(user_name="ada", hub="other", profile="Of another hub", ready_at=datetime.now(UTC) - HOUR))
    Counter(ledger, "hub", BERLIN).count_up(datetime.now(UTC))
