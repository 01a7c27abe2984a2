"""What a month came to, of a community or of the hub: read from the cells that the ledger keeps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from hub_extensions.ledger.month_figures import MonthFigures
from hub_extensions.ledger.totals import Totals
from hub_extensions.report_settings import ReportSettings
from hub_extensions.sums import Days, Scope

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date, datetime

    from hub_extensions.ledger import Ledger
    from hub_extensions.ledger.past_months import PastMonth
    from hub_extensions.sessions import Month
    from hub_extensions.sums import Kept, Lengths, Sums
    from hub_extensions.usage_service import UsageSettings


@dataclass(frozen=True)
class MonthOfPeople:
    """What people in a scope used in a month; `last_7` and `last_30` are people up to the month's end, or today.

    Of a month whose sessions are no longer kept nobody is named; it has a `past`.
    """

    total: Sums
    kept: Kept
    last_7: int
    last_30: int
    lengths: Lengths
    per_day: Mapping[date, int]
    per_week: Mapping[str, int]
    by_profile: Mapping[str, Sums]
    by_community: Mapping[str, Sums]
    by_person: Sequence[tuple[str, Sums]]
    counted_until: datetime | None
    past: PastMonth | None = None


def last_day(month: Month, today: date) -> date:
    """Return the month's last day, or today, up to which the people of 7 and 30 days are counted."""
    days = Days.month(month)
    return min(days.end - timedelta(days=1), max(today, days.start))


def counted(usage: UsageSettings, community: str | None) -> tuple[Scope, Collection[str]]:
    """Return whose sessions count for a community, or for the hub as a whole when None.

    Besides those whom the scope leaves out, whoever was in one of the groups does not count.
    """
    left_out = ReportSettings.model_validate(usage.reports).without
    only = None if community is None else frozenset({community})
    return Scope(communities=only, without=frozenset({*usage.service_users, *left_out.users})), left_out.groups


def read_month(
    ledger: Ledger, hub: str, month: Month, today: date, scope: Scope, people: int, without_groups: Collection[str]
) -> MonthOfPeople:
    """Read it, synchronously; ``people`` is how many of them are named. Raises ``SQLAlchemyError``.

    Whoever was in one of ``without_groups`` is left out, besides those whom the scope leaves out.
    """
    found = read_past_month(ledger, hub, month, scope)
    if found is None:
        found = _of_sessions(ledger, hub, month, today, scope, people, without_groups)
        # They may have gone meanwhile.
        found = read_past_month(ledger, hub, month, scope) or found
    return found


def read_past_month(ledger: Ledger, hub: str, month: Month, scope: Scope) -> MonthOfPeople | None:
    """Read what is left of a month whose sessions are no longer kept; None while they are."""
    cells, days, totals = MonthFigures(ledger, hub), Days.month(month), Totals(ledger, hub)
    past = cells.past(month, scope)
    if past is None:
        return None
    figures = past.figures
    return MonthOfPeople(
        total=totals.total(days, scope=scope),
        kept=figures.kept,
        last_7=figures.active_7,
        last_30=figures.active_30,
        lengths=figures.lengths,
        per_day=figures.active_per_day,
        per_week=figures.active_per_week,
        by_profile={name: sums for (name,), sums in totals.by(days, ["profile"], scope=scope).items()},
        by_community={name: sums for (name,), sums in totals.by(days, ["community"], scope=scope).items()},
        by_person=[],
        counted_until=cells.counted_until(),
        past=past,
    )


def _of_sessions(
    ledger: Ledger, hub: str, month: Month, today: date, scope: Scope, people: int, without_groups: Collection[str]
) -> MonthOfPeople:
    cells, days = MonthFigures(ledger, hub), Days.month(month)
    scope = cells.without(scope, without_groups, month)
    last = last_day(month, today)
    # Before what it holds for, not after.
    counted_until = cells.counted_until()
    return MonthOfPeople(
        total=cells.total(days, scope=scope),
        kept=cells.kept(month, scope=scope),
        last_7=cells.active(Days.until(last, 7), scope=scope),
        last_30=cells.active(Days.until(last, 30), scope=scope),
        lengths=cells.lengths(days, scope=scope),
        per_day=cells.active_per_day(days, scope=scope),
        per_week=cells.active_per_week(days, last, scope=scope),
        by_profile={name: sums for (name,), sums in cells.by(days, ["profile"], scope=scope).items()},
        by_community={name: sums for (name,), sums in cells.by(days, ["community"], scope=scope).items()},
        by_person=cells.by_person(days, scope=scope, limit=people) if people else [],
        counted_until=counted_until,
    )
