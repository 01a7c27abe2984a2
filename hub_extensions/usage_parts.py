"""The usage of a month in the parts that reports are put together from, and their sums.

A part is of one kind: of sessions that were alike in community, profile, image, choices and groups. It knows the people
behind it by number, so that those of several parts are counted once.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from .sums import primary_group

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .prices import Prices
    from .sums import Attribution, Dimension

MICROSECONDS = 3_600_000_000  # in an hour


@dataclass(frozen=True)
class Kind:
    """What sessions were alike in. ``choices`` are as they are shown, ``option: choice``."""

    community: str = ""
    profile: str = ""
    image: str = ""
    choices: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Part:
    """What sessions of a kind come to: ``time`` and ``alone`` in microseconds, the rest in hours of what was given."""

    kind: Kind
    people: frozenset[int]
    sessions: int
    time: int
    alone: int
    gib_hours: float
    cpu_hours: float
    gpu_hours: float


@dataclass(frozen=True)
class Sum:
    """What parts come to, exactly. ``cost`` is None without prices."""

    people: int
    sessions: int
    hours: Fraction
    person_hours: Fraction
    gib_hours: Fraction
    cpu_hours: Fraction
    gpu_hours: Fraction
    cost: Fraction | None = None


def labels(kind: Kind, dimension: Dimension, attribution: Attribution) -> dict[str, Fraction]:
    """Return the rows of a table by one dimension in which a kind is, and its share in each; "" stands for none."""
    if dimension == "group":
        return _groups(kind, attribution)
    found: Iterable[str] = kind.choices or ("",) if dimension == "choice" else (getattr(kind, dimension),)
    return dict.fromkeys(found, Fraction(1))


def _groups(kind: Kind, attribution: Attribution) -> dict[str, Fraction]:
    if attribution == "primary":
        return {primary_group(kind.community, kind.groups): Fraction(1)}
    groups = kind.groups or ("",)
    return dict.fromkeys(groups, Fraction(1, len(groups)) if attribution == "split" else Fraction(1))


def add_up(parts: Mapping[Part, Fraction], prices: Prices | None = None) -> Sum:
    """Add up parts, each by its share. Sessions and people are never divided."""
    people: set[int] = set()
    sessions = 0
    hours = alone = gib = cpu = gpu = cost = Fraction()
    for part, share in parts.items():
        people |= part.people
        sessions += part.sessions
        of_part = [share * Fraction(each) for each in (part.gib_hours, part.cpu_hours, part.gpu_hours)]
        time = share * Fraction(part.time, MICROSECONDS)
        hours, alone = hours + time, alone + share * Fraction(part.alone, MICROSECONDS)
        gib, cpu, gpu = gib + of_part[0], cpu + of_part[1], gpu + of_part[2]
        if prices is not None:
            cost += prices.cost(
                part.kind.profile, hours=time, gib_hours=of_part[0], cpu_hours=of_part[1], gpu_hours=of_part[2]
            )
    return Sum(len(people), sessions, hours, alone, gib, cpu, gpu, None if prices is None else cost)
