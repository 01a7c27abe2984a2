"""Figures of few people, kept out of what leaves the hub.

What a report is made of are *atoms*: parts of the usage that no table tells apart further. A row is made of atoms, each
in full or by a share, and what is shown of it is the sum over them. Rows of fewer people than a number are not shown by
themselves but *pooled*: together with other rows of their table, until enough people stand behind the sum.

Requirements:

- no shown row, pooled or not, is of fewer people than that, but for rows of nobody;
- nothing of fewer people follows by adding and subtracting what is shown: not from the total, not from another row, not
  from another table of the same report. All combinations of what is shown that concern small atoms alone are found by
  elimination, over a prime field, where it is exact.

What stays possible is a bound (a sum of ten people is not less than the part of one), and knowledge from elsewhere: a
person who stands in a row with four others knows their own part of it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

_PRIME = 2**61 - 1

_MOST_STEPS = 2000

_MOST_TERMS = 20_000_000
"""Terms of sums that are looked at, which takes some seconds."""

Vector = dict[int, int]  # sparse, modulo the prime
_Known = tuple[Vector, Vector]  # what is known of atoms, and of which shown sums it is made


@dataclass(frozen=True)
class Row:
    """A row of a table: what it is called in each of the table's dimensions, and its share (0 to 1) in atoms."""

    labels: tuple[str, ...]
    shares: Mapping[int, Fraction]


class _TooLongError(Exception):
    """Whether something leaks cannot be found out with reasonable work."""


@dataclass
class _Work:
    """What may still be done."""

    left: int

    def spend(self, terms: int) -> None:
        """Count work. Raises ``_TooLongError`` when there was too much."""
        self.left -= terms
        if self.left < 0:
            raise _TooLongError


Block = tuple[int, ...]
"""Numbers of rows that are shown as one."""


@dataclass(frozen=True)
class _Shown:
    """Something that is shown: the sum over a block of a table, or the total, whose table is -1.

    Of shares there are two sums: of what is divided, as hours are, and of what is not, as sessions.
    """

    table: int
    block: Block
    vector: Vector
    divided: bool = False


def shares(rows: Iterable[Row]) -> dict[int, Fraction]:
    """Return the share of each atom in rows that are pooled: what several of them have counts once."""
    found: dict[int, Fraction] = {}
    for row in rows:
        for atom, share in row.shares.items():
            found[atom] = min(found.get(atom, Fraction()) + share, Fraction(1))
    return found


def pooled(
    tables: Sequence[Sequence[Row]], people: Sequence[frozenset[int]], fewest: int, most_terms: int = _MOST_TERMS
) -> list[list[Block]]:
    """Return for each table which of its rows are shown as one: blocks of one row, and of several where one is small.

    ``people`` are those of each atom; the total over all atoms is taken to be shown. In each table every atom has to
    have its full share in some row or in several together. Rows of tables with several dimensions are pooled with
    those that differ in the last only, as long as that is enough. Where it would take more than ``most_terms`` to find
    out what leaks, all rows of the largest table are one, and so on. Raises ``ValueError`` if there are fewer people
    than ``fewest`` at all: then nothing can be shown.
    """
    if fewest <= 1:
        return [[(number,) for number in range(len(rows))] for rows in tables]
    everybody: frozenset[int] = frozenset().union(*people)
    if people and len(everybody) < fewest:
        raise ValueError(f"there are only {len(everybody)} people")
    by_size = sorted(range(len(tables)), key=lambda number: (len(tables[number]), number))
    for count in range(len(tables), 0, -1):
        told = sorted(by_size[:count])
        most_terms //= 2  # so that all attempts together are within it
        try:
            found = _pooled([tables[number] for number in told], people, fewest, _Work(most_terms))
        except _TooLongError:
            continue
        blocks = dict(zip(told, found, strict=True))
        return [blocks.get(number) or _as_one(rows) for number, rows in enumerate(tables)]
    return [_as_one(rows) for rows in tables]


def _as_one(rows: Sequence[Row]) -> list[Block]:
    """All rows as one block, which tells no more than the total does: in a table everything has its full share."""
    return [tuple(range(len(rows)))] if rows else []


def _pooled(
    tables: Sequence[Sequence[Row]], people: Sequence[frozenset[int]], fewest: int, work: _Work
) -> list[list[Block]]:
    blocks = [_first_blocks(rows, people, fewest) for rows in tables]
    while leaks := _leaks(tables, blocks, people, fewest, work):
        for leak in leaks:
            # One that was closed along with another is not there any more.
            if all(each.table < 0 or each.block in blocks[each.table] for each, _ in leak):
                _coarsen(tables, blocks, people, leak)
    return blocks


def hidden(counts: Mapping[str, int], sums: Iterable[Sequence[str]], fewest: int) -> set[str]:
    """Return which counts of people are not shown, where some of them add up to sums that are known.

    Those are the small ones, and where they alone would make up what is missing of a sum, the next larger of it. Counts
    of nobody are shown.
    """
    small = {name for name, count in counts.items() if 0 < count < fewest}
    lines = [[name for name in names if counts[name]] for names in sums]
    changed = True
    while changed:
        changed = False
        for names in lines:
            missing = [name for name in names if name in small]
            others = sorted((name for name in names if name not in small), key=lambda name: (counts[name], name))
            if missing and others and sum(counts[name] for name in missing) < fewest:
                small.add(others[0])
                changed = True
    return small


def _people_of(block: Block, rows: Sequence[Row], people: Sequence[frozenset[int]]) -> int:
    return len(frozenset().union(*(people[atom] for number in block for atom in rows[number].shares)))


def _first_blocks(rows: Sequence[Row], people: Sequence[frozenset[int]], fewest: int) -> list[Block]:
    """Pool small rows with their like: first those that differ in the last dimension only, then further away."""
    blocks: list[Block] = [(number,) for number in range(len(rows))]
    dimensions = max((len(row.labels) for row in rows), default=0)
    for depth in range(dimensions - 1, -1, -1):
        alike: dict[tuple[str, ...], list[Block]] = {}
        for block in blocks:
            alike.setdefault(rows[block[0]].labels[:depth], []).append(block)
        blocks = [block for some in alike.values() for block in _without_small(some, rows, people, fewest)]
    return blocks


def _without_small(
    blocks: list[Block], rows: Sequence[Row], people: Sequence[frozenset[int]], fewest: int
) -> list[Block]:
    by_size = sorted(blocks, key=lambda block: (_people_of(block, rows, people), block))
    pool: Block = ()
    while by_size and (
        _people_of(by_size[0], rows, people) < fewest or (pool and _people_of(pool, rows, people) < fewest)
    ):
        pool += by_size.pop(0)
    return [*by_size, tuple(sorted(pool))] if pool else by_size


def _shown(tables: Sequence[Sequence[Row]], blocks: Sequence[Sequence[Block]], atoms: int) -> list[_Shown]:
    found = [_Shown(-1, (), dict.fromkeys(range(atoms), 1))]
    for table, (rows, of_table) in enumerate(zip(tables, blocks, strict=True)):
        for block in of_table:
            parts = shares(rows[number] for number in block)
            found.append(_Shown(table, block, dict.fromkeys(parts, 1)))
            if any(share != 1 for share in parts.values()):
                divided = {atom: _modular(share) for atom, share in parts.items()}
                found.append(_Shown(table, block, divided, divided=True))
    return found


def _modular(share: Fraction) -> int:
    return share.numerator * pow(share.denominator, -1, _PRIME) % _PRIME


def _leaks(
    tables: Sequence[Sequence[Row]],
    blocks: Sequence[Sequence[Block]],
    people: Sequence[frozenset[int]],
    fewest: int,
    work: _Work,
) -> list[list[tuple[_Shown, int]]]:
    """Return what has to be added up, and how often, to learn something of fewer people, for each way to do so."""
    shown = sorted(_shown(tables, blocks, len(people)), key=lambda each: len(each.vector))
    known = _of_small_atoms([each.vector for each in shown], people, fewest, work)
    return [
        [(shown[number], times) for number, times in combination.items()]
        for combination in _of_few(known, people, fewest, work)
    ]


def _of_small_atoms(
    vectors: Sequence[Vector], people: Sequence[frozenset[int]], fewest: int, work: _Work
) -> dict[int, _Known]:
    """Return a basis of all that follows from vectors and lies in small atoms alone, by the pivot of each.

    No vector of it has the pivot of another. Each has with it the combination of ``vectors`` that it is.
    """
    small = {atom for atom, those in enumerate(people) if len(those) < fewest}
    rows = ((vector, {number: 1}) for number, vector in enumerate(vectors))
    # A pivot is the first of its vector: whoever has a small one, small atoms being last, has no other.
    found = {at: row for at, row in _echelon(rows, small, work).items() if at in small}
    for at in sorted(found, reverse=True):
        for other, (vector, combination) in found.items():
            if other != at and at in vector:
                found[other] = _without(at, (vector, combination), found[at], work)
    return found


def _echelon(rows: Iterable[_Known], last: Container[int], work: _Work) -> dict[int, _Known]:
    """Return what spans the same, by the first atom of each vector, all of which differ; ``last`` come last."""

    def order(atom: int) -> tuple[bool, int]:
        return atom in last, atom

    pivots: dict[int, _Known] = {}
    for row in rows:
        rest = row
        work.spend(len(rest[0]))
        while (at := min((atom for atom in rest[0] if atom in pivots), key=order, default=None)) is not None:
            rest = _without(at, rest, pivots[at], work)
        if rest[0]:
            pivots[min(rest[0], key=order)] = rest
    return pivots


def _of_few(
    basis: Mapping[int, _Known], people: Sequence[frozenset[int]], fewest: int, work: _Work
) -> Iterator[Vector]:
    """Yield the combinations behind vectors of few people: one for each pivot that is in any.

    People are taken together step by step. Of the vectors whose pivots are of these people alone, a combination may
    vanish wherever others are concerned: then it is found. If none does, one of the atoms that are in the way must be
    of people who belong to them too, or vanish by another vector, whose pivot must be.
    """
    pivots_of: dict[int, set[int]] = defaultdict(set)
    users: dict[int, set[int]] = defaultdict(set)
    for pivot, (vector, _) in basis.items():
        for person in people[pivot]:
            pivots_of[person].add(pivot)
        for atom in vector:
            users[atom].add(pivot)
    atoms_of: dict[int, set[int]] = defaultdict(set)
    for atom in users:
        for person in people[atom]:
            atoms_of[person].add(atom)
    for start in basis:
        waiting, met = [people[start]], {people[start]}
        while waiting and len(met) <= _MOST_STEPS:
            those = waiting.pop()
            near = {pivot for person in those for pivot in pivots_of[person] if people[pivot] <= those}
            inside = {atom for person in those for atom in atoms_of[person] if people[atom] <= those}
            work.spend(len(near) + len(inside))
            rows = _echelon((basis[pivot] for pivot in sorted(near)), inside, work)
            vanishing = next((combination for at, (_, combination) in rows.items() if at in inside), None)
            if vanishing is not None:
                yield vanishing
                break
            for at in rows:
                for more in (at, *(users[at] - near)):
                    larger = those | people[more]
                    if len(larger) < fewest and larger not in met:
                        met.add(larger)
                        waiting.append(larger)
        else:
            if waiting:
                yield basis[start][1]  # nobody can tell in time: better too careful


def _without(atom: int, row: _Known, other: _Known, work: _Work) -> _Known:
    """Take so much of another away that an atom vanishes."""
    work.spend(sum(len(each) for each in (*row, *other)))
    times = -row[0][atom] * pow(other[0][atom], -1, _PRIME)
    return _sum(row[0], other[0], times), _sum(row[1], other[1], times)


def _sum(one: Vector, other: Vector, times: int) -> Vector:
    found = dict(one)
    for at, value in other.items():
        changed = (found.get(at, 0) + times * value) % _PRIME
        if changed:
            found[at] = changed
        else:
            found.pop(at, None)
    return found


def _coarsen(
    tables: Sequence[Sequence[Row]],
    blocks: list[list[Block]],
    people: Sequence[frozenset[int]],
    leak: Sequence[tuple[_Shown, int]],
) -> None:
    """Pool two blocks of the last table that takes part in a leak, so that what is added up there is not known."""
    for table in sorted({each.table for each, _ in leak if each.table >= 0}, reverse=True):
        rows = tables[table]
        times: dict[Block, dict[bool, int]] = {}
        for each, count in leak:
            if each.table == table:
                times.setdefault(each.block, {})[each.divided] = count
        for block in sorted(times, key=lambda block: (_people_of(block, rows, people), block)):
            others = [
                other
                for other in blocks[table]
                if other != block and (times.get(other) != times[block] or _overlap(block, other, rows))
            ]
            if others:
                other = min(others, key=lambda other: _distance(block, other, rows, people))
                rest = [each for each in blocks[table] if each not in (block, other)]
                blocks[table] = [*rest, tuple(sorted(block + other))]
                return
    # Nothing of it tells two blocks apart. So none is to be told apart.
    for table in range(len(tables) - 1, -1, -1):
        if len(blocks[table]) > 1:
            blocks[table] = [tuple(range(len(tables[table])))]
            return


def _overlap(block: Block, other: Block, rows: Sequence[Row]) -> bool:
    atoms = {atom for number in block for atom in rows[number].shares}
    return any(atom in atoms for number in other for atom in rows[number].shares)


def _distance(
    block: Block, other: Block, rows: Sequence[Row], people: Sequence[frozenset[int]]
) -> tuple[bool, int, bool, int, Block]:
    """How unlike two blocks are: those are near that share atoms, have first dimensions in common, and are pools."""
    one, two = rows[block[0]].labels, rows[other[0]].labels
    alike = next((at for at, (a, b) in enumerate(zip(one, two, strict=True)) if a != b), len(one))
    apart = not _overlap(block, other, rows)
    return apart, -alike, len(other) == 1, _people_of(other, rows, people), other
