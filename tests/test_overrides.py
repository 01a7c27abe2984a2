import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_extensions.overrides import filled_in, laid_over, merged, unmounted

leaves = st.none() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2)
trees = st.recursive(leaves, lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=8)
mappings = st.dictionaries(st.sampled_from("abc"), trees, max_size=3)


@pytest.mark.parametrize(
    ("below", "above", "result"),
    [
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"y": None}}, {"a": {"x": 1}}),
        ({"a": [1]}, {"a": [2]}, {"a": [2]}),
        ({"a": [1]}, {"a": {"x": 1}}, {"a": {"x": 1}}),
        ({"a": {"x": 1}}, {"a": 3}, {"a": 3}),
        ({}, {"a": {"x": None}}, {"a": {}}),
        ([1], [2], [2]),
    ],
)
def test_mappings_merge_none_removes_and_everything_else_replaces(below, above, result):
    assert merged(below, above) == result


@given(mappings, mappings)
def test_merging_changes_neither_side_and_shares_nothing_with_them(below, above):
    before = copy.deepcopy((below, above))
    result = merged(below, above)
    _spoil(result)
    assert (below, above) == before


def _spoil(tree):
    if isinstance(tree, dict):
        for inner in tree.values():
            _spoil(inner)
        tree["spoilt"] = True
    if isinstance(tree, list):
        tree.append("spoilt")


@given(mappings, mappings)
def test_laying_something_over_twice_is_laying_it_over_once(below, above):
    once = merged(below, above)
    assert merged(once, above) == once


def test_a_written_in_value_is_filled_in_at_any_depth_and_other_placeholders_stay():
    template = {
        "image": "{value}",
        "environment": {"IMAGE": "{value} of {username}"},
        "args": ["--image={value}", 3, '{"a": "{value}"}'],
    }
    assert filled_in(template, "x:1") == {
        "image": "x:1",
        "environment": {"IMAGE": "x:1 of {username}"},
        "args": ["--image=x:1", 3, '{"a": "x:1"}'],
    }


MOUNTS = [{"name": "home", "mountPath": "/home"}, {"name": "home", "mountPath": "/shared"}]


def test_a_mapping_adds_to_a_list_and_what_was_there_stays_first():
    data = {"name": "data", "mountPath": "/data"}
    laid = laid_over(MOUNTS, {"0-data": data})
    assert [laid[key] for key in sorted(laid)] == [*MOUNTS, data]


def test_a_list_replaces_and_what_it_unmounts_is_known():
    assert laid_over({"home": MOUNTS[0]}, MOUNTS[1:]) == MOUNTS[1:]
    assert unmounted(MOUNTS, MOUNTS[1:]) == ("/home",)
    assert unmounted({"home": MOUNTS[0]}, []) == ("/home",)
    assert unmounted(MOUNTS, [*MOUNTS, {"name": "data", "mountPath": "/data"}]) == ()
    assert unmounted([{"name": "home", "emptyDir": {}}], []) == ("home",)


def test_laying_over_changes_neither():
    below, above = [{"name": "a"}], {"b": {"c": []}}
    laid_over(below, above)["b"]["c"].append(1)
    assert (below, above) == ([{"name": "a"}], {"b": {"c": []}})
