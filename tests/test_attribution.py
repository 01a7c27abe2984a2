import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_extensions.attribution import annotations, groups_hash, label_value, labels

VALID = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?")


@given(st.text(max_size=200))
def test_any_text_becomes_a_valid_label(text):
    assert VALID.fullmatch(label_value(text))
    assert len(label_value(text)) <= 63


@given(st.text(max_size=80), st.text(max_size=80))
def test_different_texts_become_different_labels(one, other):
    assert (label_value(one) == label_value(other)) == (one == other)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("ocean-lab", "ocean-lab"),
        ("", ""),
        ("org:team", r"org-team---[0-9a-f]{16}"),
        ("日本", r"x---[0-9a-f]{16}"),
        ("a" * 64, r"a{40}---[0-9a-f]{16}"),
        ("trailing-", r"trailing---[0-9a-f]{16}"),
        ("line\n", r"line---[0-9a-f]{16}"),
    ],
)
def test_a_label_is_as_readable_as_it_can_be(text, label):
    assert re.fullmatch(label, label_value(text))


def test_the_same_groups_have_the_same_hash_in_any_order_and_letter_case():
    assert groups_hash(["b", "A"]) == groups_hash(["a", "B", "a"]) != groups_hash(["ab"])
    assert groups_hash([]) == ""


def test_annotations_hold_the_texts_and_what_is_empty_has_neither():
    assert annotations("Océan {x}", "", ["b:t", "a"]) == {
        "hub-extensions/community": "Océan {x}",
        "hub-extensions/groups": '["a", "b:t"]',
    }
    assert set(labels("c", "", [])) == {"hub-extensions/community"}
    assert annotations("", "", []) == {}


def test_more_groups_than_a_pod_can_hold_leave_the_hash_only():
    groups = [f"group-{number}-{'x' * 100}" for number in range(2000)]
    assert json.dumps(annotations("", "p", groups)) == '{"hub-extensions/profile": "p"}'
    assert labels("", "p", groups)["hub-extensions/groups"] == groups_hash(groups)
