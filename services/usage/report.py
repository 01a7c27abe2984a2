"""What a page shows, made from sessions: totals, parts, and the newest rows."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

from hub_extensions import quota_words
from hub_extensions.sessions import hours, total, totals_by

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, tzinfo

    from hub_extensions.balances import Balance
    from hub_extensions.sessions import Session, Total, Window

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
    by_person: dict[str, Total]
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
        by_person=totals_by(attrgetter("user_name"), counted, window, now),
        rows=[Row(session, hours(session, window, now)) for session in counted[:ROWS]],
        found=len(counted),
        complete=len(sessions) <= limit,
    )


@dataclass(frozen=True)
class QuotaRow:
    """A limit of the person who looks, in words; ``again`` is when there is some again, empty if there is some now."""

    what: str
    used: str
    limit: str
    left: str
    counted: str
    again: str
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
            is_low=each.is_low,
        )
        for each in balances
    ]
