"""What usage adds up to: whose, of which days, and by what.

- A day, and so a month, is from midnight to midnight in the hub's time zone: where clocks change it has 23 or 25 hours.
- A session counts on the day on which it became ready, and on each later day that began while it ran: those of a span
  are the ones that became ready in it, and the ones that ran when it began. One without a moment of length counts too.
- Time is whole microseconds. The moments in which several servers of a person ran count once for `alone`, for the one
  that became ready first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Literal

from . import groups as group_names
from .sessions import HOUR, Month, Window

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import tzinfo

Dimension = Literal["community", "group", "profile", "choice", "image"]
"""What usage is told apart by. A choice is shown as ``option: choice``; a session counts for each of its choices."""

Attribution = Literal["full", "split", "primary"]
"""How usage counts for the groups of a session: in full for each, in equal parts, or all for the primary group.

The primary group is that of the session's community, or else the first by name. Sessions and people are never divided:
split, they count for each group."""

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Days:
    """Local days of the hub's time zone, from ``start`` up to, but not including, ``end``. ``ValueError`` if none."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(f"there are no days from {self.start} until before {self.end}")

    @classmethod
    def month(cls, month: Month) -> Days:
        """Return the days of a calendar month."""
        year, number = divmod(month.year * 12 + month.month, 12)  # not a Month: the last has none after it
        return cls(date(month.year, month.month, 1), date(year, number + 1, 1))

    @classmethod
    def iso_week(cls, year: int, week: int) -> Days:
        """Return the seven days of a week as ISO 8601 counts them, from Monday; ``ValueError`` if there is none."""
        monday = date.fromisocalendar(year, week, 1)
        return cls(monday, monday + 7 * _DAY)

    @classmethod
    def until(cls, last_day: date, count: int) -> Days:
        """Return so many days, of which ``last_day`` is the last."""
        return cls(last_day - (count - 1) * _DAY, last_day + _DAY)

    def __iter__(self) -> Iterator[date]:
        return (self.start + number * _DAY for number in range(len(self)))

    def __len__(self) -> int:
        return (self.end - self.start).days

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end

    @property
    def are_months(self) -> bool:
        """Whether they are whole calendar months."""
        return self.start.day == self.end.day == 1

    def window(self, zone: tzinfo) -> Window:
        """Return the time from the first midnight to the last, as clocks in ``zone`` show it."""
        return Window(midnight(self.start, zone), midnight(self.end, zone))


@dataclass(frozen=True)
class Scope:
    """Whose usage: ``None`` is everybody's, an empty collection nobody's.

    ``users`` are exact names; those in ``without`` are left out, compared without regard to letter case.
    """

    communities: frozenset[str] | None = None
    users: frozenset[str] | None = None
    without: frozenset[str] = frozenset()


EVERYBODY = Scope()


@dataclass(frozen=True)
class Sums:
    """What a part of the usage adds up to.

    ``time`` is that of running servers, ``alone`` that of people: with several servers at once a person counts once.
    The hours are of what servers were given: GiB of memory, cores, GPUs.
    """

    people: int = 0
    sessions: int = 0
    time: timedelta = timedelta()
    alone: timedelta = timedelta()
    gib_hours: float = 0.0
    cpu_hours: float = 0.0
    gpu_hours: float = 0.0

    @property
    def hours(self) -> float:
        """Hours of running servers."""
        return self.time / HOUR

    @property
    def person_hours(self) -> float:
        """Hours in which people had a running server."""
        return self.alone / HOUR


@dataclass(frozen=True)
class Kept:
    """People of a month: active for the first time, again, still (as the month before), and those who were lost.

    ``returning`` were active before, but not in the month before; ``lost`` were active in that, and not in this one.
    """

    new: int
    returning: int
    retained: int
    lost: int


@dataclass(frozen=True)
class Lengths:
    """How long sessions were: nearest-rank percentiles, nothing where there were no sessions."""

    count: int
    median: timedelta
    p90: timedelta


def iso_week_name(day: date) -> str:
    """Return the ISO week in which a day lies, as in ``2026-W40``; its year is that of its Thursday."""
    year, week, _ = day.isocalendar()
    return f"{year:04d}-W{week:02d}"


def midnight(day: date, zone: tzinfo) -> datetime:
    """Return the moment, in UTC, at which a day begins in ``zone``."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def primary_group(community: str, groups: Collection[str]) -> str:
    """Return the group that a session counts for if it counts for one: the community's, else the first by name."""
    ordered = sorted(groups)
    wanted = group_names.key(community)
    return next((group for group in ordered if group_names.key(group) == wanted), ordered[0] if ordered else "")
