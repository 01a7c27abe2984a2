"""Figures of few people: what somebody who knows all that is shown can work out, and must not."""

from fractions import Fraction
from itertools import chain, combinations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hub_extensions.suppression import Row, hidden, pooled, shares

FEWEST = 3


def whole(*labels, atoms):
    return Row(labels, dict.fromkeys(atoms, Fraction(1)))


def people(*counts):
    """People of atoms, so many in each and each in one."""
    numbers = iter(range(1000))
    return [frozenset(next(numbers) for _ in range(count)) for count in counts]


def names(rows, blocks):
    return sorted(sorted("/".join(rows[number].labels) for number in block) for block in blocks)


def rank(vectors):
    rows = [list(map(Fraction, vector)) for vector in vectors]
    found = 0
    for column in range(len(rows[0]) if rows else 0):
        pivot = next((at for at in range(found, len(rows)) if rows[at][column]), None)
        if pivot is None:
            continue
        rows[found], rows[pivot] = rows[pivot], rows[found]
        for at in range(len(rows)):
            if at != found and rows[at][column]:
                times = rows[at][column] / rows[found][column]
                rows[at] = [a - times * b for a, b in zip(rows[at], rows[found], strict=True)]
        found += 1
    return found


def shown_vectors(tables, blocks, atoms):
    """All sums that an attacker is told, as vectors of shares in atoms: hours (divided) and sessions (not)."""
    yield [Fraction(1)] * atoms
    for rows, of_table in zip(tables, blocks, strict=True):
        for block in of_table:
            parts = shares(rows[number] for number in block)
            yield [parts.get(atom, Fraction()) for atom in range(atoms)]
            yield [Fraction(atom in parts) for atom in range(atoms)]


def worked_out(tables, blocks, who, fewest):
    """Sets of atoms of few people about which a combination of what is shown says something, and nothing else."""
    vectors = list(shown_vectors(tables, blocks, len(who)))
    full = rank(vectors)
    small = [atom for atom in range(len(who)) if len(who[atom]) < fewest]
    for some in chain.from_iterable(combinations(small, count) for count in range(1, len(small) + 1)):
        if len(frozenset().union(*(who[atom] for atom in some))) >= fewest:
            continue
        # What is shown spans a vector that is zero elsewhere if, without these atoms, it spans less.
        without = [[value for atom, value in enumerate(vector) if atom not in some] for vector in vectors]
        if rank(without) < full:
            yield some


def test_small_rows_are_shown_together():
    rows = [whole(name, atoms=[at]) for at, name in enumerate("abcd")]
    assert names(rows, pooled([rows], people(9, 2, 1, 7), FEWEST)[0]) == [["a"], ["b", "c"], ["d"]]


def test_a_single_small_row_takes_the_next_larger_with_it():
    rows = [whole(name, atoms=[at]) for at, name in enumerate("abc")]
    assert names(rows, pooled([rows], people(9, 1, 7), FEWEST)[0]) == [["a"], ["b", "c"]]


def test_several_small_rows_of_the_same_person_are_still_of_one_person():
    rows = [whole(name, atoms=[at]) for at, name in enumerate("abcde")]
    who = [frozenset({1}), frozenset({1}), frozenset({1, 2}), frozenset(range(9)), frozenset(range(20))]
    assert names(rows, pooled([rows], who, FEWEST)[0]) == [["a", "b", "c", "d"], ["e"]]


def test_rows_are_pooled_within_their_first_dimension():
    labels = [("x", "p"), ("x", "q"), ("x", "r"), ("y", "p"), ("y", "q")]
    rows = [whole(*each, atoms=[at]) for at, each in enumerate(labels)]
    blocks = pooled([rows], people(5, 2, 2, 4, 5), FEWEST)[0]
    assert names(rows, blocks) == [["x/p"], ["x/q", "x/r"], ["y/p"], ["y/q"]]


def test_another_table_does_not_give_a_pooled_row_away():
    """By profile alone, p is shown; were y/p pooled and x/p shown, p less x/p would be y/p."""
    labels = [("x", "p"), ("x", "q"), ("y", "p"), ("y", "q")]
    both = [whole(*each, atoms=[at]) for at, each in enumerate(labels)]
    by_profile = [whole("p", atoms=[0, 2]), whole("q", atoms=[1, 3])]
    who = people(9, 9, 1, 9)
    blocks = pooled([by_profile, both], who, FEWEST)
    assert not list(worked_out([by_profile, both], blocks, who, FEWEST))
    assert names(by_profile, blocks[0]) == [["p"], ["q"]]


def test_those_who_are_not_in_a_group_are_protected_too():
    """All but one person are in the group: what is not the group's is theirs."""
    rows = [whole("all", atoms=[0, 1]), whole("most", atoms=[0])]
    who = people(9, 1)
    assert names(rows, pooled([rows], who, FEWEST)[0]) == [["all", "most"]]


def test_only_groups_that_give_somebody_away_are_shown_together():
    """All of the smaller group are in the larger, which has one person more; others are in neither."""
    rows = [whole("", atoms=[2]), whole("larger", atoms=[0, 1]), whole("smaller", atoms=[0])]
    assert names(rows, pooled([rows], people(30, 1, 7), FEWEST)[0]) == [[""], ["larger", "smaller"]]


def test_one_person_in_two_groups_is_not_the_overlap_that_is_shown():
    rows = [whole("a", atoms=[0, 1]), whole("b", atoms=[1, 2])]
    assert names(rows, pooled([rows], people(9, 1, 9), FEWEST)[0]) == [["a", "b"]]


def test_with_fewer_people_than_that_nothing_can_be_shown():
    with pytest.raises(ValueError, match="only 2 people"):
        pooled([[whole("a", atoms=[0])]], people(2), FEWEST)


@pytest.mark.parametrize("fewest", [0, 1])
def test_switched_off_every_row_is_shown(fewest):
    rows = [whole("a", atoms=[0]), whole("b", atoms=[1])]
    assert pooled([rows], people(1, 1), fewest) == [[(0,), (1,)]]


def test_what_cannot_be_found_out_in_time_is_shown_as_one_the_largest_table_first():
    small = [whole("x", atoms=[0, 1]), whole("y", atoms=[2, 3])]
    large = [whole(*each, atoms=[at]) for at, each in enumerate(["xp", "xq", "yp", "yq"])]
    who = people(9, 9, 9, 9)
    assert [len(blocks) for blocks in pooled([large, small], who, FEWEST)] == [4, 2]
    assert [len(blocks) for blocks in pooled([large, small], who, FEWEST, 100)] == [1, 2]
    assert [len(blocks) for blocks in pooled([large, small], who, FEWEST, 0)] == [1, 1]


@st.composite
def usages(draw):
    """Atoms of two dimensions and of groups, by few people who stand in several; some tables over them."""
    atoms = draw(
        st.lists(
            st.tuples(
                st.sampled_from("xyz"),
                st.sampled_from("pqr"),
                st.frozensets(st.sampled_from("ghi"), max_size=3),
                st.frozensets(st.integers(0, 9), min_size=1, max_size=6),
            ),
            min_size=1,
            max_size=9,
        )
    )
    asked = draw(
        st.lists(st.sampled_from(["c", "p", "cp", "g", "gp", "split", "cg"]), min_size=1, max_size=4, unique=True)
    )
    tables = []
    for by in asked:
        rows = {}
        for number, (community, profile, groups, _) in enumerate(atoms):
            of = sorted(groups) or [""]
            share = Fraction(1, len(of)) if by == "split" else Fraction(1)
            labels = {
                "c": [(community,)],
                "p": [(profile,)],
                "cp": [(community, profile)],
                "g": [(group,) for group in of],
                "split": [(group,) for group in of],
                "gp": [(group, profile) for group in of],
                "cg": [(community, group) for group in of],
            }[by]
            for each in labels:
                rows.setdefault(each, {})[number] = share
        tables.append([Row(each, parts) for each, parts in sorted(rows.items())])
    return tables, [who for *_, who in atoms]


# Three sums together tell of what one person used in four places, and no two of them do.
FOUR_PLACES = (
    [
        [whole("x", atoms=[0, 1, 3, 4, 5]), whole("y", atoms=[2, 6])],
        [whole("", atoms=[0, 6]), whole("g", atoms=[1, 2, 3, 5]), whole("h", atoms=[3, 5]), whole("i", atoms=[3, 4])],
    ],
    [frozenset(those) for those in ([0], [0], [0], [0], [1, 2], [0, 1, 2], [1, 2])],
)


@settings(max_examples=300, deadline=None)
@example(FOUR_PLACES, 10**6)
@example(FOUR_PLACES, 0)
@given(usages(), st.sampled_from([10**6, 10**6, 10**6, 300, 100, 30, 0]))
def test_nobody_can_work_out_what_few_people_used(usage, most_terms):
    """Nor if there is so much of it that what leaks cannot be found out."""
    tables, who = usage
    if len(frozenset().union(*who)) < FEWEST:
        return
    blocks = pooled(tables, who, FEWEST, most_terms)
    for rows, of_table in zip(tables, blocks, strict=True):
        assert sorted(chain.from_iterable(of_table)) == list(range(len(rows)))
        for block in of_table:
            assert len(frozenset().union(*(who[atom] for number in block for atom in rows[number].shares))) >= FEWEST
    assert not list(worked_out(tables, blocks, who, FEWEST))


@pytest.mark.parametrize(
    ("counts", "kept_back"),
    [
        ({"new": 9, "returning": 0, "retained": 9}, set()),
        ({"new": 2, "returning": 0, "retained": 9}, {"new", "retained"}),
        ({"new": 2, "returning": 4, "retained": 9}, {"new", "returning"}),
        ({"new": 2, "returning": 2, "retained": 9}, {"new", "returning", "retained"}),
        ({"new": 2, "returning": 3, "retained": 9}, {"new", "returning"}),
        ({"new": 2, "returning": 8, "retained": 9}, {"new", "returning"}),
    ],
)
def test_a_small_count_is_not_what_is_missing_of_its_sum(counts, kept_back):
    assert hidden(counts, [("new", "returning", "retained")], 5) == kept_back


@given(st.lists(st.integers(0, 12), min_size=4, max_size=4))
def test_counts_do_not_follow_from_the_sums_of_two_months(numbers):
    counts = dict(zip(("new", "returning", "retained", "lost"), numbers, strict=True))
    sums = [("new", "returning", "retained"), ("retained", "lost")]
    found = hidden(counts, sums, 5)
    assert all(name in found for name, count in counts.items() if 0 < count < 5)
    for names_of in sums:
        missing = [counts[name] for name in names_of if name in found]
        if sum(counts[name] for name in names_of) >= 5 and missing:
            assert sum(missing) >= 5
