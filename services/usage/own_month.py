"""What a person's own page shows of a month, read from their sessions, so that it is exact to this moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub_extensions.ledger.past_months import PastMonths
from hub_extensions.sums import Days

from . import charts
from .report import hours_per_day, report

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime, tzinfo

    from markupsafe import Markup

    from hub_extensions.ledger import Ledger
    from hub_extensions.sessions import Month, Session

    from .report import Report


@dataclass(frozen=True)
class OwnMonth:
    """The report of a person's sessions, and the hours of each day until today with their chart.

    Of a month that is not ``kept`` nothing is known of a single person any more.
    """

    report: Report
    per_day: Mapping[date, float]
    chart: Markup
    kept: bool


def read_own_month(
    ledger: Ledger, hub: str, user_name: str, month: Month, zone: tzinfo, now: datetime, limit: int
) -> OwnMonth:
    """Read it; of more than ``limit`` sessions the oldest are not counted. Raises ``SQLAlchemyError``."""
    window = month.window(zone)
    sessions, kept = read_own_sessions(ledger, hub, user_name, month, zone, limit + 1)
    per_day = hours_per_day(sessions[:limit], month, zone, now)
    drawn = charts.per_day("chart-hours", "Hours on each day", per_day, "hours")
    return OwnMonth(report(sessions, window, now, limit), per_day, drawn, kept)


def read_own_sessions(
    ledger: Ledger, hub: str, user_name: str, month: Month, zone: tzinfo, limit: int
) -> tuple[list[Session], bool]:
    """Return a person's newest sessions of a month, up to ``limit``, and whether those of the month are still kept."""
    window = month.window(zone)
    sessions = ledger.sessions(hub, window.start, window.end, users=[user_name], limit=limit)
    kept = not PastMonths(ledger, hub).has(Days.month(month).start)
    # Some may be there that ended later, or have not gone yet: not the month's.
    return (sessions if kept else []), kept
