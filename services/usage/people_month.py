"""What the pages of a community and of the hub show of a month."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub_extensions import user_names
from hub_extensions.ledger.month_figures import MonthFigures
from hub_extensions.report_words import called
from hub_extensions.sessions import hours
from hub_extensions.sums import Days

from . import charts
from .kept_months import NAMED, month_of_people
from .months import counted
from .report import Row

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime, tzinfo

    from markupsafe import Markup

    from hub_extensions.ledger import Ledger
    from hub_extensions.reports import Gap
    from hub_extensions.sessions import Month, Window
    from hub_extensions.sums import Scope, Sums
    from hub_extensions.usage_service import UsageSettings

    from .months import MonthOfPeople

ROWS = 50
"""Sessions with a row of their own."""
# Of whom some may be left out.
_ROWS_READ = 4 * ROWS


@dataclass(frozen=True)
class PeopleMonth:
    """The figures of a month, its newest sessions, what is missing, and charts by name.

    ``per_day``: how many people were active on each day until today.
    """

    figures: MonthOfPeople
    per_day: Mapping[date, int]
    rows: tuple[Row, ...]
    gaps: tuple[Gap, ...]
    charts: Mapping[str, Markup]

    @property
    def more_people(self) -> int:
        """How many people have no row of their own."""
        return self.figures.total.people - len(self.figures.by_person)


def read_people_month(
    ledger: Ledger,
    usage: UsageSettings,
    zone: tzinfo,
    month: Month,
    now: datetime,
    community: str | None,
) -> PeopleMonth:
    """Read it: of a community, or of the whole hub when None. Raises ``SQLAlchemyError``."""
    cells, days, today = MonthFigures(ledger, usage.hub), Days.month(month), now.astimezone(zone).date()
    scope, without_groups = counted(usage, community)
    scope = cells.without(scope, without_groups, month)
    figures = month_of_people(ledger, usage, zone, month, now, community, NAMED)
    per_day = {day: figures.per_day.get(day, 0) for day in days if day <= today}
    rows: list[Row] = []
    gaps = figures.past.figures.gaps if figures.past else cells.gaps(month, zone, now, scope=scope)
    if figures.past is None:
        rows = _newest(ledger, usage.hub, days.window(zone), now, scope)
    drawn = {}
    if figures.total.people:
        drawn["active"] = charts.per_day("chart-active", "People active on each day", per_day, "people")
        drawn["profiles"] = hours_by("profile", figures.by_profile, usage.profiles)
    if figures.total.people and community is None:
        drawn["communities"] = hours_by("community", figures.by_community, usage.communities)
    return PeopleMonth(figures, per_day, tuple(rows), gaps, drawn)


def _newest(ledger: Ledger, hub: str, window: Window, now: datetime, scope: Scope) -> list[Row]:
    """Return the newest sessions of a scope."""
    without = set(map(user_names.key, scope.without))
    newest = ledger.sessions(hub, window.start, window.end, communities=scope.communities, limit=_ROWS_READ)
    rows = [
        # As in the sums, what runs counts until it was last seen.
        Row(each, hours(each, window, each.last_seen_at or now))
        for each in newest
        if user_names.key(each.user_name) not in without
    ]
    return rows[:ROWS]


def hours_by(dimension: str, parts: Mapping[str, Sums], titles: Mapping[str, str]) -> Markup:
    """Draw hours, most first."""
    values: dict[str, float] = defaultdict(float)
    for name, sums in parts.items():
        values[called(name, titles)] += sums.hours
    first = next(iter(values))
    description = f"Most, {charts.compact(values[first])} hours: {first}. The table below has all."
    return charts.bars(f"chart-by-{dimension}", f"Hours by {dimension}", description, values)
