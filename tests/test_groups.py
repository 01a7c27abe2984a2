import fnmatch
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_extensions import groups


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ocean-Lab", "ocean-lab"),
        ("ﬁeld", "FIELD"),
        ("Zürich", "Zu\u0308rich"),
        (" ocean ", "ocean"),
        ("STRASSE", "straße"),
    ],
)
def test_names_that_only_differ_in_case_or_unicode_form_are_one_group(one, other):
    assert groups.key(one) == groups.key(other)


@pytest.mark.parametrize(("one", "other"), [("/a/admin", "/b/admin"), ("org", "org:team"), ("a-b", "a_b")])
def test_the_whole_name_counts(one, other):
    assert groups.key(one) != groups.key(other)


@given(st.text())
def test_the_form_for_comparing_is_stable(name):
    assert groups.key(groups.key(name)) == groups.key(name)


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("project:*", "Project:Reef", True),
        ("project:*", "projects:reef", False),
        ("*:leads", "ocean-lab:leads", True),
        ("a*b*c", "aXbYc", True),
        ("a*b*c", "acb", False),
        ("ab*ba", "aba", False),
        ("*", "", True),
        ("[a-z]*", "b", False),
        ("a?c", "abc", False),
        ("a.c", "abc", False),
    ],
)
def test_only_a_star_is_special_in_a_pattern(pattern, name, fits):
    assert groups.matches(pattern, name) is fits


@given(st.text("ab*", max_size=8), st.text("ab", max_size=8))
def test_patterns_agree_with_the_shell_s_where_both_know_only_the_star(pattern, name):
    assert groups.matches(pattern, name) == bool(re.fullmatch(fnmatch.translate(pattern), name))


def test_someone_in_no_group_is_a_member_of_none():
    assert not groups.member_of_any([], ["ocean-lab", "*"])
