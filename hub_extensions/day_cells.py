"""How sessions become day cells: what each person did on each day, by kind of session.

Cells depend on nothing but what is known of the sessions, so that counting again changes nothing. All is exact until
the hours of memory, cores and GPUs, which are rounded once.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

from .sessions import GIB, HOUR
from .sums import Days, midnight

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import tzinfo

MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1)
_HOUR = HOUR // MICROSECOND


@dataclass(frozen=True)
class Stretch:
    """What one session counts: from ``ready_at`` up to, but not including, ``end``, both in UTC.

    ``kind`` says what it was, as any number; ``memory`` in bytes, ``cpu`` in cores. An end before the start, of a clock
    that was set back, counts as no time.
    """

    id: str
    kind: int
    ready_at: datetime
    end: datetime
    memory: int = 0
    cpu: float = 0.0
    gpus: int = 0


@dataclass
class Cell:
    """What the sessions of one kind of one person come to on one day; ``time`` and ``alone`` in microseconds.

    ``started``: became ready on the day. ``continued``: ran as it began. ``memory`` in GiB-hours, ``cpu`` in
    core-hours, ``gpu`` in GPU-hours.
    """

    started: int = 0
    continued: int = 0
    time: int = 0
    alone: int = 0
    memory: float = 0.0
    cpu: float = 0.0
    gpu: float = 0.0


class Calendar:
    """The days of a time zone, with the moments at which they begin. Makes each once: thousands of sessions ask."""

    def __init__(self, zone: tzinfo) -> None:
        self.zone = zone
        self._begins: dict[date, datetime] = {}

    def begin(self, day: date) -> datetime:
        """Return the moment at which a day begins, in UTC."""
        found = self._begins.get(day)
        if found is None:
            found = self._begins[day] = midnight(day, self.zone)
        return found

    def day_of(self, moment: datetime) -> date:
        """Return the day in which a moment lies: the last that began by then."""
        # Not always the date that clocks show: where they were set back over midnight, they show a day twice.
        day = moment.astimezone(self.zone).date()
        while self.begin(day) > moment:
            day -= _DAY
        while self.begin(day + _DAY) <= moment:
            day += _DAY
        return day

    def days(self, start: datetime, end: datetime) -> Days:
        """Return the days that the time from ``start`` up to ``end`` touches: one at least."""
        last = self.day_of(max(start, end - MICROSECOND))
        return Days(self.day_of(start), last + _DAY)


def day_cells(stretches: Iterable[Stretch], days: Iterable[date], calendar: Calendar) -> dict[tuple[date, int], Cell]:
    """Return the cells of one person for these days, by day and kind; days without a session have none.

    The stretches must be all that touch one of the days; others change nothing.
    """
    ordered = sorted(stretches, key=lambda each: (each.ready_at, each.id))
    begins = sorted((calendar.begin(day), calendar.begin(day + _DAY), day) for day in set(days))
    ends = [end for _, end, _ in begins]
    cells: dict[tuple[date, int], Cell] = defaultdict(Cell)
    # Time by what was given: few sizes, whole numbers, rounded at the end.
    times: dict[tuple[date, int], dict[tuple[int, float, int], int]] = defaultdict(lambda: defaultdict(int))
    covered: datetime | None = None
    for each in ordered:
        # Whoever became ready later, and ran at the same time, is alone only after all before have ended.
        alone_from = each.ready_at if covered is None else max(covered, each.ready_at)
        covered = max(alone_from, each.end)
        for begin, end, day in begins[bisect_right(ends, each.ready_at) :]:
            if begin > each.ready_at and begin >= each.end:
                break
            cell = cells[day, each.kind]
            if each.ready_at >= begin:
                cell.started += 1
            else:
                cell.continued += 1
            last = min(each.end, end)
            time = (last - max(each.ready_at, begin)) // MICROSECOND
            if time > 0:
                cell.time += time
                cell.alone += max((last - max(alone_from, begin)) // MICROSECOND, 0)
                times[day, each.kind][each.memory, each.cpu, each.gpus] += time
    for place, spent in times.items():
        cell = cells[place]
        cell.memory = _hours((memory, time) for (memory, _, _), time in spent.items()) / GIB
        cell.cpu = _hours((cpu, time) for (_, cpu, _), time in spent.items())
        cell.gpu = _hours((gpus, time) for (_, _, gpus), time in spent.items())
    return dict(cells)


def _hours(given: Iterable[tuple[float, int]]) -> float:
    """Return the hours of so many units for so many microseconds each, rounded once: in any order the same."""
    parts: Sequence[tuple[float, int]] = [(units, time) for units, time in given if units]
    if not parts:
        return 0.0
    return float(sum(Fraction(units) * time for units, time in parts) / _HOUR)
