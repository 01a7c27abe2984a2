"""What is left of months whose sessions are no longer kept: sums by community, group and profile, without names."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from ..sums import EVERYBODY, Days, Sums
from .past_months import NotKeptError, one_community
from .retention import DAY, DIMENSIONS, MONTH
from .tables import TOTALS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from ..sums import Attribution, Dimension, Scope
    from .store import Ledger


class Totals:
    """Reads the totals of the hub that the ledger knows as ``hub``; `Cells` reads all days from `PastMonths.until` on.

    Days are one whole calendar month, or one day: how many different people that were in several of them nobody knows
    any more. Of communities a scope has all, or one. Each group has the whole of its sessions. Whom a scope leaves out
    was left out when the month was added up, or not at all. All else raises ``NotKeptError``. Methods raise
    ``sqlalchemy.exc.SQLAlchemyError`` when the database does not answer.
    """

    def __init__(self, ledger: Ledger, hub: str) -> None:
        self.ledger = ledger
        self.hub = hub

    def total(self, days: Days, *, scope: Scope = EVERYBODY) -> Sums:
        """Return what all of it adds up to."""
        return self.by(days, (), scope=scope).get((), Sums())

    def by(
        self,
        days: Days,
        dimensions: Sequence[Dimension],
        *,
        scope: Scope = EVERYBODY,
        attribution: Attribution = "full",
    ) -> dict[tuple[str, ...], Sums]:
        """Return what each combination of values of the dimensions adds up to, those with most time first."""
        if attribution != "full" and "group" in dimensions:
            raise NotKeptError(f"of {days.start:%B %Y} only the whole of each group is known, not a part of it")
        community = one_community(scope)
        wanted = {*dimensions, *(["community"] if community is not None else [])}
        rows = self._rows(days, wanted, community)
        sums = {tuple(row[name] for name in dimensions): sums for row, sums in rows}
        return dict(sorted(sums.items(), key=lambda item: (-item[1].time, item[0])))

    def active_per_day(self, days: Days, *, scope: Scope = EVERYBODY) -> dict[date, int]:
        """Return how many people were active on each day, of any number of days; those without any are absent."""
        community = one_community(scope)
        chosen = [TOTALS.c.hub == self.hub, TOTALS.c.span == DAY, TOTALS.c.day >= days.start, TOTALS.c.day < days.end]
        if community is None:
            chosen.append(TOTALS.c.by == "")
        else:
            chosen += [TOTALS.c.by == "community", TOTALS.c.community == community]
        with self.ledger.engine.begin() as connection:
            found = select(TOTALS.c.day, TOTALS.c.people).where(*chosen).order_by(TOTALS.c.day)
            return {row.day: row.people for row in connection.execute(found)}

    def _rows(self, days: Days, wanted: set[str], community: str | None) -> list[tuple[dict[str, str], Sums]]:
        for name in wanted.difference(DIMENSIONS):
            raise NotKeptError(f"of {days.start:%B %Y} nothing is known by {name}, only by {', '.join(DIMENSIONS)}")
        if len(days) == 1:
            span = DAY
        elif days.are_months and len(days) <= 31:
            span = MONTH
        else:
            raise NotKeptError(
                f"of the days from {days.start} to {days.end} the totals know each day and each month, not all together"
            )
        chosen = [
            TOTALS.c.hub == self.hub,
            TOTALS.c.span == span,
            TOTALS.c.day == days.start,
            TOTALS.c.by == ",".join(name for name in DIMENSIONS if name in wanted),
        ]
        if community is not None:
            chosen.append(TOTALS.c.community == community)
        with self.ledger.engine.begin() as connection:
            rows = connection.execute(select(TOTALS).where(*chosen)).mappings().all()
        return [
            (
                {name: row[name] for name in DIMENSIONS},
                Sums(
                    people=row["people"],
                    sessions=row["started"] + row["continued"],
                    time=timedelta(microseconds=row["seconds"]),
                    alone=timedelta(microseconds=row["alone"]),
                    gib_hours=row["memory"],
                    cpu_hours=row["cpu"],
                    gpu_hours=row["gpu"],
                ),
            )
            for row in rows
        ]
