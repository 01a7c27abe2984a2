"""How long sessions are kept under people's names, as settings say it: ``13 months``, ``400 days``, ``forever``.

Months go as a whole, once they are entirely that old: until then a report of a month counts its sessions, and from then
on it reads the sums that are left of them. So sessions stay at least that long, and at most a month longer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from .durations import duration_of
from .mistakes import shown
from .sessions import Month

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

USUAL = "13 months"

_SHORTEST = timedelta(days=28)
_CALENDAR = re.compile(r"(\d{1,4}) *(month|year)s?", re.ASCII)
_DAYS_OF_MONTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True)
class Keeping:
    """How long sessions are kept: so many calendar months, or some time; neither is forever."""

    months: int = 0
    time: timedelta = timedelta()

    @classmethod
    def parse(cls, text: str) -> Keeping:
        """Read what settings say; ``ValueError`` for anything else, and for less than a month."""
        words = text.strip().casefold()
        if words == "forever":
            return cls()
        found = _CALENDAR.fullmatch(words)
        if found:
            kept = cls(months=int(found[1]) * (12 if found[2] == "year" else 1))
        else:
            kept = cls(time=duration_of(words) or timedelta())
        if kept.is_forever or kept.shortest < _SHORTEST or kept.shortest > timedelta(days=36_500):
            raise ValueError(
                f"expected how long sessions are kept, such as {USUAL}, 400 days or forever, and at least "
                f"{_SHORTEST.days} days; found {shown(text)}."
            )
        return kept

    @property
    def is_forever(self) -> bool:
        """Whether nothing ever goes."""
        return not (self.months or self.time)

    @property
    def shortest(self) -> timedelta:
        """How long each session is kept at the very least."""
        if self.is_forever:
            return timedelta.max
        years, months = divmod(self.months, 12)
        fewest = min(sum(_DAYS_OF_MONTHS[(first + n) % 12] for n in range(months)) for first in range(12))
        return self.time + timedelta(days=365 * years + fewest)

    def first_kept(self, now: datetime, zone: tzinfo) -> date | None:
        """Return the first day of the months of which everything is kept at ``now``; ``None`` if all of it is."""
        if self.is_forever:
            return None
        month = Month.of(now - self.time, zone).plus(-self.months)
        return date(month.year, month.month, 1)
