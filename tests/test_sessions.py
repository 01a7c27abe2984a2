"""The arithmetic of sessions."""

from datetime import UTC, datetime, timedelta
from operator import attrgetter
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hub_extensions.sessions import GIB, HOUR, Month, Session, Window, duration, hours, total, totals_by

START = datetime(2026, 1, 1, tzinfo=UTC)

moments = st.integers(0, 1000 * 3600 * 1_000_000).map(lambda us: START + timedelta(microseconds=us))
windows = st.tuples(moments, moments).map(lambda ends: Window(*sorted(ends)))
sessions = st.builds(
    Session,
    id=st.uuids().map(lambda each: each.hex),
    hub=st.just("hub"),
    user_name=st.sampled_from(["ann", "anna", "ann@x.org", "Ann"]),
    server_name=st.sampled_from(["", "gpu"]),
    profile=st.sampled_from(["small", "large"]),
    memory_limit=st.none() | st.integers(0, 2**50),
    memory_guarantee=st.none() | st.integers(0, 2**50),
    cpu_limit=st.none() | st.floats(0, 1000),
    ready_at=st.none() | moments,
    ended_at=st.none() | moments,
)


def session(ready: datetime | None, ended: datetime | None = None, **given: object) -> Session:
    return Session(**{"id": "a", "hub": "hub", "user_name": "ada", "ready_at": ready, "ended_at": ended, **given})  # type: ignore[arg-type]


def at(hour: float) -> datetime:
    return START + hour * HOUR


DAY = Window(at(0), at(24))


@pytest.mark.parametrize(
    ("ready", "ended", "expected"),
    [
        (at(1), at(3), 2),
        (at(-5), at(3), 3),
        (at(23), at(30), 1),
        (at(-5), at(30), 24),
        (at(-5), at(-1), 0),
        (at(25), at(26), 0),
        (at(24), at(26), 0),
        (at(3), at(3), 0),
        (at(3), None, 21),
        (None, None, 0),
        (None, at(3), 0),
    ],
)
def test_hours_are_those_inside_the_window(ready: datetime | None, ended: datetime | None, expected: float) -> None:
    assert hours(session(ready, ended), DAY, now=at(100)) == expected


def test_a_running_session_counts_until_now_and_never_into_the_future() -> None:
    assert hours(session(at(3)), DAY, now=at(5)) == 2
    assert hours(session(at(3)), DAY, now=at(100)) == 21


def test_a_session_that_ended_before_it_began_counts_nothing() -> None:
    assert hours(session(at(5), at(3)), DAY, now=at(20)) == 0


def test_hours_do_not_depend_on_the_zone_in_which_moments_are_given() -> None:
    zone = ZoneInfo("America/New_York")
    before, after = datetime(2026, 11, 1, 0, tzinfo=zone), datetime(2026, 11, 1, 4, tzinfo=zone)
    assert hours(session(before, after), Window(before, after), now=at(9000)) == 5


@given(sessions, windows, moments)
def test_a_session_never_counts_more_than_it_lasted_nor_than_the_window(
    each: Session, window: Window, now: datetime
) -> None:
    spent = duration(each, window, now)
    assert timedelta() <= spent <= window.end - window.start
    if each.ready_at:
        assert spent <= max((each.ended_at or now) - each.ready_at, timedelta())


@given(sessions, windows, st.floats(0, 1), moments)
def test_the_parts_of_a_window_add_up_to_the_whole(each: Session, window: Window, share: float, now: datetime) -> None:
    middle = window.start + (window.end - window.start) * share
    parts = duration(each, Window(window.start, middle), now) + duration(each, Window(middle, window.end), now)
    assert parts == duration(each, window, now)


@given(sessions, windows, moments, moments)
def test_hours_only_grow_as_time_passes(each: Session, window: Window, one: datetime, other: datetime) -> None:
    assert duration(each, window, min(one, other)) <= duration(each, window, max(one, other))


@given(st.lists(sessions), windows, moments, st.sampled_from(["profile", "user_name", "server_name"]))
def test_totals_by_anything_add_up_to_the_total(
    several: list[Session], window: Window, now: datetime, column: str
) -> None:
    whole = total(several, window, now)
    parts = totals_by(attrgetter(column), several, window, now)
    assert sum((part.duration for part in parts.values()), timedelta()) == whole.duration
    assert sum(part.sessions for part in parts.values()) == whole.sessions
    assert sum(part.memory_hours for part in parts.values()) == pytest.approx(whole.memory_hours)
    assert [part.duration for part in parts.values()] == sorted((p.duration for p in parts.values()), reverse=True)


@given(st.lists(sessions, max_size=8), moments)
def test_hours_equal_a_count_minute_by_minute(several: list[Session], now: datetime) -> None:
    def whole_minutes(moment: datetime | None) -> datetime | None:
        return moment and moment.replace(second=0, microsecond=0)

    window = Window(at(0), at(30))
    for each in several:
        ready, ended, until = (
            whole_minutes(each.ready_at),
            whole_minutes(each.ended_at),
            now.replace(second=0, microsecond=0),
        )
        running = sum(
            ready is not None and ready <= minute < min(ended or until, until)
            for minute in (at(0) + timedelta(minutes=n) for n in range(30 * 60))
        )
        assert duration(session(ready, ended), window, until) == timedelta(minutes=running)


def test_totals_count_what_was_allocated() -> None:
    mine = [
        session(at(0), at(2), memory_guarantee=2 * GIB, memory_limit=8 * GIB, cpu_limit=4.0, gpus=1),
        session(at(0), at(1), memory_limit=1 * GIB, cpu_guarantee=0.5),
        session(at(0), at(1)),
        session(at(30), at(31), memory_limit=1 * GIB),
    ]
    whole = total(mine, DAY, now=at(50))
    assert (whole.sessions, whole.hours, whole.gib_hours, whole.cpu_hours, whole.gpu_hours) == (3, 4, 5, 8.5, 2)


def test_people_whose_names_begin_alike_are_counted_apart() -> None:
    several = [session(at(0), at(n), user_name=name) for n, name in enumerate(["ann", "anna", "ann@x.org", "Ann"], 1)]
    sums = totals_by(attrgetter("user_name"), several, DAY, now=at(50))
    assert {name: each.hours for name, each in sums.items()} == {"ann": 1, "anna": 2, "ann@x.org": 3, "Ann": 4}


@pytest.mark.parametrize(
    ("month", "zone", "expected"),
    [
        ("2026-02", "UTC", 28 * 24),
        ("2028-02", "UTC", 29 * 24),
        ("2026-03", "Europe/Berlin", 31 * 24 - 1),
        ("2026-10", "Europe/Berlin", 31 * 24 + 1),
        ("2026-03", "America/New_York", 31 * 24 - 1),
        ("2026-11", "America/New_York", 30 * 24 + 1),
        ("2026-12", "Pacific/Auckland", 31 * 24),
    ],
)
def test_a_month_has_the_hours_that_clocks_there_give_it(month: str, zone: str, expected: int) -> None:
    window = Month.parse(month).window(ZoneInfo(zone))
    assert (window.end - window.start) / HOUR == expected


@example(9998, 12, "Pacific/Auckland")
@given(st.integers(2, 9998), st.integers(1, 12), st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu"]))
def test_months_follow_one_another_without_gap_or_overlap(year: int, month: int, zone: str) -> None:
    this = Month(year, month)
    assert Month.parse(str(this)) == this
    assert this.window(ZoneInfo(zone)).start < this.window(ZoneInfo(zone)).end
    if this != Month(9998, 12):
        assert this.window(ZoneInfo(zone)).end == this.plus(1).window(ZoneInfo(zone)).start
        assert this.plus(1).plus(-1) == this


def test_the_month_of_a_moment_is_that_of_the_zone() -> None:
    midnight = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)
    assert Month.of(midnight, ZoneInfo("UTC")) == Month(2026, 10)
    assert Month.of(midnight, ZoneInfo("Europe/Berlin")) == Month(2026, 11)


@given(
    st.text()
    | st.sampled_from(["2026-13", "2026-00", "0000-01", "9999-12", "2026-1", "\u0662\u0660\u0662\u0666-10", "2026-10 "])
)
def test_what_is_no_month_is_refused(text: str) -> None:
    try:
        assert str(Month.parse(text)) == text
    except ValueError as error:
        assert "month" in str(error)  # noqa: PT017


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="ready_at has no time zone"):
        session(datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="start has no time zone"):
        Window(datetime(2026, 1, 1), at(1))  # noqa: DTZ001


def test_a_window_cannot_end_before_it_starts() -> None:
    with pytest.raises(ValueError, match="cannot end"):
        Window(at(2), at(1))
