"""Old sessions become sums without names: the same sums, and nobody's names."""

import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from hub_extensions.keeping import Keeping
from hub_extensions.ledger import Ledger
from hub_extensions.ledger.cells import Cells
from hub_extensions.ledger.counting import Counter
from hub_extensions.ledger.month_figures import MonthFigures
from hub_extensions.ledger.past_months import LeftOut, NotKeptError, PastMonths
from hub_extensions.ledger.retention import Gone, Retention
from hub_extensions.ledger.tables import (
    DAY_CELLS,
    KIND_GROUPS,
    KINDS,
    MONTH_CELLS,
    PAST_MONTHS,
    PEOPLE,
    SESSION_GROUPS,
    SESSIONS,
    TOTALS,
    TOTALS_UNTIL,
)
from hub_extensions.ledger.totals import Totals
from hub_extensions.reports import Asked, Report, report
from hub_extensions.sessions import Month, Session
from hub_extensions.sums import EVERYBODY, Days, Dimension, Scope

from .made import made, wiped
from .test_cells import BERLIN, NAMES, UTC_ZONE, ZONES, assert_same, session_lists

NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)
YEAR = Keeping.parse("13 months")  # what was before October 2025 goes
FIRST_KEPT = date(2025, 10, 1)
DIMENSIONS: list[Dimension] = ["community", "group", "profile"]
COMBINATIONS = [by for count in range(4) for by in combinations(DIMENSIONS, count)]


@pytest.fixture
def ledger(shared: Ledger) -> Ledger:
    wiped(shared)
    return shared


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def session(user: str, start: str, end: str | None, **given: object) -> Session:
    ready_at, ended_at = moment(start), moment(end) if end else None
    return made(user_name=user, ready_at=ready_at, ended_at=ended_at, last_seen_at=ended_at or ready_at, **given)


def let_go(
    ledger: Ledger, keeping: Keeping = YEAR, zone: ZoneInfo = UTC_ZONE, hub: str = "hub", **given: object
) -> Gone:
    return Retention(ledger, hub, zone, batch=3).let_go(NOW, keeping, **given)  # type: ignore[arg-type]


def count(ledger: Ledger, table: object, hub: str | None = "hub") -> int:
    chosen = select(func.count()).select_from(table)  # type: ignore[arg-type]
    with ledger.engine.connect() as connection:
        return connection.scalar(chosen if hub is None else chosen.where(table.c.hub == hub)) or 0  # type: ignore[attr-defined]


OLD_AND_NEW = [
    session("ada", "2025-08-31T22:00:00", "2025-09-01T02:00:00", community="ocean", groups=frozenset({"a", "b"})),
    session("ada", "2025-09-01T01:00:00", "2025-09-01T03:00:00", server_name="gpu", profile="gpu", gpus=1),
    session("bo", "2025-09-15T00:00:00", "2025-09-15T06:00:00", community="ocean", groups=frozenset({"a"})),
    session("cy", "2025-09-30T20:00:00", "2025-10-01T04:00:00", community="ice", groups=frozenset({"b"})),
    session("ada", "2026-10-01T08:00:00", "2026-10-01T10:00:00", community="ocean", groups=frozenset({"a"})),
    session("di", "2025-09-20T00:00:00", None, community="ice"),
    session("ada", "2025-09-01T01:00:00", "2025-09-01T03:00:00", hub="other"),
]


@pytest.fixture
def filled(ledger: Ledger) -> Ledger:
    for each in OLD_AND_NEW:
        ledger.open(each)
    ledger.seen([each.id for each in OLD_AND_NEW if each.running], moment("2025-09-20T12:00:00"))
    Counter(ledger, "other", UTC_ZONE).count_up(NOW)
    return ledger


def test_a_month_that_is_old_enough_becomes_totals_and_its_sessions_go(filled: Ledger) -> None:
    Counter(filled, "hub", UTC_ZONE).count_up(NOW)
    september = Days.month(Month(2025, 9))
    before = {by: Cells(filled, "hub").by(september, by) for by in COMBINATIONS}
    assert before["community",]["ice",].people == 2
    assert let_go(filled) == Gone(months=2, sessions=3, people=1)
    totals = Totals(filled, "hub")
    assert {by: totals.by(september, by) for by in COMBINATIONS} == before
    assert PastMonths(filled, "hub").until() == FIRST_KEPT
    left = {(each.user_name, each.ready_at) for each in filled.sessions("hub", moment("2020-01-01"), NOW)}
    assert left == {
        ("cy", moment("2025-09-30T20:00:00")),  # ended in October
        ("ada", moment("2026-10-01T08:00:00")),
        ("di", moment("2025-09-20T00:00:00")),  # runs, as far as anybody knows
    }
    assert len(filled.sessions("other", moment("2020-01-01"), NOW)) == 1
    assert totals.total(Days.month(Month(2025, 8))).sessions == 1


def test_totals_know_no_names(filled: Ledger) -> None:
    let_go(filled)
    with filled.engine.connect() as connection:
        tables = [connection.execute(select(table)) for table in (TOTALS, PAST_MONTHS)]
        texts = {word for found in tables for row in found for value in row for word in re.findall(r"\w+", str(value))}
        people = set(connection.execute(select(PEOPLE.c.user_name).where(PEOPLE.c.hub == "hub")).scalars())
    assert not texts & {"ada", "bo", "cy", "di"}
    assert people == {"ada", "cy", "di"}


def test_letting_go_again_changes_nothing(filled: Ledger) -> None:
    let_go(filled)
    everything = {table: count(filled, table) for table in (SESSIONS, TOTALS, DAY_CELLS, MONTH_CELLS, PEOPLE, KINDS)}
    assert let_go(filled) == Gone()
    assert {table: count(filled, table) for table in everything} == everything


def test_what_is_kept_forever_stays(filled: Ledger) -> None:
    assert let_go(filled, Keeping.parse("forever")) == Gone()
    assert (count(filled, SESSIONS), count(filled, TOTALS)) == (6, 0)


def test_keeping_for_longer_brings_nothing_back_and_keeps_what_is_there(filled: Ledger) -> None:
    let_go(filled)
    assert let_go(filled, Keeping.parse("10 years")) == Gone()
    assert PastMonths(filled, "hub").until() == FIRST_KEPT
    assert Totals(filled, "hub").total(Days.month(Month(2025, 9))).people == 4


def test_a_session_over_the_end_of_the_month_goes_once_its_own_month_does(filled: Ledger) -> None:
    let_go(filled)
    october = Days.month(Month(2025, 10))
    before = Cells(filled, "hub").by(october, DIMENSIONS)
    assert Retention(filled, "hub", UTC_ZONE).let_go(NOW + timedelta(days=31), YEAR) == Gone(1, 1, 1)
    assert Totals(filled, "hub").by(october, DIMENSIONS) == before
    assert Totals(filled, "hub").total(Days.month(Month(2025, 9))).people == 4


def test_who_is_left_out_is_not_in_the_totals(filled: Ledger) -> None:
    staff = {Month(2025, 8): ["ADA"], Month(2025, 9): ["Ada", "nobody"]}
    assert Retention(filled, "hub", UTC_ZONE, left_out=staff.__getitem__).let_go(NOW, YEAR).months == 2
    totals = Totals(filled, "hub")
    assert totals.total(Days.month(Month(2025, 9))).people == 3
    assert totals.by(Days.month(Month(2025, 8)), ["community"]) == {}


def test_who_was_in_a_group_that_is_left_out_is_left_out_of_the_next_month_too(ledger: Ledger) -> None:
    for name, groups in (("op", {"staff"}), ("ada", {"ocean"})):
        ledger.open(session(name, "2025-09-10T00:00:00", "2025-09-10T01:00:00", groups=frozenset(groups)))
        for later in ("2025-10-10T0", "2025-11-10T0"):
            ledger.open(session(name, f"{later}0:00:00", f"{later}1:00:00", groups=frozenset({"ocean"})))
    Counter(ledger, "hub", UTC_ZONE).count_up(NOW)
    figures = MonthFigures(ledger, "hub")

    def left_out(month: Month) -> frozenset[str]:
        return figures.without(EVERYBODY, ["staff"], month).without

    assert left_out(Month(2025, 10)) == {"op"}
    retention = Retention(ledger, "hub", UTC_ZONE, left_out=left_out, without=LeftOut(groups=("st*",)))
    assert retention.let_go(NOW, YEAR).sessions == 2
    assert left_out(Month(2025, 10)) == {"op"}
    assert retention.let_go(NOW + timedelta(days=31), YEAR).sessions == 2
    assert Totals(ledger, "hub").total(Days.month(Month(2025, 10))).people == 1
    assert left_out(Month(2025, 11)) == set()


def test_months_begin_at_midnight_of_the_hubs_time_zone(ledger: Ledger) -> None:
    ledger.open(session("ada", "2025-09-30T22:00:00", "2025-09-30T23:00:00"))
    ledger.open(session("bo", "2025-09-30T21:00:00", "2025-09-30T21:59:59"))
    # Of those that ended in October, by as little as it can be.
    ledger.open(session("cy", "2025-09-30T21:00:00", "2025-09-30T22:00:00"))
    assert let_go(ledger, zone=BERLIN).sessions == 1
    assert {each.user_name for each in ledger.sessions("hub", moment("2020-01-01"), NOW)} == {"ada", "cy"}
    october = MonthFigures(ledger, "hub").read(Month(2025, 10), BERLIN, NOW)
    assert (october.ended, october.lengths.count) == (2, 2)


def test_days_of_another_time_zone_are_counted_anew_first(filled: Ledger) -> None:
    Counter(filled, "hub", BERLIN).count_up(NOW)
    assert let_go(filled).months == 2
    assert Totals(filled, "hub").total(Days.month(Month(2025, 8))).time == timedelta(hours=2)


def test_each_day_is_known_too(filled: Ledger) -> None:
    let_go(filled)
    totals, september = Totals(filled, "hub"), Days.month(Month(2025, 9))
    active = totals.active_per_day(september)
    assert (active[date(2025, 9, 1)], active[date(2025, 9, 20)], date(2025, 9, 2) in active) == (1, 1, False)
    assert totals.active_per_day(september, scope=Scope(communities=frozenset({"ocean"}))) == {
        date(2025, 9, 1): 1,
        date(2025, 9, 15): 1,
    }
    day = totals.total(Days.until(date(2025, 9, 1), 1))
    assert (day.sessions, day.time, day.alone) == (2, timedelta(hours=4), timedelta(hours=3))


def test_one_community_can_be_asked_for(filled: Ledger) -> None:
    Counter(filled, "hub", UTC_ZONE).count_up(NOW)
    september, ocean = Days.month(Month(2025, 9)), Scope(communities=frozenset({"ocean"}))
    expected = {by: Cells(filled, "hub").by(september, by, scope=ocean) for by in COMBINATIONS}
    let_go(filled)
    assert {by: Totals(filled, "hub").by(september, by, scope=ocean) for by in COMBINATIONS} == expected


SEPTEMBER = Days.month(Month(2025, 9))


@pytest.mark.parametrize(
    ("days", "by", "asked", "said"),
    [
        (SEPTEMBER, ["image"], {}, "nothing is known by image"),
        (SEPTEMBER, ["group"], {"attribution": "split"}, "only the whole of each group"),
        (SEPTEMBER, [], {"scope": Scope(users=frozenset({"ada"}))}, "without names"),
        (SEPTEMBER, [], {"scope": Scope(communities=frozenset({"a", "b"}))}, "one community is known at a time"),
        (Days(date(2025, 8, 1), date(2025, 10, 1)), [], {}, "each day and each month, not all together"),
        (Days(date(2025, 9, 1), date(2025, 9, 8)), [], {}, "each day and each month, not all together"),
    ],
)
def test_what_the_totals_cannot_tell_they_say(
    filled: Ledger, days: Days, by: list[Dimension], asked: dict[str, object], said: str
) -> None:
    with pytest.raises(NotKeptError, match=said):
        Totals(filled, "hub").by(days, by, **asked)  # type: ignore[arg-type]


# --- stopped at any moment, and beside others


class KilledError(Exception):
    """In the place of a kill: between two transactions, of which each is done or not."""


def is_gone(ledger: Ledger, month: Month) -> bool:
    return PastMonths(ledger, "hub").has(Days.month(month).start)


def reported(ledger: Ledger, month: Month, zone: ZoneInfo = UTC_ZONE, scope: Scope = EVERYBODY) -> Report:
    """The report of a month, with all tables of which something is known of old months, but for when and why."""
    by = (("group",), ("community", "profile"), ("community", "group"))
    asked = Asked("hub", "Hub", str(zone), month, by, "split", fewest=2)
    figures = MonthFigures(ledger, "hub").read(month, zone, NOW, scope=scope)
    gaps = tuple(gap for gap in figures.gaps if gap.kind != "not_kept")
    return report(asked, replace(figures, counted_until=None, gaps=gaps), NOW)


def read(ledger: Ledger, month: Month) -> list[object]:
    """What is told of a month, wherever it is kept."""
    days = Days.month(month)
    source: Cells | Totals = Totals(ledger, "hub") if is_gone(ledger, month) else Cells(ledger, "hub")
    ocean = Scope(communities=frozenset({"ocean"}))
    reports = [reported(ledger, month), reported(ledger, month, scope=ocean)]
    return [[source.by(days, by) for by in COMBINATIONS], source.active_per_day(days), reports]


MONTHS = [Month(2025, 8), Month(2025, 9), Month(2025, 10), Month(2025, 11), Month(2026, 10)]


def test_stopped_anywhere_reports_stay_right_and_the_next_run_ends_it(filled: Ledger) -> None:
    Counter(filled, "hub", UTC_ZONE).count_up(NOW)
    expected = [read(filled, month) for month in MONTHS]
    stops = 0
    while True:
        left = stops % 40  # steps that this run may make before it is killed

        def killed() -> bool:
            nonlocal left
            left -= 1
            if left < 0:
                raise KilledError
            return False

        stops += 1
        try:
            let_go(filled, stopped=killed)
        except KilledError:
            assert [read(filled, month) for month in MONTHS] == expected
        else:
            break
        assert stops < 200
    assert [read(filled, month) for month in MONTHS] == expected
    assert (count(filled, SESSIONS), count(filled, PEOPLE)) == (3, 3)
    assert stops > 30


def test_a_run_that_is_asked_to_stop_ends_and_leaves_the_rest(filled: Ledger) -> None:
    assert let_go(filled, stopped=lambda: True) == Gone()
    assert count(filled, SESSIONS) == 6


_PROCESS = """
import sys
from datetime import datetime
from zoneinfo import ZoneInfo
from hub_extensions.keeping import Keeping
from hub_extensions.ledger import Ledger
from hub_extensions.ledger.retention import Retention
print("ready", flush=True)
Retention(Ledger(sys.argv[1]), "hub", ZoneInfo("UTC"), batch=1).let_go(
    datetime.fromisoformat(sys.argv[2]), Keeping.parse("13 months")
)
"""


def test_a_process_that_is_killed_while_it_lets_go_leaves_everything_right(shared: Ledger) -> None:
    wiped(shared)
    for number in range(60):
        start = moment("2025-08-01T00:00:00") + timedelta(hours=11 * number)
        shared.open(
            made(
                user_name=NAMES[number % 9],
                server_name=str(number),
                ready_at=start,
                ended_at=start + timedelta(hours=9),
            )
        )
    Counter(shared, "hub", UTC_ZONE).count_up(NOW)
    expected = [read(shared, month) for month in MONTHS]
    for wait in (0.0, 0.1, 0.3, 0.5):
        url = shared.engine.url.render_as_string(hide_password=False)
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", _PROCESS, url, NOW.isoformat()], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        time.sleep(wait)
        process.kill()
        process.wait()
        assert [read(shared, month) for month in MONTHS] == expected
    let_go(shared)
    assert [read(shared, month) for month in MONTHS] == expected
    assert count(shared, SESSIONS) == 0


def test_two_processes_may_let_go_at_once(filled: Ledger) -> None:
    Counter(filled, "hub", UTC_ZONE).count_up(NOW)
    expected = [read(filled, month) for month in MONTHS]
    with ThreadPoolExecutor(3) as threads:
        gone = [each.result() for each in [threads.submit(let_go, filled) for _ in range(3)]]
    assert sum(each.sessions for each in gone) == 3
    assert [read(filled, month) for month in MONTHS] == expected


def test_what_is_counted_for_a_month_while_it_is_added_up_is_in_its_totals(filled: Ledger) -> None:
    calls = 0

    def late() -> bool:
        nonlocal calls
        calls += 1
        if calls == 40:  # days of August are written, and some of September
            filled.open(session("late", "2025-09-02T00:00:00", "2025-09-02T05:00:00"))
            Counter(filled, "hub", UTC_ZONE).count_up(NOW)
        return False

    let_go(filled, stopped=late)
    assert calls > 40
    assert Totals(filled, "hub").total(SEPTEMBER).people == 5
    assert Totals(filled, "hub").active_per_day(SEPTEMBER)[date(2025, 9, 2)] == 1


def test_a_month_with_sessions_that_are_not_counted_yet_waits(filled: Ledger) -> None:
    calls = 0

    def late() -> bool:
        nonlocal calls
        calls += 1
        if calls == 3:
            filled.open(session("late", "2025-08-30T00:00:00", "2025-08-30T05:00:00"))
        return False

    assert let_go(filled, stopped=late).months == 0
    assert count(filled, TOTALS_UNTIL) == 0
    assert let_go(filled).months == 2
    assert Totals(filled, "hub").total(Days.month(Month(2025, 8))).people == 2


# --- whatever the sessions were


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(sessions=session_lists(), zone=st.sampled_from(ZONES).map(ZoneInfo), months=st.integers(1, 3))
def test_totals_are_what_the_cells_said_and_what_is_kept_says_the_same(
    shared: Ledger, sessions: list[Session], zone: ZoneInfo, months: int
) -> None:
    wiped(shared)
    for each in sessions:
        shared.open(each)
    latest = max(each.ready_at for each in sessions if each.ready_at) + timedelta(days=50)
    now = min(latest, NOW)
    for hub in ("hub", "other"):
        Counter(shared, hub, zone).count_up(now)
    keeping = Keeping(months=months)
    first_kept = keeping.first_kept(now, zone)
    assert first_kept
    around = Month(first_kept.year, first_kept.month)
    expected = {
        (n, by): Cells(shared, "hub").by(Days.month(around.plus(n)), by) for n in range(-5, 4) for by in COMBINATIONS
    }
    scopes = [EVERYBODY, *(Scope(communities=frozenset({name})) for name in ("ocean", "ice"))]
    told = {(n, scope): reported(shared, around.plus(n), zone, scope) for n in range(-2, 3) for scope in scopes}
    # First a month less, so that the month that goes last is told with the one before it gone already.
    for fewer in (Keeping(months=months + 1), keeping):
        Retention(shared, "hub", zone, batch=4).let_go(now, fewer)
        assert {(n, scope): reported(shared, around.plus(n), zone, scope) for n, scope in told} == told
    for (n, by), sums in expected.items():
        month = around.plus(n)
        days = Days.month(month)
        found = (Totals if is_gone(shared, month) else Cells)(shared, "hub").by(days, by)
        assert found.keys() == sums.keys()
        for key, each in sums.items():
            assert_same(found[key], each)
    kept = {each.id for each in shared.sessions("hub", moment("2000-01-01"), moment("2100-01-01"))}
    assert kept >= {each.id for each in sessions if each.hub == "hub" and each.ended_at is None}
    assert len(shared.sessions("other", moment("2000-01-01"), moment("2100-01-01"))) == sum(
        each.hub == "other" for each in sessions
    )
    sessions_left, kinds_left = select(SESSIONS.c.id), select(KINDS.c.id)
    with shared.engine.connect() as connection:
        for table, orphans in (
            (SESSION_GROUPS, SESSION_GROUPS.c.session_id.not_in(sessions_left)),
            (KIND_GROUPS, KIND_GROUPS.c.kind_id.not_in(kinds_left)),
        ):
            assert connection.scalar(select(func.count()).select_from(table).where(orphans)) == 0
