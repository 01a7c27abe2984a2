"""What a person's own page shows of a month, read from their sessions, so that it is exact to this moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import charts
from .report import hours_per_day, report

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime, tzinfo

    from markupsafe import Markup

    from hub_extensions.ledger import Ledger
    from hub_extensions.sessions import Month

    from .report import Report


@dataclass(frozen=True)
class OwnMonth:
    """The report of a person's sessions, and the hours of each day until today with their chart."""

    report: Report
    per_day: Mapping[date, float]
    chart: Markup


def read_own_month(
    ledger: Ledger, hub: str, user_name: str, month: Month, zone: tzinfo, now: datetime, limit: int
) -> OwnMonth:
    """Read it; of more than ``limit`` sessions the oldest are not counted. Raises ``SQLAlchemyError``."""
    window = month.window(zone)
    sessions = ledger.sessions(hub, window.start, window.end, users=[user_name], limit=limit + 1)
    per_day = hours_per_day(sessions[:limit], month, zone, now)
    drawn = charts.per_day("chart-hours", "Hours on each day", per_day, "hours")
    return OwnMonth(report(sessions, window, now, limit), per_day, drawn)
