"""Why somebody sees a part of the catalogue, or does not."""

from datetime import date

import pytest

from hub_extensions import catalogue
from hub_extensions.explanations import explain
from hub_extensions.profiles import Person

TODAY = date(2026, 3, 1)
SIZES = {
    "size": {
        "choices": {
            "small": {"display_name": "Small", "kubespawner_override": {}},
            "large": {"display_name": "Large", "allowed_groups": ["big"], "kubespawner_override": {}},
        },
        "unlisted_choice": {"enabled": True, "allowed_groups": ["experts", "staff"]},
    }
}
ONLY_BIG = {"size": {"choices": {"large": SIZES["size"]["choices"]["large"]}}}


def explained(profile, *groups, user="ada", **more):
    known = catalogue.read([{"display_name": "Ocean", "slug": "ocean", **profile}])
    [found] = explain(known, Person(frozenset(groups), TODAY, user_name=user, **more))
    return found


@pytest.mark.parametrize(
    ("profile", "groups", "state", "why"),
    [
        ({}, (), "visible", "For everyone."),
        ({"allowed_groups": ["Lab"]}, ("lab",), "visible", "For members of Lab, and ada is one."),
        ({"allowed_groups": ["lab", "b"]}, (), "hidden", "For members of lab, b."),
        ({"allowed_groups": ["lab"], "when_not_allowed": "lock"}, (), "locked", "For members of lab."),
        ({"allowed_users": ["Ada"]}, (), "visible", "ada is named in allowed_users."),
        ({"allowed_users": ["lin"]}, (), "hidden", "For people who were named."),
        ({"until": "2026-02-01", "when_not_allowed": "lock"}, (), "hidden", "It was offered until 2026-02-01."),
        ({"from": "2026-04-01", "when_not_allowed": "lock"}, (), "locked", "It opens on 2026-04-01."),
        (
            {"profile_options": ONLY_BIG},
            ("lab",),
            "hidden",
            "Nothing of size is open to you. It would be for members of big.",
        ),
    ],
)
def test_a_profile_is_visible_locked_or_hidden_and_says_which_groups_would_help(profile, groups, state, why):
    found = explained(profile, *groups)
    assert (found.state, found.why) == (state, why)


def test_a_program_is_shown_every_profile():
    found = explained({"allowed_groups": ["lab"]}, is_program=True)
    assert (found.state, found.why) == ("visible", "For programs, which are shown every profile.")


@pytest.mark.parametrize(
    ("groups", "choices", "unlisted"),
    [
        ((), ["small"], False),
        (("BIG",), ["small", "large"], False),
        (("staff",), ["small"], True),
        (("big", "experts"), ["small", "large"], True),
    ],
)
def test_choices_are_the_keys_that_the_person_may_take(groups, choices, unlisted):
    found = explained({"profile_options": SIZES}, *groups)
    assert found.plain["options"] == {"size": {"choices": choices, "unlisted": unlisted}}


def test_what_is_not_open_says_for_whom_it_is():
    assert explained({"profile_options": SIZES}).plain["closed"] == {
        "size": {
            "large": "For members of big.",
            "--unlisted-choice": "For members of experts or staff.",
        }
    }


def test_of_a_profile_that_cannot_be_started_nothing_can_be_taken():
    found = explained({"allowed_groups": ["lab"], "profile_options": SIZES}, "big", "staff")
    assert found.plain["options"] == {"size": {"choices": [], "unlisted": False}}


def test_a_list_that_came_out_empty_names_nobody():
    options = {"size": {"choices": {"a": {"display_name": "A", "allowed_groups": []}, "b": {"display_name": "B"}}}}
    assert explained({"profile_options": options}).plain["closed"] == {
        "size": {"a": "For nobody: its list of groups or users is empty."}
    }
