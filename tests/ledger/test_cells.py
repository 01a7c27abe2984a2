"""What cells say is what counting all sessions by hand says, whatever happened to them in whatever order."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from hub_extensions.ledger import Ledger
from hub_extensions.ledger.cells import Cells
from hub_extensions.ledger.counting import Counter, recount
from hub_extensions.ledger.tables import DAY_CELLS, KINDS, LEDGER_ZONES, MONTH_CELLS, PEOPLE, SESSIONS
from hub_extensions.sessions import GIB, HOUR, Month, Session
from hub_extensions.sums import EVERYBODY, Days, Kept, Lengths, Scope, Sums

from .made import at, made, migrated_back

if TYPE_CHECKING:
    from .postgres import Postgres

BERLIN, UTC_ZONE = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")
NOW = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """A ledger that examples of one test may share, if each empties it."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('cells')}/usage.sqlite"
    else:
        postgres: Postgres = request.getfixturevalue("postgres")
        url = postgres.database()
    ledger = Ledger(url)
    ledger.migrate()
    yield ledger
    ledger.dispose()


@pytest.fixture
def ledger(shared: Ledger) -> Ledger:
    emptied(shared)
    return shared


def emptied(ledger: Ledger) -> None:
    with ledger.engine.begin() as connection:
        for table in (SESSIONS, PEOPLE, KINDS, LEDGER_ZONES):  # and what goes with their rows
            connection.execute(table.delete())


def counted(ledger: Ledger, zone: ZoneInfo = UTC_ZONE, hub: str = "hub", **given: Any) -> Cells:
    Counter(ledger, hub, zone, **given).count_up(NOW)
    return Cells(ledger, hub)


# --- what the cells should say, from the sessions alone


@dataclass(frozen=True)
class ByHand:
    """The same answers, made from all sessions at once by cutting time at every moment at which anything changes."""

    sessions: Sequence[Session]
    zone: ZoneInfo

    def window(self, days: Days) -> tuple[datetime, datetime]:
        def begin(day: date) -> datetime:
            return datetime(day.year, day.month, day.day, tzinfo=self.zone).astimezone(UTC)

        return begin(days.start), begin(days.end)

    def chosen(self, scope: Scope) -> list[Session]:
        left_out = {name.lower() for name in scope.without}
        return [
            each
            for each in self.sessions
            if (scope.communities is None or each.community in scope.communities)
            and (scope.users is None or each.user_name in scope.users)
            and each.user_name.lower() not in left_out
        ]

    def touching(self, days: Days, scope: Scope) -> list[Session]:
        start, end = self.window(days)
        return [s for s in self.chosen(scope) if start <= s.ready_at < end or s.ready_at < start < until(s)]

    def weights(self, session: Session, dimensions: Sequence[str], attribution: str) -> dict[tuple[str, ...], float]:
        """The combinations that a session counts for, and how much of it each gets."""
        found: dict[tuple[str, ...], float] = {(): 1.0}
        for dimension in dimensions:
            parts: dict[str, float]
            if dimension == "choice":
                parts = dict.fromkeys((f"{o}: {c}" for o, c in session.choices.items()), 1.0) or {"": 1.0}
            elif dimension != "group":
                parts = {getattr(session, dimension): 1.0}
            elif not session.groups:
                parts = {"": 1.0}
            elif attribution == "primary":
                own = [group for group in session.groups if group.lower() == session.community.lower()]
                parts = {min(own or session.groups): 1.0}
            else:
                parts = dict.fromkeys(session.groups, 1 / len(session.groups) if attribution == "split" else 1.0)
            found = {(*key, name): w * part for key, w in found.items() for name, part in parts.items()}
        return found

    def by(
        self, days: Days, dimensions: Sequence[str], scope: Scope, attribution: str = "full"
    ) -> dict[tuple[str, ...], Sums]:
        sessions = self.touching(days, scope)
        start, end = self.window(days)
        # Who runs at the same time is known of all sessions of the person, also of those that are not looked at.
        of_person: dict[str, list[Session]] = defaultdict(list)
        for each in self.sessions:
            of_person[each.user_name].append(each)
        first: dict[str, timedelta] = defaultdict(timedelta)
        for mine in of_person.values():
            moments = sorted({start, end, *(m for s in mine for m in (s.ready_at, until(s)) if start < m < end)})
            for begin, following in pairwise(moments):
                running = [s for s in mine if s.ready_at <= begin < until(s)]
                if running:
                    first[min(running, key=lambda s: (s.ready_at, s.id)).id] += following - begin
        parts: dict[tuple[str, ...], list[tuple[Session, float]]] = defaultdict(list)
        for each in sessions:
            for key, weight in self.weights(each, dimensions, attribution).items():
                parts[key].append((each, weight))
        sums = {}
        for key, part in parts.items():
            spent = [(s, max(min(until(s), end) - max(s.ready_at, start), timedelta()) * w) for s, w in part]
            sums[key] = Sums(
                people=len({s.user_name for s, _ in part}),
                sessions=len(part),
                time=sum((t for _, t in spent), timedelta()),
                alone=sum((first[s.id] * w for s, w in part), timedelta()),
                gib_hours=sum(s.memory * (t / HOUR) for s, t in spent) / GIB,
                cpu_hours=sum(s.cpu * (t / HOUR) for s, t in spent),
                gpu_hours=sum(s.gpus * (t / HOUR) for s, t in spent),
            )
        return sums

    def people(self, days: Days, scope: Scope) -> set[str]:
        return {each.user_name for each in self.touching(days, scope)}

    def kept(self, month: Month, scope: Scope) -> Kept:
        now, before = (self.people(Days.month(each), scope) for each in (month, month.plus(-1)))
        start = self.window(Days.month(month.plus(-1)))[0]
        ever = {each.user_name for each in self.chosen(scope) if each.ready_at < start}
        return Kept(
            new=len(now - before - ever),
            returning=len((now & ever) - before),
            retained=len(now & before),
            lost=len(before - now),
        )

    def lengths(self, days: Days, scope: Scope) -> Lengths:
        start, end = self.window(days)
        found = sorted(
            until(each) - each.ready_at for each in self.chosen(scope) if each.ended_at and start <= each.ended_at < end
        )
        if not found:
            return Lengths(0, timedelta(), timedelta())
        # The smallest length that so many percent of the sessions do not exceed.
        ranks = [min(k for k in range(1, len(found) + 1) if 100 * k >= percent * len(found)) for percent in (50, 90)]
        return Lengths(len(found), *(found[rank - 1] for rank in ranks))

    def last_active(self, scope: Scope) -> dict[str, date]:
        found: dict[str, date] = {}
        for each in self.chosen(scope):
            last = max(each.ready_at, until(each) - timedelta(microseconds=1))
            shown = last.astimezone(self.zone).date()
            # Clocks that are set back over midnight show a day twice; it is over when its successor begins.
            around = [Days.until(shown + timedelta(days=distance), 1) for distance in (-1, 0, 1)]
            [day] = [each.start for each in around if self.window(each)[0] <= last < self.window(each)[1]]
            found[each.user_name] = max(day, found.get(each.user_name, day))
        return found


def until(session: Session) -> datetime:
    """Until when a session counts."""
    assert session.ready_at
    return max(session.ended_at or session.last_seen_at or session.ready_at, session.ready_at)


def assert_same(found: Sums, expected: Sums) -> None:
    assert (found.people, found.sessions) == (expected.people, expected.sessions)
    rounding = timedelta(microseconds=2)  # of parts of a microsecond, where usage is split
    assert abs(found.time - expected.time) <= rounding
    assert abs(found.alone - expected.alone) <= rounding
    for name in ("gib_hours", "cpu_hours", "gpu_hours"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), rel=1e-9, abs=1e-9)


# --- ledgers of anything


NAMES = ["ann", "anna", "Ann", "ann%", "ann_", "ann@example.org", "Ann@Example.org", "straße", "STRASSE", "-"]
COMMUNITIES = ["", "ocean", "Ocean-Lab", "ice"]
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Pacific/Apia",
    "Africa/Cairo",
    "America/St_Johns",
]
# Around the days on which clocks change in one of them, months end, and years. One of them skips 2011-12-30; another
# set its clocks back at one minute past the midnight of 2010-11-07.
TURNS = [
    datetime(2026, 3, 29, tzinfo=UTC),
    datetime(2026, 10, 25, tzinfo=UTC),
    datetime(2026, 11, 1, tzinfo=UTC),
    datetime(2026, 12, 31, tzinfo=UTC),
    datetime(2024, 2, 29, tzinfo=UTC),
    datetime(2024, 4, 26, tzinfo=UTC),
    datetime(2018, 11, 4, tzinfo=UTC),
    datetime(2018, 2, 18, tzinfo=UTC),
    datetime(2011, 12, 30, tzinfo=UTC),
    datetime(2010, 11, 7, tzinfo=UTC),
]
lengths = st.one_of(
    st.just(timedelta()),
    st.integers(-90, 60 * 72).map(lambda minutes: timedelta(minutes=minutes)),
    st.timedeltas(timedelta(0), timedelta(days=45)),
)


@st.composite
def session_lists(draw: st.DrawFn) -> list[Session]:
    turn = draw(st.sampled_from(TURNS))
    minutes = st.integers(-60 * 24 * 3, 60 * 24 * 3)
    found = []
    for number in range(draw(st.integers(1, 14))):
        ready_at = turn + timedelta(minutes=draw(minutes)) + draw(st.sampled_from([0, 0, -40, 31])) * timedelta(days=1)
        seen_at = ready_at + draw(lengths)
        ended = draw(st.booleans())
        found.append(
            made(
                id=f"{number:032x}",
                hub=draw(st.sampled_from(["hub", "hub", "hub", "other"])),
                user_name=draw(st.sampled_from(NAMES)),
                # Of the same server a new session ends the one before: each here has its own.
                server_name=str(number),
                community=draw(st.sampled_from(COMMUNITIES)),
                profile=draw(st.sampled_from(["", "small", "large"])),
                image=draw(st.sampled_from(["", "quay.io/x:1"])),
                choices=draw(st.dictionaries(st.sampled_from(["image", "size"]), st.sampled_from("ab"))),
                groups=draw(st.frozensets(st.sampled_from(["ocean", "ocean-lab", "ice:team", "a", "z"]))),
                memory_limit=draw(st.sampled_from([None, 2**30, 3 * 10**9])),
                memory_guarantee=draw(st.sampled_from([None, 2**29])),
                cpu_limit=draw(st.sampled_from([None, 0.1, 2.0])),
                gpus=draw(st.sampled_from([0, 0, 1])),
                ready_at=ready_at,
                last_seen_at=seen_at,
                # Also before it was seen last, and before it began.
                ended_at=seen_at - draw(st.sampled_from([0, 0, 90])) * timedelta(minutes=1) if ended else None,
                end_reason="stopped" if ended else "",
            )
        )
    return found


scopes = st.builds(
    Scope,
    communities=st.none() | st.frozensets(st.sampled_from(COMMUNITIES)),
    users=st.none() | st.frozensets(st.sampled_from(NAMES)),
    without=st.frozensets(st.sampled_from([*NAMES, "ANN", "strasse", "nobody"]), max_size=2),
)


@st.composite
def spans(draw: st.DrawFn, around: date) -> Days:
    kind = draw(st.sampled_from(["month", "months", "week", "days"]))
    if kind in ("month", "months"):
        first = Month(around.year, around.month).plus(draw(st.integers(-1, 1)))
        return Days(Days.month(first).start, Days.month(first.plus(0 if kind == "month" else 2)).end)
    if kind == "week":
        return Days.iso_week(*around.isocalendar()[:2])
    return Days.until(around + timedelta(days=draw(st.integers(-3, 3))), draw(st.integers(1, 30)))


def weeks_that_end_on(days: Days) -> dict[str, Days]:
    """The weeks from Monday to Sunday whose Sunday is one of the days, by their names."""
    found = {}
    for year in range(days.start.year - 1, days.end.year + 2):
        for number in range(1, 54):
            with suppress(ValueError):
                week = Days.iso_week(year, number)
                if week.end - timedelta(days=1) in days:
                    found[f"{year}-W{number:02d}"] = week
    return found


hostile = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@hostile
@given(data=st.data(), sessions=session_lists(), zone=st.sampled_from(ZONES).map(ZoneInfo))
def test_every_sum_is_what_a_count_by_hand_finds(
    shared: Ledger, data: st.DataObject, sessions: list[Session], zone: ZoneInfo
) -> None:
    emptied(shared)
    for each in sessions:
        shared.open(each)
    cells = counted(shared, zone, batch=data.draw(st.integers(1, 5)))
    counted(shared, zone, hub="other")
    by_hand = ByHand([each for each in sessions if each.hub == "hub"], zone)
    scope = data.draw(scopes)
    assert sessions[0].ready_at
    days = data.draw(spans(sessions[0].ready_at.astimezone(zone).date()))
    dimensions = data.draw(
        st.lists(st.sampled_from(["community", "group", "profile", "choice", "image"]), unique=True, max_size=3)
    )
    attribution = data.draw(st.sampled_from(["full", "split", "primary"]))

    expected = by_hand.by(days, dimensions, scope, attribution)
    found = cells.by(days, dimensions, scope=scope, attribution=attribution)
    assert found.keys() == expected.keys()
    for key, sums in found.items():
        assert_same(sums, expected[key])

    assert_same(cells.total(days, scope=scope), by_hand.by(days, (), scope).get((), Sums()))
    for name, sums in cells.by_person(days, scope=scope, limit=5):
        own = replace(scope, users=frozenset({name}))
        assert_same(sums, by_hand.by(days, (), own)[()])
    people = by_hand.people(days, scope)
    assert len(cells.by_person(days, scope=scope, limit=100)) == cells.active(days, scope=scope) == len(people)
    per_day = {day: len(by_hand.people(Days.until(day, 1), scope)) for day in days}
    assert cells.active_per_day(days, scope=scope) == {day: count for day, count in per_day.items() if count}
    weeks = {name: len(by_hand.people(week, scope)) for name, week in weeks_that_end_on(days).items()}
    last_day = data.draw(st.sampled_from(list(days)))
    assert cells.active_per_week(days, last_day, scope=scope) == {
        name: count for name, count in weeks.items() if count and weeks_that_end_on(days)[name].start <= last_day
    }
    month = Month(days.start.year, days.start.month)
    assert cells.kept(month, scope=scope) == by_hand.kept(month, scope)
    assert cells.lengths(days, scope=scope) == by_hand.lengths(days, scope)
    assert cells.last_active(scope=scope) == by_hand.last_active(scope)


def rows(ledger: Ledger) -> list[tuple[Any, ...]]:
    """All cells in words, as the numbers of people and kinds depend on who was counted first."""
    found: list[tuple[Any, ...]] = []
    with ledger.engine.begin() as connection:
        for cells in (DAY_CELLS, MONTH_CELLS):
            joined = cells.join(PEOPLE, PEOPLE.c.id == cells.c.person_id).join(KINDS, KINDS.c.id == cells.c.kind_id)
            columns = [cells.c[name] for name in ("day", "started", "continued", "seconds", "alone")]
            amounts = [cells.c[name] for name in ("memory", "cpu", "gpu")]
            chosen = select(PEOPLE.c.user_name, KINDS.c.digest, *columns, *amounts).select_from(joined)
            found += [(cells.name, *row[:7], *(round(x, 9) for x in row[7:])) for row in connection.execute(chosen)]
    return sorted(found)


@settings(hostile, max_examples=25)
@given(
    sessions=session_lists(),
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    shuffled=st.randoms(use_true_random=False),
)
def test_the_order_in_which_sessions_are_seen_closed_and_counted_does_not_matter(
    shared: Ledger, sessions: list[Session], zone: ZoneInfo, shuffled: random.Random
) -> None:
    sessions = [replace(each, hub="hub") for each in sessions]
    emptied(shared)
    for each in sessions:
        shared.open(each)
        if each.ended_at:
            # As `close` leaves it.
            with shared.engine.begin() as connection:
                connection.execute(update(SESSIONS).where(SESSIONS.c.id == each.id).values(last_seen_at=each.ended_at))
    counted(shared, zone)
    at_once = rows(shared)

    emptied(shared)
    steps: list[list[Callable[[], object]]] = []
    for each in sessions:
        assert each.ready_at
        wrong = each.ready_at + timedelta(minutes=shuffled.randint(-100, 60 * 60))
        last = each.last_seen_at or each.ready_at
        opened = replace(each, last_seen_at=None, ended_at=None, end_reason="")
        steps.append(
            [
                lambda opened=opened: shared.open(opened),
                lambda each=each, wrong=wrong: shared.seen([each.id], wrong),
                lambda each=each, last=last: shared.seen([each.id], last),
                *(
                    [lambda each=each: shared.close(each.id, each.ended_at, "stopped")]
                    if each.ended_at is not None
                    else []
                ),
            ]
        )
    while steps:
        some = shuffled.choice(steps)
        some.pop(0)()
        if not some:
            steps.remove(some)
        if shuffled.random() < 0.4:
            counted(shared, zone, batch=shuffled.randint(1, 4))
    counted(shared, zone)
    assert rows(shared) == at_once


@settings(hostile, max_examples=15)
@given(sessions=session_lists(), zones=st.lists(st.sampled_from(ZONES).map(ZoneInfo), min_size=2, max_size=3))
def test_another_time_zone_counts_all_anew(shared: Ledger, sessions: list[Session], zones: list[ZoneInfo]) -> None:
    emptied(shared)
    for each in sessions:
        shared.open(each)
    for zone in zones:
        counted(shared, zone)
    changed = rows(shared)
    emptied(shared)
    for each in sessions:
        shared.open(each)
    counted(shared, zones[-1])
    assert changed == rows(shared)


# --- one by one


def test_counting_again_changes_nothing(ledger: Ledger) -> None:
    for hour in (1, 30, 31):
        ledger.open(made(ready_at=at(hour), last_seen_at=at(hour + 20), server_name=str(hour), memory_limit=2**30))
    cells = counted(ledger)
    before = rows(ledger)
    assert Counter(ledger, "hub", UTC_ZONE).count_up(NOW) == 0
    with ledger.engine.begin() as connection:
        connection.execute(update(SESSIONS).values(uncounted=1))
    assert Counter(ledger, "hub", UTC_ZONE, batch=2).count_up(NOW) == 3
    assert rows(ledger) == before
    assert cells.total(Days.month(Month(2026, 10))).hours == 60


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 10, 26), 24)],
)
def test_a_day_on_which_clocks_change_has_as_many_hours_as_it_has(ledger: Ledger, day: date, hours: int) -> None:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    ledger.open(made(ready_at=start - 30 * HOUR, last_seen_at=start + 60 * HOUR))
    assert counted(ledger, BERLIN).total(Days.until(day, 1)).time == hours * HOUR


def test_a_day_that_clocks_show_twice_ends_once(ledger: Ledger) -> None:
    zone = ZoneInfo("America/St_Johns")
    begin = datetime(2010, 11, 7, 2, 30, tzinfo=UTC)  # midnight; a minute later clocks show 23:01 again
    ledger.open(made(ready_at=begin - HOUR, last_seen_at=begin + 10 * HOUR))
    cells = counted(ledger, zone)
    days = [date(2010, 11, 6), date(2010, 11, 7)]
    assert [cells.total(Days.until(day, 1)).hours for day in days] == [1, 10]
    ledger.open(made(user_name="bo", ready_at=begin + HOUR / 2, last_seen_at=begin + HOUR / 2))
    assert counted(ledger, zone).active_per_day(Days.until(days[1], 2)) == {days[0]: 1, days[1]: 2}


def test_a_session_that_began_on_another_day_counts_once_in_any_span(ledger: Ledger) -> None:
    ledger.open(made(ready_at=at(-5), last_seen_at=at(24 * 40)))
    cells = counted(ledger)
    for days in (
        Days.month(Month(2026, 10)),
        Days.until(date(2026, 10, 7), 3),
        Days(date(2026, 9, 1), date(2026, 12, 1)),
        Days.until(date(2026, 9, 30), 1),
    ):
        assert (cells.total(days).sessions, cells.total(days).people) == (1, 1)
    assert cells.total(Days.until(date(2026, 9, 29), 1)) == Sums()


def test_several_servers_at_once_are_one_person_and_the_first_of_them_has_the_hours(ledger: Ledger) -> None:
    ledger.open(made(server_name="a", profile="first", ready_at=at(1), last_seen_at=at(5)))
    ledger.open(made(server_name="b", profile="second", ready_at=at(2), last_seen_at=at(9)))
    found = counted(ledger).by(Days.month(Month(2026, 10)), ["profile"])
    assert {name: (sums.hours, sums.person_hours) for (name,), sums in found.items()} == {
        "first": (4, 4),
        "second": (7, 4),
    }


def test_a_running_server_counts_until_it_was_last_seen(ledger: Ledger) -> None:
    session = made(ready_at=at(1))
    ledger.open(session)
    cells = counted(ledger)
    assert cells.total(Days.month(Month(2026, 10))) == Sums(people=1, sessions=1)
    ledger.seen([session.id], at(3))
    assert counted(ledger).total(Days.month(Month(2026, 10))).hours == 2


def test_cells_tell_until_when_they_are_complete(ledger: Ledger) -> None:
    ledger.open(made(user_name="a"))
    ledger.open(made(user_name="b"))
    cells = Cells(ledger, "hub")
    assert cells.counted_until() is None
    assert Counter(ledger, "hub", UTC_ZONE, batch=1).count_up(NOW, limit=1) == 1
    assert cells.counted_until() is None
    Counter(ledger, "hub", UTC_ZONE, batch=1).count_up(NOW)
    assert cells.counted_until() == NOW
    assert Cells(ledger, "other").counted_until() is None


def test_counters_at_once_count_each_session_once(ledger: Ledger) -> None:
    for number in range(120):
        ledger.open(made(user_name=f"user{number % 7}", server_name=str(number), last_seen_at=at(1 + number / 3)))

    def count(worker: int) -> int:
        return Counter(ledger, "hub", (BERLIN, UTC_ZONE)[worker // 4], batch=5).count_up(NOW)

    # The first four by themselves; then some of another time zone come between.
    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(count, range(4))) == 120
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(count, range(8)))
    counted(ledger, BERLIN)
    changed = rows(ledger)
    with ledger.engine.begin() as connection:
        connection.execute(update(SESSIONS).values(uncounted=1, counted_until=None))
        for cells in (DAY_CELLS, MONTH_CELLS):
            connection.execute(cells.delete())
    counted(ledger, BERLIN)
    assert changed == rows(ledger)


def test_what_the_hub_writes_while_sessions_are_counted_is_counted_the_next_time(ledger: Ledger) -> None:
    sessions = [made(user_name=f"user{number % 3}", server_name=str(number)) for number in range(30)]
    for each in sessions:
        ledger.open(each)

    def write() -> None:
        for hour in range(2, 40):
            ledger.seen([each.id for each in sessions], at(hour))

    def count() -> None:
        for _ in range(20):
            counted(ledger, batch=4)

    with ThreadPoolExecutor(3) as threads:
        for done in [threads.submit(write), threads.submit(count), threads.submit(count)]:
            done.result()
    assert counted(ledger).total(Days.month(Month(2026, 10))).hours == 30 * 38


def test_a_persons_sessions_are_counted_anew_after_some_were_removed(ledger: Ledger) -> None:
    for number in range(3):
        ledger.open(made(id=f"{number:032x}", server_name=str(number), last_seen_at=at(2)))
    ledger.open(made(user_name="Ada", last_seen_at=at(2)))
    cells = counted(ledger)
    with ledger.engine.begin() as connection:
        connection.execute(SESSIONS.delete().where(SESSIONS.c.id == f"{1:032x}"))
        recount(connection, "hub", "ada")
    assert counted(ledger).total(Days.month(Month(2026, 10))).hours == 3
    assert [(name, sums.hours) for name, sums in cells.by_person(Days.until(date(2026, 10, 1), 1), limit=9)] == [
        ("ada", 2),
        ("Ada", 1),
    ]


def test_a_ledger_of_the_version_before_is_counted_from_its_beginning(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path}/usage.sqlite")
    ledger.migrate()
    ledger.open(made(last_seen_at=at(4)))
    migrated_back(ledger, "0002")
    ledger.migrate()
    assert counted(ledger).total(Days.month(Month(2026, 10))).hours == 3


def test_names_that_an_older_version_took_for_one_are_those_of_two_people(new_database: Callable[[], str]) -> None:
    ledger = Ledger(new_database())
    ledger.migrate()
    for name in ("straße", "strasse", "Ada"):
        ledger.open(made(user_name=name, last_seen_at=at(2)))
    counted(ledger)
    migrated_back(ledger, "0006")
    with ledger.engine.connect() as connection:
        assert set(connection.scalars(select(PEOPLE.c.folded))) == {"strasse", "ada"}
    ledger.migrate()
    left_out = Scope(without=frozenset({"STRASSE", "ada"}))
    month = Days.month(Month(2026, 10))
    assert [name for name, _ in Cells(ledger, "hub").by_person(month, scope=left_out, limit=9)] == ["straße"]
    ledger.dispose()


def test_a_hub_without_sessions_has_empty_answers(ledger: Ledger) -> None:
    for cells in (Cells(ledger, "hub"), counted(ledger)):
        days = Days.month(Month(2026, 10))
        assert cells.total(days) == Sums()
        assert cells.by(days, ["group", "choice", "profile"]) == {}
        assert cells.kept(Month(2026, 10)) == Kept(0, 0, 0, 0)
        assert cells.lengths(days, scope=EVERYBODY) == Lengths(0, timedelta(), timedelta())
        assert cells.last_active() == {}
