"""The report of a month: tables of figures, what they mean, and what is missing in them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Literal

from .prices import Prices, rounded
from .report_settings import FEWEST_PEOPLE
from .report_words import TITLES, definitions, notes_of
from .suppression import Row as Pooling
from .suppression import hidden, pooled, shares
from .usage_parts import Part, add_up, labels, merged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from .report_settings import By
    from .sessions import Month
    from .sums import Attribution, Kept, Lengths
    from .usage_parts import Sum

Value = int | Decimal | None
"""A figure; None where there is none, or where it is of too few people."""

GapKind = Literal["not_over", "not_counted", "end_not_seen", "not_seen_running", "before_records", "not_kept"]


@dataclass(frozen=True)
class Gap:
    """Something that is missing: which sort, since and until which day (local, both included), and how many sessions.

    ``sessions`` is None where none are meant; ``people`` is how many they are of.
    """

    kind: GapKind
    since: date | None = None
    until: date | None = None
    sessions: int | None = None
    people: int = 0


@dataclass(frozen=True)
class Asked:
    """What a report is to be: of a hub's month, with a table for each ``by``, of everybody or of ``communities``.

    ``without_users`` and ``without_groups`` are what the settings leave out. Figures of fewer people than ``fewest``
    are pooled. ``titles`` are what people call communities and profiles, by the dimension and the name.
    """

    hub: str
    title: str
    time_zone: str
    month: Month
    by: tuple[By, ...] = ()
    attribution: Attribution = "full"
    communities: tuple[str, ...] | None = None
    without_users: int = 0
    without_groups: tuple[str, ...] = ()
    prices: Prices | None = None
    fewest: int = FEWEST_PEOPLE
    titles: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Figures:
    """What the ledger has of the month.

    ``last_day`` is the month's last, or today; ``active_7`` and ``active_30`` are the people of the days up to it, and
    ``active_before`` those of the month before; ``ended`` is how many people's sessions ended, whose ``lengths`` are
    known. Weeks are called as in ``2026-W40``.
    """

    parts: tuple[Part, ...]
    kept: Kept
    active_before: int
    active_per_day: Mapping[date, int]
    active_per_week: Mapping[str, int]
    last_day: date
    active_7: int
    active_30: int
    lengths: Lengths
    ended: int
    counted_until: datetime | None
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True)
class Column:
    """A column of figures; ``name`` is for programs, ``title`` for people."""

    name: str
    title: str


@dataclass(frozen=True)
class Row:
    """A row: its labels by the table's dimensions, and its figures by its columns.

    ``together`` is 0, or how many rows are shown as this one; a label in which they differ is then None.
    """

    labels: tuple[str | None, ...]
    values: tuple[Value, ...]
    together: int = 0


@dataclass(frozen=True)
class Table:
    """A table; ``dimensions`` are what its rows are by. ``notes`` are sentences that belong to it."""

    name: str
    title: str
    dimensions: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """The report of a month. ``withheld``: there were people, but too few to show anything of."""

    asked: Asked
    made_at: datetime
    counted_until: datetime | None
    tables: tuple[Table, ...]
    definitions: tuple[tuple[str, str], ...]
    gaps: tuple[Gap, ...]
    withheld: bool = False

    @property
    def currency(self) -> str:
        """The currency of estimated cost, "" without."""
        return self.asked.prices.currency if self.asked.prices else ""


_HUNDREDTH = ("hours", "person_hours", "gib_hours", "cpu_hours", "gpu_hours")


def report(asked: Asked, figures: Figures, made_at: datetime) -> Report:
    """Make the report of what the ledger has."""
    everything = add_up(dict.fromkeys(figures.parts, Fraction(1)), asked.prices)
    withheld = 0 < everything.people < asked.fewest
    tables = [
        _total(asked, everything, withheld),
        _people(asked, figures, everything.people),
        _sessions(asked, figures, everything.sessions, withheld),
        *_by_tables(asked, figures.parts, everything, withheld),
        _over_time(asked, "day", {day.isoformat(): people for day, people in figures.active_per_day.items()}),
        _over_time(asked, "week", figures.active_per_week),
    ]
    # How many sessions are affected is a figure of people, too.
    gaps = tuple(gap if gap.people >= asked.fewest else replace(gap, sessions=None) for gap in figures.gaps)
    return Report(asked, made_at, figures.counted_until, tuple(tables), definitions(asked), gaps, withheld)


def _columns(asked: Asked) -> tuple[Column, ...]:
    names = ["people", "sessions", *_HUNDREDTH]
    found = [Column(name, TITLES[name]) for name in names]
    if asked.prices:
        found.append(Column("estimated_cost", f"{TITLES['estimated_cost']} ({asked.prices.currency})"))
    return tuple(found)


def _values(found: Sum) -> tuple[Value, ...]:
    hours = [rounded(getattr(found, name)) for name in _HUNDREDTH]
    cost = () if found.cost is None else (rounded(found.cost),)
    return (found.people, found.sessions, *hours, *cost)


def _total(asked: Asked, everything: Sum, withheld: bool) -> Table:
    columns = _columns(asked)
    values = (None,) * len(columns) if withheld else _values(everything)
    return Table("total", TITLES["total"], (), columns, (Row((), values),))


def _people(asked: Asked, figures: Figures, active: int) -> Table:
    kept = {name: getattr(figures.kept, name) for name in ("new", "returning", "retained", "lost")}
    # Both sums are known: the one as people of this month, the other from the report of the month before.
    unknown = hidden(kept, [("new", "returning", "retained"), ("retained", "lost")], asked.fewest)
    counts = {
        "active": active,
        **kept,
        "active_7_days": figures.active_7,
        "active_30_days": figures.active_30,
    }
    shown = {name: None if name in unknown else _enough(count, asked.fewest) for name, count in counts.items()}
    columns = tuple(Column(name, TITLES[name]) for name in counts)
    return Table(
        "people",
        TITLES["people_table"],
        (),
        columns,
        (Row((), tuple(shown.values())),),
        notes_of("people", asked, last_day=figures.last_day),
    )


def _sessions(asked: Asked, figures: Figures, sessions: int, withheld: bool) -> Table:
    lengths = figures.lengths
    few = withheld or 0 < figures.ended < asked.fewest
    hours: list[Value] = [None, None]
    if lengths.count and not few:
        hours = [rounded(Fraction(round(length.total_seconds() / 60), 60)) for length in (lengths.median, lengths.p90)]
    columns = tuple(Column(name, TITLES[name]) for name in ("sessions", "median_hours", "p90_hours"))
    values = (None if withheld else sessions, *hours)
    return Table("sessions", TITLES["sessions_table"], (), columns, (Row((), values),), notes_of("sessions", asked))


def _over_time(asked: Asked, unit: Literal["day", "week"], active: Mapping[str, int]) -> Table:
    name = f"active_per_{unit}"
    rows = tuple(Row((label,), (_enough(count, asked.fewest),)) for label, count in sorted(active.items()))
    columns = (Column("people", TITLES["people"]),)
    return Table(name, TITLES[name], (unit,), columns, rows, notes_of(name, asked))


def _enough(count: int, fewest: int) -> int | None:
    return None if 0 < count < fewest else count


def _by_tables(asked: Asked, parts: Sequence[Part], everything: Sum, withheld: bool) -> list[Table]:
    """Make the tables by dimensions together, so that none gives away what another keeps back."""
    if withheld:
        return [replace(_by_table(asked, by, [], everything), notes=()) for by in asked.by]
    parts = merged(parts, {dimension for by in asked.by for dimension in by})
    tables = [_rows(parts, by, asked.attribution) for by in asked.by]
    atoms = _atoms(parts, tables)
    people = [frozenset().union(*(part.people for part in atom)) for atom in atoms]
    poolings = [
        [
            Pooling(name, {at: of_row[atom[0]] for at, atom in enumerate(atoms) if atom[0] in of_row})
            for name, of_row in rows.items()
        ]
        for rows in tables
    ]
    made = []
    for by, rows, blocks in zip(asked.by, poolings, pooled(poolings, people, asked.fewest), strict=True):
        sums = []
        for block in blocks:
            of_block = {part: share for at, share in shares(rows[n] for n in block).items() for part in atoms[at]}
            sums.append((_common([rows[n].labels for n in block]), len(block), add_up(of_block, asked.prices)))
        made.append(_by_table(asked, by, sums, everything))
    return made


_Rows = dict[tuple[str, ...], dict[Part, Fraction]]


def _atoms(parts: Sequence[Part], tables: Sequence[_Rows]) -> list[list[Part]]:
    """Put parts together that are in the same rows of all tables: to everybody who reads these they are one."""
    where: dict[Part, list[tuple[int, tuple[str, ...], Fraction]]] = {part: [] for part in parts}
    for table, rows in enumerate(tables):
        for name, of_row in rows.items():
            for part, share in of_row.items():
                where[part].append((table, name, share))
    found: dict[tuple[tuple[int, tuple[str, ...], Fraction], ...], list[Part]] = {}
    for part, places in where.items():
        found.setdefault(tuple(places), []).append(part)
    return list(found.values())


def _rows(parts: Sequence[Part], by: By, attribution: Attribution) -> _Rows:
    found: _Rows = {}
    for part in parts:
        for combination in product(*(labels(part.kind, dimension, attribution).items() for dimension in by)):
            name = tuple(label for label, _ in combination)
            found.setdefault(name, {})[part] = prod((share for _, share in combination), start=Fraction(1))
    return found


def _common(names: Sequence[tuple[str, ...]]) -> tuple[str | None, ...]:
    """The labels of several rows, None from where they differ on."""
    found: list[str | None] = []
    for these in zip(*names, strict=True):
        found.append(these[0] if len(set(these)) == 1 and None not in found else None)
    return tuple(found)


def _by_table(asked: Asked, by: By, rows: Sequence[tuple[tuple[str | None, ...], int, Sum]], everything: Sum) -> Table:
    # Those with most hours first; rows of one community, say, stay together, and what was pooled is last of its like.
    heads: dict[tuple[str | None, ...], Fraction] = {}
    for name, _, found in rows:
        for depth in range(len(by)):
            heads[name[:depth]] = heads.get(name[:depth], Fraction()) + found.hours

    def order(row: tuple[tuple[str | None, ...], int, Sum]) -> list[tuple[bool, Fraction, str]]:
        name, _, found = row
        hours = [heads[name[: depth + 1]] if depth + 1 < len(by) else found.hours for depth in range(len(by))]
        return [(label is None, -amount, label or "") for label, amount in zip(name, hours, strict=True)]

    ordered = sorted(rows, key=order)
    overlap = sum((found.hours for *_, found in rows), Fraction()) - everything.hours
    return Table(
        "by_" + "_".join(by),
        "By " + " and ".join(by),
        by,
        _columns(asked),
        tuple(Row(name, _values(found), count if count > 1 else 0) for name, count, found in ordered),
        notes_of(
            "by",
            asked,
            by=by,
            overlap=rounded(overlap),
            pooled=any(count > 1 for _, count, _ in rows),
            is_one=len(rows) == 1 and rows[0][1] > 1,
        ),
    )
