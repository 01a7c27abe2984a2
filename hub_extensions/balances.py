"""Balances: what a person has used of their limits, what is left, and when it is there again.

Exact: durations are whole microseconds, and amounts fractions, so that who used all of a limit used exactly all of it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import timedelta
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from .sessions import GIB, HOUR, duration

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime, tzinfo

    from .quotas import Allowance, Counting
    from .sessions import Session

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Balance:
    """What is used of a limit, in units of the resource, and since when it is counted.

    `speed` is how many units what runs now uses in an hour. `frees_at` is the moment from which on there is something
    left, if nothing of the person's runs until then: the next one of the calendar begins, or enough has left a window
    that rolls. None if there is something left now, and also if there never will be.
    """

    allowance: Allowance
    used: Fraction
    since: datetime
    frees_at: datetime | None = None
    speed: Fraction = Fraction()

    @property
    def left(self) -> Fraction:
        """What is left, never less than nothing."""
        return max(self.allowance.limit - self.used, Fraction())

    @property
    def is_spent(self) -> bool:
        """Whether nothing is left."""
        return self.used >= self.allowance.limit

    @property
    def is_low(self) -> bool:
        """Whether the person is to be told that little is left."""
        return self.used >= self.allowance.warn_at

    def reaches_next(self, now: datetime) -> datetime | None:
        """When little, or then nothing, is left at the earliest, if what runs now goes on; None if it never is."""
        bounds = [bound for bound in (self.allowance.warn_at, self.allowance.limit) if bound > self.used]
        if not bounds or not self.speed:
            return None
        return now + timedelta(hours=float((min(bounds) - self.used) / self.speed))


def rate(counting: Counting, session: Session) -> Fraction:
    """How many units a server uses in an hour, by what it was given; 0 if it does not count."""
    if counting.community and session.community != counting.community:
        return Fraction()
    match counting.resource:
        case "memory":
            given = Fraction(session.memory, GIB)
        case "cpu":
            given = Fraction(session.cpu)
        case "gpu":
            given = Fraction(session.gpus)
        case _:
            given = Fraction(1)
    return next((weight * given for profile, weight in counting.weights if profile == session.profile), given)


def balance(allowance: Allowance, sessions: Iterable[Session], now: datetime, zone: tzinfo) -> Balance:
    """What a person's sessions come to; those that run count until now. `sessions` may be of a longer time."""
    counting = allowance.counting
    window = counting.span.window(now, zone)
    counted = [
        (each, units, spent)
        for each in sessions
        if (units := rate(counting, each)) and (spent := duration(each, window, now))
    ]
    # Few rates, many sessions: whole microseconds are added first, for fractions are slow.
    times: dict[Fraction, timedelta] = defaultdict(timedelta)
    for _, units, spent in counted:
        times[units] += spent
    used = sum((units * _hours(spent) for units, spent in times.items()), Fraction())
    speed = sum((units for each, units, _ in counted if each.running), Fraction())
    found = Balance(allowance, used, window.start, speed=speed)
    if not found.is_spent or not allowance.limit:
        return found
    if counting.span.length is None:
        return replace(found, frees_at=window.end)
    pieces = [(max(each.ready_at, window.start), spent, units) for each, units, spent in counted if each.ready_at]
    too_much = (used - allowance.limit) * (HOUR // _MICROSECOND)
    return replace(found, frees_at=_passed(pieces, too_much) + counting.span.length)


def since(allowances: Iterable[Allowance], now: datetime, zone: tzinfo) -> datetime:
    """The first moment that any of the limits counts; there must be one."""
    return min(allowance.counting.span.window(now, zone).start for allowance in allowances)


def ended_when_last_seen(sessions: Sequence[Session], running: Collection[str]) -> list[Session]:
    """The sessions, where those without an end whose server does not run ended when they were last seen.

    Nobody saw the end of such a server: its hub was killed. `running` are ids.
    """
    return [
        each if each.ended_at or each.id in running else replace(each, ended_at=each.last_seen_at or each.ready_at)
        for each in sessions
    ]


def _hours(time: timedelta) -> Fraction:
    return Fraction(time // _MICROSECOND, HOUR // _MICROSECOND)


def _passed(pieces: Iterable[tuple[datetime, timedelta, Fraction]], amount: Fraction) -> datetime:
    """The first moment before which more than `amount` was used.

    `pieces` are (start, length, units in an hour); the amount is of units times microseconds.
    """
    changes: dict[datetime, Fraction] = defaultdict(Fraction)
    for start, length, units in pieces:
        changes[start] += units
        changes[start + length] -= units
    moments = sorted(changes)
    speed = Fraction()
    for moment, following in pairwise(moments):
        speed += changes[moment]
        used = speed * ((following - moment) // _MICROSECOND)
        if used > amount:
            # One more than the whole microseconds until then: at that moment itself nothing is left yet.
            return moment + (1 + amount // speed) * _MICROSECOND
        amount -= used
    return moments[-1]
