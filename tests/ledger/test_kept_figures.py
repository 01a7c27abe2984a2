"""Figures that are kept until what they were made of changes."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from hub_extensions.keeping import Keeping
from hub_extensions.ledger import Ledger
from hub_extensions.ledger.counting import Counter
from hub_extensions.ledger.forgetting import Forgetting
from hub_extensions.ledger.kept_figures import KeptFigures
from hub_extensions.ledger.retention import Retention

from .made import at, made

ZONE = ZoneInfo("UTC")
SEPTEMBER, OCTOBER, NOVEMBER = date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1)


def run(ledger: Ledger, **given: object) -> str:
    """A session of an hour, counted; by default on the first of October."""
    session = made(**given)
    assert session.ready_at
    ledger.open(session)
    ledger.close(session.id, session.ready_at + timedelta(hours=1), "stopped")
    Counter(ledger, "hub", ZONE).count_up(at(2000))
    return session.id


def keep(ledger: Ledger) -> KeptFigures:
    kept = KeptFigures(ledger, "hub")
    for day in (SEPTEMBER, OCTOBER, NOVEMBER):
        kept.write(day, "", kept.begin(day, ""), "asked", {"of": day.isoformat()}, at(0))
    return kept


def stale(kept: KeptFigures) -> set[date]:
    return {day for (day, _), each in kept.all().items() if each.stale}


def test_what_was_kept_is_there_until_something_changes(ledger: Ledger) -> None:
    run(ledger)
    kept = keep(ledger)
    found = kept.read(OCTOBER, "")
    assert found
    row, figures = found
    assert (row.asked, row.made_at, row.stale, figures) == ("asked", at(0), False, {"of": "2026-10-01"})
    assert kept.read(OCTOBER, "ocean-lab") is None
    assert stale(kept) == set()


def test_what_is_counted_late_outdates_its_month_and_those_after_it(ledger: Ledger) -> None:
    run(ledger)
    kept = keep(ledger)
    run(ledger, user_name="lin")
    assert stale(kept) == {OCTOBER, NOVEMBER}


def test_the_end_of_a_session_outdates_its_month_though_it_adds_no_time(ledger: Ledger) -> None:
    """Lengths are of sessions that have ended."""
    session = made(last_seen_at=at(2))
    ledger.open(session)
    Counter(ledger, "hub", ZONE).count_up(at(2))
    kept = keep(ledger)
    ledger.close(session.id, at(2), "stopped")
    Counter(ledger, "hub", ZONE).count_up(at(3))
    assert stale(kept) == {OCTOBER, NOVEMBER}


def test_another_hub_in_the_database_outdates_nothing(ledger: Ledger) -> None:
    run(ledger)
    kept = keep(ledger)
    session = made(hub="other", last_seen_at=at(2))
    ledger.open(session)
    Counter(ledger, "other", ZONE).count_up(at(3))
    assert stale(kept) == set()


def test_a_change_while_figures_are_being_made_is_not_missed(ledger: Ledger) -> None:
    run(ledger)
    kept = keep(ledger)
    making = kept.begin(OCTOBER, "")
    run(ledger, user_name="lin")
    kept.write(OCTOBER, "", making, "asked", {}, at(1))
    assert OCTOBER in stale(kept)
    kept.write(OCTOBER, "", kept.begin(OCTOBER, ""), "asked", {}, at(2))
    assert OCTOBER not in stale(kept)


@pytest.mark.parametrize("keep_hours", [False, True])
def test_a_person_who_is_forgotten_is_in_nothing_that_is_kept(ledger: Ledger, keep_hours: bool) -> None:
    run(ledger)
    kept = keep(ledger)
    ada = kept.people(["ada"])["ada"]
    forgetting = Forgetting(ledger, "hub")
    if keep_hours:
        forgotten = forgetting.unname("ada")
        assert kept.names([ada]) == {ada: forgotten.name}
        return
    forgetting.erase("ada")
    assert kept.names([ada]) == {}
    assert kept.all() == {}


def test_nothing_is_kept_of_months_that_are_only_sums(ledger: Ledger) -> None:
    """Later months change too: whoever comes back is new."""
    run(ledger)
    kept = keep(ledger)
    assert Retention(ledger, "hub", ZONE).let_go(at(24 * 500), Keeping.parse("28 days")).months
    assert kept.all() == {}


def test_days_that_are_counted_in_another_time_zone_have_nothing_kept(ledger: Ledger) -> None:
    run(ledger)
    kept = keep(ledger)
    Counter(ledger, "hub", ZoneInfo("Asia/Tokyo")).count_up(at(2000))
    assert kept.all() == {}
