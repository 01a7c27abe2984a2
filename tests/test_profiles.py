import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_extensions import catalogue
from hub_extensions.profiles import Refused, Resolved, resolve, visible

PROFILES = [
    {
        "display_name": "Small",
        "slug": "small",
        "default": True,
        "kubespawner_override": {"mem_limit": "1G"},
    },
    {
        "display_name": "Ocean analysis",
        "slug": "ocean",
        "allowed_groups": ["Ocean-Lab"],
        "kubespawner_override": {"environment": {"A": "1"}},
        "profile_options": {
            "image": {
                "display_name": "Software",
                "choices": {
                    "xarray": {"display_name": "Xarray", "kubespawner_override": {"image": "xarray:1"}},
                    "gpu": {
                        "display_name": "GPU",
                        "allowed_groups": ["gpu"],
                        "default": True,
                        "kubespawner_override": {"image": "gpu:1"},
                    },
                },
                "unlisted_choice": {
                    "enabled": True,
                    "allowed_groups": ["Makers"],
                    "validation_regex": "quay.io/[a-z]+:[0-9]+",
                    "validation_message": "Use an image of quay.io.",
                    "kubespawner_override": {"image": "{value}"},
                },
            },
        },
    },
    {
        "display_name": "Only for builders",
        "slug": "builders",
        "profile_options": {
            "tool": {"choices": {"saw": {"display_name": "Saw", "allowed_groups": ["builders"]}}},
        },
    },
]
KNOWN = catalogue.read(PROFILES)
RESTRICTED = catalogue.read([profile for profile in PROFILES if "allowed_groups" in profile])


def offered(groups, options=None, known=KNOWN):
    return {profile.slug: profile for profile in visible(known, groups, options)}


def choices(profile):
    return [choice.key for choice in profile.options[0].choices]


@pytest.mark.parametrize(
    ("groups", "slugs"),
    [
        ([], ["small"]),
        (["ocean-lab"], ["small", "ocean"]),
        (["OCEAN-LAB"], ["small", "ocean"]),
        (["ocean-lab:leads"], ["small"]),
        (["builders"], ["small", "builders"]),
    ],
)
def test_people_see_what_is_for_everyone_and_what_is_for_their_groups(groups, slugs):
    assert list(offered(groups)) == slugs


def test_an_option_that_is_left_with_nothing_to_choose_hides_its_profile():
    assert "builders" not in offered(["ocean-lab"])


def test_restricted_choices_and_write_ins_are_offered_to_members_only():
    plain, gpu, maker = (offered(["ocean-lab", extra])["ocean"] for extra in ("x", "GPU", "makers"))
    assert (choices(plain), choices(gpu)) == (["xarray"], ["xarray", "gpu"])
    assert plain.options[0].unlisted is None
    assert maker.options[0].unlisted.pattern == "quay.io/[a-z]+:[0-9]+"


def test_a_default_that_a_person_may_not_use_gives_way_to_the_first_they_may():
    [choice] = offered(["ocean-lab"])["ocean"].options[0].choices
    assert choice.selected
    assert resolve(KNOWN, ["ocean-lab"], {"profile": "ocean"}).choices == {"image": "xarray"}


def test_exactly_one_profile_is_selected_whatever_was_saved():
    for saved in (None, {}, {"profile": "gone"}, {"profile": ["ocean"]}, {"profile": "ocean", "image": 7}, [], "x"):
        selected = [profile.slug for profile in visible(KNOWN, ["ocean-lab"], saved) if profile.selected]
        assert len(selected) == 1


def test_what_was_chosen_last_is_selected_again():
    profile = offered(["ocean-lab", "makers"], {"profile": "ocean", "image--unlisted-choice": "quay.io/a:1"})["ocean"]
    assert profile.selected
    assert profile.options[0].unlisted.value == "quay.io/a:1"
    assert not any(choice.selected for choice in profile.options[0].choices)


def test_nothing_of_an_override_is_in_what_a_page_may_show():
    shown = repr(
        visible(catalogue.read([{"display_name": "A", "kubespawner_override": {"environment": {"KEY": "secret"}}}]), [])
    )
    assert "secret" not in shown
    assert "KEY" not in shown


def test_a_choice_comes_to_the_overrides_of_the_profile_and_of_its_options_in_this_order():
    resolved = resolve(KNOWN, ["ocean-lab", "gpu"], {"profile": "ocean", "image": "gpu"})
    assert resolved == Resolved(
        profile="ocean",
        display_name="Ocean analysis",
        choices={"image": "gpu"},
        overrides=[{"environment": {"A": "1"}}, {"image": "gpu:1"}],
        admitted_by=frozenset({"ocean-lab"}),
        options={"profile": "ocean", "image": "gpu"},
    )


def test_a_written_in_value_is_filled_into_its_override():
    resolved = resolve(KNOWN, ["ocean-lab", "makers"], {"profile": "ocean", "image--unlisted-choice": "quay.io/a:1"})
    assert resolved.overrides[1] == {"image": "quay.io/a:1"}
    assert resolved.choices == {"image": "quay.io/a:1"}


def test_an_empty_request_is_one_for_the_default_profile():
    assert [resolve(KNOWN, [], empty).profile for empty in ({}, None)] == ["small", "small"]


MAKER = {"profile": "ocean"}
HOSTILE = {
    "not a mapping": [],
    "options without a profile": {"image": "xarray"},
    "a write-in without a profile": {"image--unlisted-choice": "quay.io/a:1"},
    "an unknown profile": {"profile": "gone"},
    "another group's profile": {"profile": "builders"},
    "no profile's name": {"profile": ""},
    "a list as profile": {"profile": ["ocean"]},
    "a mapping as profile": {"profile": {"ocean": 1}},
    "nothing as profile": {"profile": None},
    "an unknown choice": MAKER | {"image": "x"},
    "another group's choice": MAKER | {"image": "gpu"},
    "a list as choice": MAKER | {"image": ["xarray"]},
    "a number as choice": MAKER | {"image": 0},
    "an option of another profile": MAKER | {"tool": "saw"},
    "an unknown key": MAKER | {"mem_limit": "1T"},
    "a choice and a write-in": MAKER | {"image": "xarray", "image--unlisted-choice": "quay.io/a:1"},
    "a write-in for a profile without options": {"profile": "small", "image--unlisted-choice": "quay.io/a:1"},
    "a write-in that only begins well": MAKER | {"image--unlisted-choice": "quay.io/a:1@evil"},
    "a write-in that ends in a newline": MAKER | {"image--unlisted-choice": "quay.io/a:1\n"},
    "an empty write-in": MAKER | {"image--unlisted-choice": ""},
    "a huge write-in": MAKER | {"image--unlisted-choice": "quay.io/a:" + "1" * 300_000},
    "a write-in with braces": MAKER | {"image--unlisted-choice": "quay.io/{username}:1"},
    "a list as write-in": MAKER | {"image--unlisted-choice": ["quay.io/a:1"]},
}


@pytest.mark.parametrize("options", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_not_offered_is_refused_with_a_short_sentence(options):
    refused = resolve(KNOWN, ["ocean-lab", "makers"], options)
    assert isinstance(refused, Refused)
    assert refused.reason.endswith(".")
    assert len(refused.reason) < 250


def test_a_write_in_is_refused_where_none_is_open_to_the_person():
    refused = resolve(KNOWN, ["ocean-lab"], {"profile": "ocean", "image--unlisted-choice": "quay.io/a:1"})
    assert refused == Refused("Software: choose from the list.")


def test_the_message_of_a_pattern_reaches_the_person():
    refused = resolve(KNOWN, ["ocean-lab", "makers"], {"profile": "ocean", "image--unlisted-choice": "docker.io/a:1"})
    assert "Use an image of quay.io." in refused.reason


@pytest.mark.parametrize("options", [{}, None, {"profile": "ocean"}])
def test_someone_to_whom_no_profile_is_open_gets_no_server_and_learns_which_group_would_help(options):
    refused = resolve(RESTRICTED, ["x"], options)
    assert refused == Refused(
        "No environment of this hub is open to you. They are for members of Ocean-Lab.", code="nothing_offered"
    )
    assert visible(RESTRICTED, ["x"], options) == ()


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
keys = st.sampled_from(["profile", "image", "image--unlisted-choice", "tool"]) | st.text(max_size=3)
values = st.sampled_from(["small", "ocean", "xarray", "gpu", "quay.io/a:1"]) | anything
groups = st.lists(st.sampled_from(["ocean-lab", "gpu", "makers", "builders", "x"]), max_size=3)


@given(st.dictionaries(keys, values, max_size=4) | anything, groups)
def test_any_request_is_resolved_or_refused_and_only_what_is_offered_is_resolved(options, groups):
    result = resolve(KNOWN, groups, options)
    if isinstance(result, Refused):
        return
    profile = offered(groups)[result.profile]
    for option in profile.options:
        chosen = result.choices[option.name]
        assert chosen in [choice.key for choice in option.choices] or option.unlisted is not None
    assert resolve(KNOWN, groups, json.loads(json.dumps(result.options))) == result


@given(st.dictionaries(keys, values, max_size=4), groups)
def test_what_the_page_selects_can_be_started(options, groups):
    [selected] = [profile for profile in visible(KNOWN, groups, options) if profile.selected]
    request = {"profile": selected.slug}
    for option in selected.options:
        key = next((choice.key for choice in option.choices if choice.selected), None)
        request |= {option.name: key} if key else {f"{option.name}--unlisted-choice": option.unlisted.value}
    assert isinstance(resolve(KNOWN, groups, request), Resolved)


def test_the_mapping_form_is_read_in_the_order_of_its_keys():
    listed = catalogue.read({"20-b": {"display_name": "B"}, "10-a": {"display_name": "A Name"}})
    assert [profile.name for profile in listed.profiles] == ["a-name", "b"]
