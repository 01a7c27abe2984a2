"""What a page shows, made from sessions: totals, parts, and the newest rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from operator import attrgetter
from typing import TYPE_CHECKING

from hub_extensions import quota_words
from hub_extensions.day_cells import Calendar
from hub_extensions.sessions import HOUR, hours, total, totals_by
from hub_extensions.sums import Days

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime, tzinfo

    from hub_extensions.balances import Balance
    from hub_extensions.sessions import Month, Session, Total, Window

ROWS = 200
"""Rows of sessions on a page; the totals count all."""


@dataclass(frozen=True)
class Row:
    """A session, and its hours inside the window."""

    session: Session
    hours: float


@dataclass(frozen=True)
class Report:
    """``complete`` is false when there were more sessions than a page may read, and the oldest are not counted."""

    window: Window
    total: Total
    by_profile: dict[str, Total]
    rows: list[Row]
    found: int
    complete: bool


def report(sessions: Sequence[Session], window: Window, now: datetime, limit: int) -> Report:
    """Make a report of sessions that are sorted newest first; more than ``limit`` of them are not counted."""
    counted = sessions[:limit]
    return Report(
        window=window,
        total=total(counted, window, now),
        by_profile=totals_by(attrgetter("profile"), counted, window, now),
        rows=[Row(session, hours(session, window, now)) for session in counted[:ROWS]],
        found=len(counted),
        complete=len(sessions) <= limit,
    )


def hours_per_day(sessions: Iterable[Session], month: Month, zone: tzinfo, now: datetime) -> dict[date, float]:
    """Return the hours on each day of a month until today, in the time zone of the hub."""
    days, calendar = Days.month(month), Calendar(zone)
    until = min(now, days.window(zone).end)
    found = {day: 0.0 for day in days if calendar.begin(day) <= now}
    for each in sessions:
        if each.ready_at is None:
            continue
        start, end = max(each.ready_at, days.window(zone).start), min(each.ended_at or until, until)
        if end <= start:
            continue
        for day in calendar.days(start, end):
            begin, after = calendar.begin(day), calendar.begin(day + timedelta(days=1))
            found[day] += (min(end, after) - max(start, begin)) / HOUR
    return found


@dataclass(frozen=True)
class QuotaRow:
    """A limit of the person who looks, in words.

    ``again`` is when there is some again, empty if there is some now; ``told`` all of it in sentences.
    """

    what: str
    used: str
    limit: str
    left: str
    counted: str
    again: str
    told: str
    is_low: bool


def quota_rows(balances: Sequence[Balance], zone: tzinfo, titles: Mapping[str, str]) -> list[QuotaRow]:
    """Put balances into words; ``titles`` are those of communities."""
    return [
        QuotaRow(
            what=quota_words.of(each, titles),
            used=quota_words.number(each.used),
            limit=quota_words.number(each.allowance.limit),
            left=quota_words.number(each.left),
            counted=quota_words.counted(each, zone),
            again=quota_words.frees(each, zone),
            told=quota_words.left(each, zone, titles),
            is_low=each.is_low,
        )
        for each in balances
    ]
