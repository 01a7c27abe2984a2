"""How many series a metric has."""

from hypothesis import given
from hypothesis import strategies as st

from hub_extensions.series import OTHERS, capped

LABELS = st.tuples(st.text(max_size=3), st.text(max_size=3))


def test_the_largest_have_a_series_each_and_the_others_share_one() -> None:
    found = capped({("a", "x"): 1, ("b", "x"): 5, ("c", "y"): 3, ("d", "y"): 2}, largest=2)
    assert found == {("b", "x"): 5, ("c", "y"): 3, (OTHERS, OTHERS): 3}


def test_as_many_as_fit_are_all_shown() -> None:
    assert capped({("a",): 1, ("b",): 2}, largest=2) == {("b",): 2, ("a",): 1}
    assert capped({}) == {}


@given(st.dictionaries(LABELS, st.integers(0, 100), max_size=30), st.integers(1, 10))
def test_nothing_is_lost_and_there_are_never_more(values: dict[tuple[str, str], int], largest: int) -> None:
    found = capped(values, largest)
    assert len(found) <= largest + 1
    assert sum(found.values()) == sum(values.values())
