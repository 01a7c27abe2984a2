"""Sessions from elsewhere come into the ledger once, all or none, beside nothing that is there."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import SQLAlchemyError

from hub_extensions.end_reasons import EndReason
from hub_extensions.imports import SessionKeys
from hub_extensions.keeping import Keeping
from hub_extensions.ledger import Ledger
from hub_extensions.ledger.cells import Cells
from hub_extensions.ledger.counting import Counter
from hub_extensions.ledger.importing import Imported, add
from hub_extensions.ledger.retention import Retention
from hub_extensions.sessions import Month, Session
from hub_extensions.sums import Days

from .made import at, made, wiped

KEYS = SessionKeys("hub", datetime(2026, 12, 1, tzinfo=UTC))
UTC_ZONE = ZoneInfo("UTC")


def past(start: float, end: float, user: str = "ada", server: str = "", **given: object) -> Session:
    return KEYS.session(user, server, at(start), **{"ended_at": at(end), "end_reason": "stopped", **given})


def times(ledger: Ledger) -> list[tuple[str, str, datetime, datetime | None]]:
    found = ledger.sessions("hub", at(-10_000), at(10_000))
    return sorted((s.user_name, s.server_name, s.ready_at, s.ended_at) for s in found if s.ready_at)


def test_a_session_comes_in_whole_and_is_counted(ledger: Ledger) -> None:
    session = past(
        1, 3, "bo", "gpu", community="ocean", profile="p", image="i", choices={"size": "l"}, memory_guarantee=2**31,
        cpu_guarantee=0.5, gpus=1, groups=frozenset({"a", "b"}), requested_at=at(0.9),
    )  # fmt: skip
    assert add(ledger, "hub", [session]).added == 1
    assert ledger.sessions("hub", at(0), at(9)) == [replace(session, last_seen_at=at(3))]
    Counter(ledger, "hub", UTC_ZONE).count_up(at(9))
    sums = Cells(ledger, "hub").total(Days.month(Month(2026, 10)))
    assert (sums.people, sums.time, sums.gib_hours) == (1, timedelta(hours=2), 4)


def test_twice_adds_nothing(ledger: Ledger) -> None:
    sessions = [past(hour, hour + 0.5, user) for hour in range(20) for user in ("ada", "bo")]
    assert add(ledger, "hub", sessions).added == 40
    before = times(ledger)
    assert add(ledger, "hub", reversed(sessions)) == Imported(known=40)
    assert add(ledger, "hub", sessions + sessions) == Imported(known=80)
    assert times(ledger) == before


@pytest.mark.parametrize(
    ("start", "end"),
    [(1, 2), (0, 9), (1.5, 9), (0, 1.5), (1.2, 1.3), (0.99, 1), (1.01, 1.01), (1.99, 3)],
)
def test_beside_a_session_of_the_same_server_none_is_added(ledger: Ledger, start: float, end: float) -> None:
    there = made(ready_at=at(1), ended_at=at(2))
    ledger.open(there)
    session = past(start, end)
    assert add(ledger, "hub", [session]) == Imported(overlapping=[session])
    assert len(times(ledger)) == 1


def test_what_touches_a_session_or_is_of_another_server_is_added(ledger: Ledger) -> None:
    ledger.open(made(ready_at=at(1), ended_at=at(2)))
    others = [past(0, 1), past(2, 3), past(1, 2, server="gpu"), past(1, 2, "Ada"), past(1, 2, "ad"), past(1, 2, "adam")]
    assert add(ledger, "hub", others).added == 6


def test_a_session_that_runs_is_there_until_it_ends(ledger: Ledger) -> None:
    ledger.open(made(ready_at=at(1)))
    late, early = past(100, 101), past(0, 0.5)
    assert add(ledger, "hub", [late, early]) == Imported(added=1, overlapping=[late])


def test_of_two_that_overlap_in_the_files_one_comes_in(ledger: Ledger) -> None:
    first, second, third = past(1, 3), past(2, 4), past(3.5, 5)
    assert add(ledger, "hub", [third, second, first]) == Imported(added=2, overlapping=[second])
    assert add(ledger, "hub", [third, second, first]) == Imported(known=2, overlapping=[second])


def test_a_session_of_another_hub_is_no_obstacle(ledger: Ledger) -> None:
    ledger.open(made(hub="other", ready_at=at(1), ended_at=at(2)))
    assert add(ledger, "hub", [past(1, 2)]).added == 1


def test_an_end_that_is_found_later_is_put_in(ledger: Ledger) -> None:
    counter = Counter(ledger, "hub", UTC_ZONE)
    unended = past(1, 1, end_reason=EndReason.HUB_AWAY)
    assert add(ledger, "hub", [unended]).added == 1
    counter.count_up(at(9))
    assert add(ledger, "hub", [past(1, 4)]) == Imported(completed=1)
    counter.count_up(at(9))
    assert Cells(ledger, "hub").total(Days.month(Month(2026, 10))).time == timedelta(hours=3)
    assert add(ledger, "hub", [past(1, 4), unended]) == Imported(known=2)
    assert [each.end_reason for each in ledger.sessions("hub", at(0), at(9))] == ["stopped"]


def test_an_end_that_would_reach_over_another_session_is_not_put_in(ledger: Ledger) -> None:
    add(ledger, "hub", [past(1, 1, end_reason=EndReason.HUB_AWAY), past(2, 3)])
    longer = past(1, 2.5)
    assert add(ledger, "hub", [longer]) == Imported(overlapping=[longer])


def test_a_dry_run_tells_the_same_and_writes_nothing(ledger: Ledger) -> None:
    ledger.open(made(ready_at=at(1), ended_at=at(2)))
    sessions = [past(1, 2), past(5, 6), past(5, 6, "bo")]
    would = add(ledger, "hub", sessions, dry_run=True)
    assert len(times(ledger)) == 1
    assert add(ledger, "hub", sessions) == would


def test_a_failure_leaves_nothing_half_done(ledger: Ledger) -> None:
    good = [past(n, n + 0.5, f"user{n}") for n in range(300)]
    bad = past(1, 2, "zoe", memory_guarantee=2**80)  # sorts last; no database has room for it
    with pytest.raises((SQLAlchemyError, OverflowError)):
        add(ledger, "hub", [*good, bad])
    assert times(ledger) == []
    assert add(ledger, "hub", good).added == 300


def test_a_database_that_takes_no_writes_is_given_up_in_time(
    ledger: Ledger, url: str, blocked: Callable[[], AbstractContextManager[None]]
) -> None:
    impatient = Ledger(url, timeout=0.2)
    with blocked(), pytest.raises(SQLAlchemyError):
        add(impatient, "hub", [past(1, 2)])
    impatient.dispose()
    assert times(ledger) == []


def test_what_is_older_than_all_that_is_kept_stays_out(ledger: Ledger) -> None:
    now = at(24 * 90)
    sessions = [past(1, 2), past(24 * 30, 24 * 32), past(24 * 60, 24 * 61)]
    add(ledger, "hub", sessions)
    Retention(ledger, "hub", UTC_ZONE).let_go(now, Keeping.parse("1 month"))
    # The one over midnight of the month's end is kept, and so known.
    assert len(times(ledger)) == 2
    more = [past(3, 4), past(24 * 31 - 1, 24 * 31 + 1, "bo")]
    assert add(ledger, "hub", [*sessions, *more]) == Imported(added=1, known=2, too_old=2)


def test_it_is_told_how_many_are_done(ledger: Ledger) -> None:
    told: list[int] = []
    add(ledger, "hub", [past(n, n + 0.5, f"user{n % 450}") for n in range(900)], progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 900
    assert len(told) == 3


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    spans=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 12), st.sampled_from(["", "gpu"])), max_size=12),
    cuts=st.lists(st.integers(0, 12), max_size=3),
)
def test_however_it_is_cut_into_files_no_server_runs_twice_at_once(
    ledger: Ledger, spans: list[tuple[int, int, str]], cuts: list[int]
) -> None:
    wiped(ledger)
    sessions = [past(start, start + length, server=server) for start, length, server in spans]
    edges = [0, *sorted(cuts), len(sessions)]
    for _ in range(2):
        for begin, end in pairwise(edges):
            add(ledger, "hub", sessions[begin:end])
    found = times(ledger)
    for server in ("", "gpu"):
        mine = [(start, end) for _, name, start, end in found if name == server]
        assert all(one[1] and one[1] <= other[0] for one, other in pairwise(mine))
    # And what was left out has something in its way.
    for each in sessions:
        mine = [(start, end) for _, name, start, end in found if name == each.server_name]
        assert any(_meet(each, start, end) for start, end in mine)


def _meet(session: Session, start: datetime, end: datetime | None) -> bool:
    assert session.ready_at
    assert session.ended_at
    assert end
    return session.ready_at == start or (start < session.ended_at and session.ready_at < end)
