"""The usage of a month in the parts that reports are put together from, and their sums.

A part is of one kind: of sessions that were alike in community, profile, image, choices and groups. It knows the people
behind it by number, so that those of several parts are counted once.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import fsum
from typing import TYPE_CHECKING

from .sums import primary_group

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

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


def merged(parts: Iterable[Part], dimensions: Collection[Dimension]) -> list[Part]:
    """Put parts together that no table by these dimensions, and no price, tells apart."""
    alike: dict[Kind, list[Part]] = {}
    for part in parts:
        kind = part.kind
        shown = Kind(
            # The primary group is that of the community.
            community=kind.community if "community" in dimensions or "group" in dimensions else "",
            profile=kind.profile,
            image=kind.image if "image" in dimensions else "",
            choices=kind.choices if "choice" in dimensions else (),
            groups=kind.groups if "group" in dimensions else (),
        )
        alike.setdefault(shown, []).append(part)
    return [
        Part(
            kind,
            frozenset().union(*(part.people for part in some)),
            sum(part.sessions for part in some),
            sum(part.time for part in some),
            sum(part.alone for part in some),
            fsum(part.gib_hours for part in some),
            fsum(part.cpu_hours for part in some),
            fsum(part.gpu_hours for part in some),
        )
        for kind, some in alike.items()
    ]


def add_up(parts: Mapping[Part, Fraction], prices: Prices | None = None) -> Sum:
    """Add up parts, each by its share. Sessions and people are never divided."""
    people: set[int] = set()
    alike: dict[tuple[str, Fraction], list[Part]] = {}
    for part, share in parts.items():
        people |= part.people
        alike.setdefault((part.kind.profile, share), []).append(part)
    hours = alone = gib = cpu = gpu = cost = Fraction()
    for (profile, share), some in alike.items():
        time = share * Fraction(sum(part.time for part in some), MICROSECONDS)
        of_some = [
            share * Fraction(fsum(getattr(part, name) for part in some))
            for name in ("gib_hours", "cpu_hours", "gpu_hours")
        ]
        hours += time
        alone += share * Fraction(sum(part.alone for part in some), MICROSECONDS)
        gib, cpu, gpu = gib + of_some[0], cpu + of_some[1], gpu + of_some[2]
        if prices is not None:
            cost += prices.cost(profile, hours=time, gib_hours=of_some[0], cpu_hours=of_some[1], gpu_hours=of_some[2])
    sessions = sum(part.sessions for part in parts)
    return Sum(len(people), sessions, hours, alone, gib, cpu, gpu, None if prices is None else cost)
