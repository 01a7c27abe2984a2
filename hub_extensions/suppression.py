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

from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_PRIME = 2**61 - 1

Vector = dict[int, int]  # sparse, modulo the prime


@dataclass(frozen=True)
class Row:
    """A row of a table: what it is called in each of the table's dimensions, and its share (0 to 1) in atoms."""

    labels: tuple[str, ...]
    shares: Mapping[int, Fraction]


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


def pooled(tables: Sequence[Sequence[Row]], people: Sequence[frozenset[int]], fewest: int) -> list[list[Block]]:
    """Return for each table which of its rows are shown as one: blocks of one row, and of several where one is small.

    ``people`` are those of each atom; the total over all atoms is taken to be shown. In each table every atom has to
    have its full share in some row or in several together. Rows of tables with several dimensions are pooled with
    those that differ in the last only, as long as that is enough. Raises ``ValueError`` if there are fewer people than
    ``fewest`` at all: then nothing can be shown.
    """
    if fewest <= 1:
        return [[(number,) for number in range(len(rows))] for rows in tables]
    everybody: frozenset[int] = frozenset().union(*people)
    if people and len(everybody) < fewest:
        raise ValueError(f"there are only {len(everybody)} people")
    blocks = [_first_blocks(rows, people, fewest) for rows in tables]
    while leaks := _leaks(tables, blocks, people, fewest):
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


def _few(atoms: Iterable[int], people: Sequence[frozenset[int]], fewest: int) -> bool:
    found: set[int] = set()
    for atom in atoms:
        found |= people[atom]
        if len(found) >= fewest:
            return False
    return True


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
    tables: Sequence[Sequence[Row]], blocks: Sequence[Sequence[Block]], people: Sequence[frozenset[int]], fewest: int
) -> list[list[tuple[_Shown, int]]]:
    """Return what has to be added up, and how often, to learn something of fewer people, for each way to do so."""
    shown = sorted(_shown(tables, blocks, len(people)), key=lambda each: len(each.vector))
    known = _of_small_atoms([each.vector for each in shown], people, fewest)
    return [
        [(shown[number], times) for number, times in combination.items()]
        for combination in _of_few(known, people, fewest)
    ]


def _of_small_atoms(
    vectors: Sequence[Vector], people: Sequence[frozenset[int]], fewest: int
) -> list[tuple[Vector, Vector]]:
    """Return a basis, in reduced form, of all that follows from vectors and lies in small atoms alone.

    Each with the combination of vectors that it is.
    """
    small = {atom for atom, those in enumerate(people) if len(those) < fewest}
    pivots: dict[int, tuple[Vector, Vector]] = {}
    for number, vector in enumerate(vectors):
        rest, combination = dict(vector), {number: 1}
        while (at := min((a for a in rest if a in pivots), key=lambda a: (a in small, a), default=None)) is not None:
            other, other_combination = pivots[at]
            times = -rest[at] * pow(other[at], -1, _PRIME)
            rest, combination = _sum(rest, other, times), _sum(combination, other_combination, times)
        if rest:
            pivots[min(rest, key=lambda a: (a in small, a))] = rest, combination
    # A pivot is the first of its vector, small atoms being last: so these have no other.
    found = {at: row for at, row in pivots.items() if at in small}
    for at in sorted(found, reverse=True):
        for other_at, (vector, combination) in found.items():
            if other_at != at and at in vector:
                pivot, pivot_combination = found[at]
                times = -vector[at] * pow(pivot[at], -1, _PRIME)
                found[other_at] = _sum(vector, pivot, times), _sum(combination, pivot_combination, times)
    return list(found.values())


def _of_few(basis: Sequence[tuple[Vector, Vector]], people: Sequence[frozenset[int]], fewest: int) -> Iterable[Vector]:
    """Yield the combinations behind vectors of few people: those of a basis, and of two of them that share an atom.

    Two are subtracted so that the shared atom vanishes; what only one of them has stays, and is mostly enough people.
    """
    for vector, combination in basis:
        if _few(vector, people, fewest):
            yield combination
    for (one, of_one), (other, of_other) in combinations(basis, 2):
        shared = one.keys() & other.keys()
        if not shared or not _few(one.keys() ^ other.keys(), people, fewest):
            continue
        for atom in shared:
            times = -one[atom] * pow(other[atom], -1, _PRIME)
            if _few(_sum(one, other, times), people, fewest):
                yield _sum(of_one, of_other, times)


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
    raise AssertionError("what is shown of every table is the total, and the total is of enough people")


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
