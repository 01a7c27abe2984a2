"""Months of people as pages and the API show them, kept in the ledger, and made anew between two heartbeats.

To add up a month of a large hub takes longer than people like to wait for a page. Months that are over do not change
but for what is counted late. Of this month a page may be some minutes behind, and says until when it is counted.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from hub_extensions.ledger.kept_figures import Kept as KeptRow
from hub_extensions.ledger.kept_figures import KeptFigures
from hub_extensions.ledger.month_figures import MonthFigures
from hub_extensions.report_settings import ReportSettings
from hub_extensions.sessions import Month
from hub_extensions.sums import Days, Kept, Lengths, Sums

from .months import MonthOfPeople, counted, last_day, read_month, read_past_month

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from hub_extensions.ledger import Ledger
    from hub_extensions.usage_service import UsageSettings

    from .heartbeat import Asks

MONTHS = 13
"""How many months are kept, this one among them."""
NAMED = 100
"""People of whom figures are kept, those with most hours."""
OLDEST = timedelta(minutes=10)
"""What has changed since is still shown for so long."""
_ANEW = timedelta(minutes=3)
_MOST_COMMUNITIES = 200
_SECONDS = 10.0
# Of a month of the hub: as many are added up in a twentieth of a second.
_MANY_CELLS = 5_000
_MICROSECOND = timedelta(microseconds=1)


def month_of_people(
    ledger: Ledger,
    usage: UsageSettings,
    zone: tzinfo,
    month: Month,
    now: datetime,
    community: str | None,
    people: int = NAMED,
) -> MonthOfPeople:
    """Return a month of a community, or of the hub as a whole when None, of which up to ``people`` are named.

    It is what is kept, if that is not too old, or else is read now. Raises ``SQLAlchemyError``.
    """
    past = read_past_month(ledger, usage.hub, month, counted(usage, community)[0])
    if past is not None:
        return past
    kept = KeptFigures(ledger, usage.hub)
    today = now.astimezone(zone).date()
    found = kept.read(Days.month(month).start, community or "")
    if found is not None and people <= NAMED:
        row, figures = found
        if row.asked == _asked(usage, month, today) and (not row.stale or _will_do(row, figures, now)):
            made = _read(kept, figures)
            if not row.stale:  # the same as if it were made now
                made = replace(made, counted_until=MonthFigures(ledger, usage.hub).counted_until())
            return replace(made, by_person=made.by_person[:people])
    return _made(ledger, usage, month, today, community, people)


def _will_do(row: KeptRow, figures: dict[str, Any], now: datetime) -> bool:
    """Whether what is old is shown rather than made anew: where that takes long, and it is not too old."""
    return bool(row.made_at and now - row.made_at < OLDEST and figures["cells"] >= _MANY_CELLS)


def _made(
    ledger: Ledger, usage: UsageSettings, month: Month, today: date, community: str | None, people: int
) -> MonthOfPeople:
    scope, without_groups = counted(usage, community)
    return read_month(ledger, usage.hub, month, today, scope, people, without_groups)


class MonthKeeper:
    """Makes the figures of months that are missing or old: of the hub and its communities, the newest first.

    One call works for about ``seconds``, and leaves the rest to the next.
    """

    def __init__(
        self,
        ledger: Asks,
        usage: UsageSettings,
        zone: tzinfo,
        *,
        seconds: float = _SECONDS,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.ledger = ledger
        self.usage = usage
        self.zone = zone
        self.seconds = seconds
        self.clock = clock

    async def keep(self) -> int:
        """Make some; return how many. Raises when the ledger does not answer."""
        until = asyncio.get_running_loop().time() + self.seconds
        made = 0
        for month, community in await self.ledger.ask(self.due):
            await self.ledger.ask(partial(self.make, month=month, community=community))
            made += 1
            if asyncio.get_running_loop().time() > until:
                break
        return made

    def due(self, ledger: Ledger) -> list[tuple[Month, str | None]]:
        """Return the months to be made, each of a community, or of the hub as a whole when None."""
        kept = KeptFigures(ledger, self.usage.hub)
        if MonthFigures(ledger, self.usage.hub).counted_until() is None:
            return []  # all is being counted anew
        first = kept.first_day()
        if first is None:
            return []
        now, there = self.clock(), kept.all()
        this_month, today = Month.of(now, self.zone), now.astimezone(self.zone).date()
        found: list[tuple[Month, str | None]] = []
        communities = MonthFigures(ledger, self.usage.hub).communities()[:_MOST_COMMUNITIES]
        for back in range(MONTHS):
            month = this_month.plus(-back)
            if Days.month(month).start < first:
                break
            asked = _asked(self.usage, month, today)
            for community in (None, *communities):
                row = there.get((Days.month(month).start, community or ""))
                is_there = row is not None and row.asked == asked and row.made_at is not None
                if not (row and is_there) or (row.stale and row.made_at and now - row.made_at >= _ANEW):
                    found.append((month, community))
        return found

    def make(self, ledger: Ledger, month: Month, community: str | None) -> None:
        """Make the figures of a month."""
        kept, now = KeptFigures(ledger, self.usage.hub), self.clock()
        day, today = Days.month(month).start, now.astimezone(self.zone).date()
        making = kept.begin(day, community or "")
        made = _made(ledger, self.usage, month, today, community, NAMED)
        figures = {**_written(kept, made), "cells": kept.cells(day)}
        kept.write(day, community or "", making, _asked(self.usage, month, today), figures, now)


def _asked(usage: UsageSettings, month: Month, today: date) -> str:
    """Say what figures depend on besides the ledger, in few letters."""
    left_out = ReportSettings.model_validate(usage.reports).without
    told = [
        2,  # grows when figures are made in another way
        sorted(usage.service_users),
        sorted(left_out.users),
        sorted(left_out.groups),
        str(last_day(month, today)),
    ]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _written(kept: KeptFigures, made: MonthOfPeople) -> dict[str, Any]:
    numbers = kept.people([name for name, _ in made.by_person])
    lengths = made.lengths
    return {
        "total": _row(made.total),
        "kept": asdict(made.kept),
        "last_7": made.last_7,
        "last_30": made.last_30,
        "lengths": [lengths.count, lengths.median // _MICROSECOND, lengths.p90 // _MICROSECOND],
        "per_day": {day.isoformat(): count for day, count in made.per_day.items()},
        "per_week": dict(made.per_week),
        "by_profile": {name: _row(sums) for name, sums in made.by_profile.items()},
        "by_community": {name: _row(sums) for name, sums in made.by_community.items()},
        "by_person": [[numbers[name], *_row(sums)] for name, sums in made.by_person if name in numbers],
        "counted_until": made.counted_until and made.counted_until.isoformat(),
    }


def _read(kept: KeptFigures, figures: dict[str, Any]) -> MonthOfPeople:
    names = kept.names([number for number, *_ in figures["by_person"]])
    count, median, p90 = figures["lengths"]
    counted_until = figures["counted_until"]
    return MonthOfPeople(
        total=_sums(figures["total"]),
        kept=Kept(**figures["kept"]),
        last_7=figures["last_7"],
        last_30=figures["last_30"],
        lengths=Lengths(count, median * _MICROSECOND, p90 * _MICROSECOND),
        per_day={date.fromisoformat(day): people for day, people in figures["per_day"].items()},
        per_week=dict(sorted(figures["per_week"].items())),
        by_profile=_by_name(figures["by_profile"]),
        by_community=_by_name(figures["by_community"]),
        by_person=[(names[number], _sums(row)) for number, *row in figures["by_person"] if number in names],
        counted_until=counted_until and datetime.fromisoformat(counted_until),
    )


def _by_name(rows: dict[str, list[Any]]) -> dict[str, Sums]:
    # Databases may keep the keys of JSON in an order of their own.
    sums = {name: _sums(row) for name, row in rows.items()}
    return dict(sorted(sums.items(), key=lambda item: (-item[1].time, item[0])))


def _row(sums: Sums) -> list[Any]:
    amounts = [each // _MICROSECOND for each in (sums.time, sums.alone)]
    return [sums.people, sums.sessions, *amounts, sums.gib_hours, sums.cpu_hours, sums.gpu_hours]


def _sums(row: list[Any]) -> Sums:
    people, sessions, running, alone, *hours = row
    return Sums(people, sessions, running * _MICROSECOND, alone * _MICROSECOND, *hours)
