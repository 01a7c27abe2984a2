import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_extensions.auth_state_environment import LONGEST_VALUE, Templates, fill_in
from hub_extensions.mistakes import SettingsError, validated

LOGIN = {"GITHUB_USER": "{auth_state[github_user][login]}"}


@pytest.mark.parametrize("value", ["ada", "{x}", "}{", "%s %(a)s", "$(HOME) $HOME", "a\nb", "", "ü 🐢", '{"a": [1]}'])
def test_what_auth_state_says_is_taken_as_it_is(value):
    assert fill_in(LOGIN, {"github_user": {"login": value}}).variables == {"GITHUB_USER": value}


@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=200))
def test_any_text_is_taken_as_it_is(value):
    assert fill_in({"A": "<{auth_state[a]}>"}, {"a": value}).variables == {"A": f"<{value}>"}


@pytest.mark.parametrize(
    "auth_state",
    [None, {}, [], "text", 3, {"github_user": None}, {"github_user": "text"}, {"github_user": {"login": None}}],
    ids=str,
)
def test_what_is_missing_leaves_the_variable_out_and_says_which_look_up_found_nothing(auth_state):
    filled = fill_in(LOGIN, auth_state)
    assert filled.variables == {}
    assert filled.left_out == {"GITHUB_USER": "there is no {auth_state[github_user][login]}"}


def test_one_variable_that_is_missing_does_not_take_the_others_with_it():
    templates = {"A": "{auth_state[a]}", "B": "{auth_state[a]}{auth_state[b]}", "C": "fixed {{c}}"}
    assert fill_in(templates, {"a": "1"}).variables == {"A": "1", "C": "fixed {c}"}


@pytest.mark.parametrize(
    ("value", "text"),
    [(3, "3"), (True, "true"), (["a", 1], '["a", 1]'), ({"k": "ü"}, '{"k": "ü"}'), (0, "0")],
    ids=str,
)
def test_what_is_not_text_becomes_json(value, text):
    assert fill_in({"A": "{auth_state[a]}"}, {"a": value}).variables == {"A": text}


def test_a_number_looks_up_in_a_list_and_nothing_looks_into_text():
    state = {"emails": [{"address": "ada@example.org"}], "name": "ada"}
    assert fill_in({"A": "{auth_state[emails][0][address]}"}, state).variables == {"A": "ada@example.org"}
    assert fill_in({"A": "{auth_state[emails][1][address]}"}, state).variables == {}
    assert fill_in({"A": "{auth_state[name][0]}"}, state).variables == {}


@pytest.mark.parametrize("value", ["a\0b", "x" * LONGEST_VALUE], ids=["null character", "too long"])
def test_what_no_process_can_be_given_is_left_out_and_the_reason_does_not_repeat_it(value):
    filled = fill_in({"A": "{auth_state[a]}"}, {"a": value})
    assert filled.variables == {}
    assert value not in filled.left_out["A"]


def test_only_what_was_looked_up_is_quoted():
    quoted = fill_in({"A": "$(HOME)/{auth_state[a]}"}, {"a": "$(B)"}, lambda value: value.replace("$", "$$"))
    assert quoted.variables == {"A": "$(HOME)/$$(B)"}


@pytest.mark.parametrize(
    ("templates", "mistake"),
    [
        ({"A": "{auth_state.__class__}"}, "A: '{auth_state.__class__}' is not a placeholder"),
        ({"A": "{auth_state}"}, "A: unknown placeholder {auth_state}. Look up a key"),
        ({"A": "{user[name]}"}, "A: unknown placeholder {user[name]}"),
        ({"A": "{auth_state[a]"}, "A: '{auth_state[a]' has a brace without its pair"),
        ({"A-B": "x"}, "'A-B' is not the name of a variable"),
        ({"JUPYTERHUB_API_TOKEN": "x"}, "'JUPYTERHUB_API_TOKEN' is a variable that the hub itself sets"),
        ({"A": 3}, "A: expected text, found 3."),
        (["A"], "expected a mapping"),
    ],
    ids=str,
)
def test_a_mistake_in_a_template_is_told_with_its_place(templates, mistake):
    with pytest.raises(SettingsError) as caught:
        validated(Templates, templates, "environment_from_auth_state")
    assert mistake in str(caught.value)


names = st.text(alphabet=string.ascii_letters, min_size=1, max_size=5)
plain = st.recursive(st.none() | st.text(max_size=5) | st.integers(), lambda s: st.lists(s) | st.dictionaries(names, s))


@given(auth_state=plain, key=names)
def test_whatever_auth_state_is_a_start_goes_on(auth_state, key):
    filled = fill_in({"A": f"{{auth_state[{key}][0]}}"}, auth_state)
    assert set(filled.variables) | set(filled.left_out) == {"A"}
    json.dumps(dict(filled.variables))
