"""What a page shows, made from sessions: totals, parts, and the newest rows."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

from hub_extensions.sessions import hours, total, totals_by

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

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
