"""Months that are made before somebody asks for them."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from hub_extensions.ledger import Ledger
from hub_extensions.ledger.counting import Counter
from hub_extensions.ledger.kept_figures import KeptFigures
from hub_extensions.services.usage.kept_months import OLDEST, MonthKeeper, month_of_people
from hub_extensions.services.usage.months import MonthOfPeople, read_month
from hub_extensions.sessions import Month
from hub_extensions.sums import Days, Scope
from hub_extensions.usage_service import UsageSettings

from ..ledger.made import at, made
from .seeded_hub import BERLIN

T = TypeVar("T")
OCTOBER = Month(2026, 10)
NOW = at(24 * 40)  # in November
SETTINGS = UsageSettings(
    database="sqlite://",
    service_users=("health",),
    time_zone="Europe/Berlin",
    reports={"without": {"users": ["Staff"], "groups": ["away:*"]}},
)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(f"sqlite:///{tmp_path}/usage.sqlite")
    ledger.migrate()
    people = ["ada", "lin", "grace", "health", "staff", "guest"]
    for number, name in enumerate(people * 7):
        groups = frozenset({"away:team"} if name == "guest" else {"ocean"})
        start = at(-200 + 27 * number)
        session = made(
            user_name=name, ready_at=start, community=["ocean", "reef"][number % 2], groups=groups,
            profile=["small", "large"][number % 3 == 0], memory_guarantee=3 * 2**30, cpu_guarantee=0.3,
        )  # fmt: skip
        ledger.open(session)
        ledger.close(session.id, start + timedelta(hours=0.1 * number), "stopped")
    Counter(ledger, "hub", BERLIN).count_up(NOW)
    yield ledger
    ledger.dispose()


class Asked:
    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    async def ask(self, read: Callable[[Ledger], T]) -> T:
        return read(self.ledger)


async def keep(ledger: Ledger, now: Any = NOW, **given: Any) -> int:
    return await MonthKeeper(Asked(ledger), SETTINGS, BERLIN, clock=lambda: now, **given).keep()


def shown(ledger: Ledger, community: str | None, month: Month = OCTOBER, now: Any = NOW) -> MonthOfPeople:
    return month_of_people(ledger, SETTINGS, BERLIN, month, now, community)


def read(ledger: Ledger, community: str | None, month: Month = OCTOBER) -> MonthOfPeople:
    only = None if community is None else frozenset({community})
    scope = Scope(communities=only, without=frozenset({"health", "Staff"}))
    return read_month(ledger, "hub", month, NOW.astimezone(BERLIN).date(), scope, 100, ("away:*",))


def late(ledger: Ledger) -> None:
    session = made(user_name="tim", community="reef", ready_at=at(50))
    ledger.open(session)
    ledger.close(session.id, at(52), "stopped")
    Counter(ledger, "hub", BERLIN).count_up(NOW)


async def test_what_is_kept_is_what_would_be_read(ledger: Ledger) -> None:
    assert await keep(ledger) == 3 * 3, "three months of the hub and of two communities"
    for community in (None, "ocean", "reef"):
        for month in (Month(2026, 9), Month(2026, 10), Month(2026, 11)):
            assert shown(ledger, community, month) == read(ledger, community, month)
            assert list(shown(ledger, community, month).by_profile) == list(read(ledger, community, month).by_profile)
    assert await keep(ledger) == 0, "all of it is there"


async def test_it_is_what_is_shown(ledger: Ledger) -> None:
    await keep(ledger)
    kept, day = KeptFigures(ledger, "hub"), Days.month(OCTOBER).start
    found = kept.read(day, "reef")
    assert found
    row, figures = found
    kept.write(day, "reef", kept.begin(day, "reef"), row.asked, {**figures, "last_30": 12345}, NOW)
    assert shown(ledger, "reef").last_30 == 12345


async def test_what_is_counted_late_is_shown_at_once_where_there_is_little_to_add_up(ledger: Ledger) -> None:
    await keep(ledger)
    late(ledger)
    assert shown(ledger, "reef").total.people == read(ledger, "reef").total.people


async def test_where_there_is_much_what_is_kept_is_shown_for_some_minutes_and_says_until_when(ledger: Ledger) -> None:
    await keep(ledger)
    kept, day = KeptFigures(ledger, "hub"), Days.month(OCTOBER).start
    found = kept.read(day, "reef")
    assert found
    row, figures = found
    kept.write(day, "reef", kept.begin(day, "reef"), row.asked, {**figures, "cells": 5000}, NOW)
    before = shown(ledger, "reef")
    late(ledger)
    assert shown(ledger, "reef", now=NOW + OLDEST / 2).total == before.total
    assert shown(ledger, "reef", now=NOW + OLDEST).total.people == before.total.people + 1


async def test_what_has_changed_is_made_anew_after_some_minutes(ledger: Ledger) -> None:
    await keep(ledger)
    late(ledger)
    assert await keep(ledger, NOW + timedelta(minutes=1)) == 0
    assert await keep(ledger, NOW + timedelta(minutes=4)) == 2 * 3, "October and November of the hub and communities"


async def test_one_call_makes_some_and_the_next_goes_on(ledger: Ledger) -> None:
    assert [await keep(ledger, seconds=0) for _ in range(10)] == [1] * 9 + [0]


async def test_other_people_left_out_are_other_figures(ledger: Ledger) -> None:
    await keep(ledger)
    everybody = UsageSettings(database="sqlite://", time_zone="Europe/Berlin")
    found = month_of_people(ledger, everybody, BERLIN, Month(2026, 10), NOW, None)
    assert found.total.people == 6
