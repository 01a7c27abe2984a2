"""What reports read from the ledger: sums as the cells have them, who is left out, and what is missing."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub_extensions.ledger import Ledger
from hub_extensions.ledger.cells import Cells
from hub_extensions.ledger.counting import Counter
from hub_extensions.ledger.month_figures import MonthFigures
from hub_extensions.ledger.tables import METADATA
from hub_extensions.reports import Asked, Gap, report
from hub_extensions.sessions import GIB, Month
from hub_extensions.sums import Days, Scope
from hub_extensions.usage_parts import add_up

from .made import made

ZONE = ZoneInfo("Europe/Berlin")
OCTOBER = Month(2026, 10)
NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def ledger(request, tmp_path_factory):
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('figures')}/usage.sqlite"
    else:
        url = request.getfixturevalue("postgres").database()
    ledger = Ledger(url)
    ledger.migrate()
    yield ledger
    ledger.dispose()


@pytest.fixture(autouse=True)
def _empty(ledger):
    empty(ledger)


def empty(ledger):
    with ledger.engine.begin() as connection:
        for table in reversed(METADATA.sorted_tables):
            connection.execute(table.delete())


def day(number, hour=12.0, month=10):
    return datetime(2026, month, number, tzinfo=UTC) + timedelta(hours=hour)


def used(ledger, begin, hours, reason="stopped", **given):
    session = made(ready_at=begin, **given)
    ledger.open(session)
    ledger.close(session.id, begin + timedelta(hours=hours), reason)
    return session


def counted(ledger, now=NOW):
    Counter(ledger, "hub", ZONE).count_up(now)
    return MonthFigures(ledger, "hub")


def gaps(ledger, now=NOW):
    return [gap for gap in counted(ledger, now).read(OCTOBER, ZONE, now).gaps if gap.kind != "before_records"]


@st.composite
def sessions(draw):
    return [
        made(
            user_name=f"p{draw(st.integers(0, 4))}",
            community=draw(st.sampled_from(["a", "b"])),
            profile=draw(st.sampled_from(["p", "q"])),
            groups=draw(st.frozensets(st.sampled_from(["a", "g", "h"]), max_size=3)),
            choices=draw(st.dictionaries(st.sampled_from(["size", "image"]), st.sampled_from("xy"), max_size=2)),
            memory_guarantee=draw(st.integers(1, 8)) * GIB,
            ready_at=datetime(2026, 9, 20, tzinfo=UTC) + timedelta(minutes=draw(st.integers(0, 70_000))),
            last_seen_at=None,
        )
        for _ in range(draw(st.integers(0, 8)))
    ]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), sessions())
def test_tables_of_a_report_are_what_the_cells_add_up_to(ledger, data, opened):
    empty(ledger)
    for session in opened:
        ledger.open(session)
        ledger.close(session.id, session.ready_at + timedelta(minutes=data.draw(st.integers(0, 3000))), "stopped")
    figures = counted(ledger).read(OCTOBER, ZONE, NOW)
    cells = Cells(ledger, "hub")
    by = [("community",), ("profile", "community"), ("group",), ("choice",), ("group", "choice")]
    for attribution in ("full", "split", "primary"):
        asked = Asked("hub", "Hub", "Europe/Berlin", OCTOBER, tuple(by), attribution=attribution, fewest=0)
        tables = {table.dimensions: table for table in report(asked, figures, NOW).tables}
        for dimensions in by:
            expected = cells.by(Days.month(OCTOBER), dimensions, attribution=attribution)
            found = {row.labels: row.values for row in tables[dimensions].rows}
            assert found.keys() == expected.keys()
            for labels, sums in expected.items():
                assert found[labels][:2] == (sums.people, sums.sessions)
                wanted = (sums.hours, sums.person_hours, sums.gib_hours)
                assert [float(value) for value in found[labels][2:5]] == pytest.approx(wanted, abs=0.0051)
    total = add_up(dict.fromkeys(figures.parts, Fraction(1)))
    assert total.people == cells.active(Days.month(OCTOBER)) == figures.kept.new + figures.kept.retained


def test_who_is_left_out_by_name_or_group_is_in_no_figure(ledger):
    used(ledger, day(3), 5, user_name="ada", groups=frozenset({"Staff:ops"}))
    used(ledger, day(4), 7, user_name="ADA")
    used(ledger, day(4), 2, user_name="lin", groups=frozenset({"members"}))
    used(ledger, day(5), 1, user_name="probe")
    used(ledger, day(5, month=9), 1, user_name="once", groups=frozenset({"staff:lead"}))
    used(ledger, day(6), 1, user_name="once")
    figures = counted(ledger)
    scope = figures.without(Scope(without=frozenset({"Probe"})), ["staff:*"], OCTOBER)
    assert scope.without == {"Probe", "ada", "once"}
    read = figures.read(OCTOBER, ZONE, NOW, scope=scope)
    assert {kind for part in read.parts for kind in part.kind.groups} == {"members"}
    assert (read.active_30, read.ended, read.lengths.count) == (1, 1, 1)
    assert figures.without(Scope(), ["nobody"], OCTOBER) == Scope()


def test_a_report_of_a_community_has_only_its_sessions(ledger):
    used(ledger, day(3), 5, community="a")
    used(ledger, day(4), 7, community="b", user_name="lin", reason="hub away")
    read = counted(ledger).read(OCTOBER, ZONE, NOW, scope=Scope(communities=frozenset({"a"})))
    assert [part.kind.community for part in read.parts] == ["a"]
    assert (read.ended, read.lengths.median) == (1, timedelta(hours=5))
    assert not [gap for gap in read.gaps if gap.kind == "end_not_seen"]


def test_where_nothing_is_missing_no_gap_is_told(ledger):
    used(ledger, day(3, month=8), 5)
    used(ledger, day(3), 5)
    assert counted(ledger).read(OCTOBER, ZONE, NOW).gaps == ()


def test_a_month_that_is_not_over_says_so(ledger):
    used(ledger, day(3), 5)
    assert gaps(ledger, day(7)) == [Gap("not_over", until=date(2026, 10, 7))]


def test_records_that_begin_later_are_told(ledger):
    used(ledger, day(3, month=9), 5)
    read = counted(ledger).read(OCTOBER, ZONE, NOW)
    assert read.gaps == (Gap("before_records", until=date(2026, 9, 3)),)


def test_ends_that_nobody_saw_are_told(ledger):
    used(ledger, day(3), 5, reason="hub away")
    used(ledger, day(8), 5, reason="hub away")
    used(ledger, day(9), 5, reason="culled")
    used(ledger, day(9, month=9), 5, reason="hub away")
    [gap] = gaps(ledger)
    assert gap == Gap("end_not_seen", since=date(2026, 10, 3), until=date(2026, 10, 8), sessions=2, people=1)


def test_servers_that_were_not_seen_running_for_long_are_told(ledger):
    silent = made(ready_at=day(3), user_name="ada")
    seen = made(ready_at=day(4), user_name="lin")
    for session in (silent, seen):
        ledger.open(session)
    ledger.seen([silent.id], day(5))
    ledger.seen([seen.id], NOW)
    assert gaps(ledger) == [Gap("not_seen_running", since=date(2026, 10, 5), sessions=1, people=1)]


def test_what_is_not_counted_yet_is_told(ledger):
    used(ledger, day(3), 5)
    figures = counted(ledger)
    used(ledger, day(5), 5)
    read = figures.read(OCTOBER, ZONE, NOW)
    assert Gap("not_counted", since=date(2026, 10, 5), sessions=1, people=1) in read.gaps
    late = figures.read(OCTOBER, ZONE, NOW + timedelta(days=9))
    assert [gap.kind for gap in late.gaps].count("not_counted") == 1  # counted once after the month's end


def test_a_count_that_stopped_within_the_month_is_told(ledger):
    used(ledger, day(3), 5)
    read = counted(ledger, day(6)).read(OCTOBER, ZONE, NOW)
    assert Gap("not_counted", since=date(2026, 10, 6)) in read.gaps


def test_a_hub_sees_nothing_of_another_in_the_same_database(ledger):
    used(ledger, day(3), 5)
    used(ledger, day(3), 50, hub="other", user_name="lin", groups=frozenset({"staff"}), reason="hub away")
    Counter(ledger, "other", ZONE).count_up(NOW)
    figures = counted(ledger)
    read = figures.read(OCTOBER, ZONE, NOW)
    assert (len(read.parts), read.active_30, read.ended) == (1, 1, 1)
    assert gaps(ledger) == []
    assert figures.without(Scope(), ["staff"], OCTOBER) == Scope()
    assert (figures.hubs(), figures.time_zone()) == (["hub", "other"], "Europe/Berlin")
    assert replace(read, gaps=()).lengths.median == timedelta(hours=5)
