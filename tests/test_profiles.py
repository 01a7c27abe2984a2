import copy
import json
import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_extensions import catalogue
from hub_extensions.catalogue import UnlistedChoice
from hub_extensions.offer import offer
from hub_extensions.profiles import Person, Refused, Resolved, refuse_written, resolve

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


TODAY = date(2026, 3, 1)


def person(*groups, user_name="ada", communities=()):
    return Person(frozenset({*groups, *communities}), TODAY, user_name, tuple(communities))


def offered(groups, options=None, known=KNOWN):
    return {profile.slug: profile for profile in offer(known, person(*groups), options).profiles}


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
    assert resolve(KNOWN, person("ocean-lab"), {"profile": "ocean"}).choices == {"image": "xarray"}


def test_exactly_one_profile_is_selected_whatever_was_saved():
    for saved in (None, {}, {"profile": "gone"}, {"profile": ["ocean"]}, {"profile": "ocean", "image": 7}, [], "x"):
        selected = [profile.slug for profile in offer(KNOWN, person("ocean-lab"), saved).profiles if profile.selected]
        assert len(selected) == 1


def test_what_was_chosen_last_is_selected_again():
    profile = offered(["ocean-lab", "makers"], {"profile": "ocean", "image--unlisted-choice": "quay.io/a:1"})["ocean"]
    assert profile.selected
    assert profile.options[0].unlisted.value == "quay.io/a:1"
    assert not any(choice.selected for choice in profile.options[0].choices)


def test_nothing_of_an_override_is_in_what_a_page_may_show():
    shown = repr(
        offer(
            catalogue.read([{"display_name": "A", "kubespawner_override": {"environment": {"KEY": "secret"}}}]),
            person(),
        )
    )
    assert "secret" not in shown
    assert "KEY" not in shown


def test_a_choice_comes_to_the_overrides_of_the_profile_and_of_its_options_in_this_order():
    resolved = resolve(KNOWN, person("ocean-lab", "gpu"), {"profile": "ocean", "image": "gpu"})
    assert resolved == Resolved(
        profile="ocean",
        display_name="Ocean analysis",
        choices={"image": "gpu"},
        overrides=[{"environment": {"A": "1"}}, {"image": "gpu:1"}],
        community="",
        options={"profile": "ocean", "image": "gpu"},
    )


def test_a_written_in_value_is_filled_into_its_override():
    resolved = resolve(
        KNOWN, person("ocean-lab", "makers"), {"profile": "ocean", "image--unlisted-choice": "quay.io/a:1"}
    )
    assert resolved.overrides[1] == {"image": "quay.io/a:1"}
    assert resolved.choices == {"image": "quay.io/a:1"}


def test_an_empty_request_is_one_for_the_default_profile():
    assert [resolve(KNOWN, person(), empty).profile for empty in ({}, None)] == ["small", "small"]


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
    refused = resolve(KNOWN, person("ocean-lab", "makers"), options)
    assert isinstance(refused, Refused)
    assert refused.reason.endswith(".")
    assert len(refused.reason) < 250


def test_a_write_in_is_refused_where_none_is_open_to_the_person():
    refused = resolve(KNOWN, person("ocean-lab"), {"profile": "ocean", "image--unlisted-choice": "quay.io/a:1"})
    assert refused == Refused("Software: choose from the list.")


def test_the_message_of_a_pattern_reaches_the_person():
    refused = resolve(
        KNOWN, person("ocean-lab", "makers"), {"profile": "ocean", "image--unlisted-choice": "docker.io/a:1"}
    )
    assert "Use an image of quay.io." in refused.reason


@pytest.mark.parametrize("options", [{}, None, {"profile": "ocean"}])
def test_someone_to_whom_no_profile_is_open_gets_no_server_and_learns_which_group_would_help(options):
    refused = resolve(RESTRICTED, person("x"), options)
    assert refused == Refused(
        "No environment of this hub is open to you. They are for members of Ocean-Lab. "
        "If you should have one, ask the people who run this hub.",
        code="nothing_offered",
    )
    assert offer(RESTRICTED, person("x"), options).is_empty


def with_image_for(*groups):
    """An option whose only choice is for members of the groups."""
    return {"image": {"choices": {"a": {"display_name": "A", "allowed_groups": list(groups)}}}}


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ([{"allowed_groups": ["a"]}, {"allowed_groups": ["A", "b"]}], "They are for members of a, b."),
        ([{"profile_options": with_image_for("a")}], "They are for members of a."),
        ([{"allowed_groups": ["x"], "profile_options": with_image_for("a", "b")}], "They are for members of a, b."),
        ([{"allowed_groups": ["a"], "profile_options": with_image_for("b")}], "They are for members of a."),
        ([{"allowed_groups": ["x"], "retired": "2020-01-01"}], "to you. If"),
        ([{"allowed_groups": ["a"], "until": "2020-01-01"}], "to you. If"),
        ([{"allowed_users": ["bob"]}], "to you. If"),
        ([{"allowed_groups": ["x"], "from": "2030-01-02"}], "to you. The first opens on 2030-01-02. If"),
        ([{"from": "2030-01-02"}, {"from": "2029-01-02"}, {"allowed_groups": ["a"]}], "on 2029-01-02. If"),
        ([], "to you. If"),
        ([{"allowed_groups": [f"g{number}" for number in range(40)]}], "g0, g1, g2, g3, g4, g5, g6, g7 and 32 more."),
    ],
)
def test_who_is_refused_every_profile_reads_what_would_open_one_and_nothing_that_would_not(parts, sentence):
    known = catalogue.read([{"display_name": f"P{number}", **part} for number, part in enumerate(parts)])
    refused = resolve(known, person("x"), {})
    assert sentence in refused.reason
    assert refused.reason.startswith("No environment of this hub is open to you.")
    assert refused.reason.endswith("If you should have one, ask the people who run this hub.")
    assert len(refused.reason) < 300


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
    result = resolve(KNOWN, person(*groups), options)
    if isinstance(result, Refused):
        return
    profile = offered(groups)[result.profile]
    for option in profile.options:
        chosen = result.choices[option.name]
        assert chosen in [choice.key for choice in option.choices] or option.unlisted is not None
    assert resolve(KNOWN, person(*groups), json.loads(json.dumps(result.options))) == result


@given(st.dictionaries(keys, values, max_size=4), groups)
def test_what_the_page_selects_can_be_started(options, groups):
    [selected] = [profile for profile in offer(KNOWN, person(*groups), options).profiles if profile.selected]
    request = {"profile": selected.slug}
    for option in selected.options:
        key = next((choice.key for choice in option.choices if choice.selected), None)
        request |= {option.name: key} if key else {f"{option.name}--unlisted-choice": option.unlisted.value}
    assert isinstance(resolve(KNOWN, person(*groups), request), Resolved)


def test_the_mapping_form_is_read_in_the_order_of_its_keys():
    listed = catalogue.read({"20-b": {"display_name": "B"}, "10-a": {"display_name": "A Name"}})
    assert [profile.name for profile in listed.profiles] == ["a-name", "b"]


def one(**profile):
    return catalogue.read(
        [{"display_name": "One", "slug": "one", **profile}, {"display_name": "Other", "slug": "other"}]
    )


@pytest.mark.parametrize(
    ("restriction", "who", "open_"),
    [
        ({"allowed_users": ["Ada"]}, person(), True),
        ({"allowed_users": ["ben"]}, person(), False),
        ({"allowed_users": ["FIONA"]}, person(user_name="fiona"), True),
        # Of letters that look alike, JupyterHub makes two people.
        ({"allowed_users": ["fiona"]}, person(user_name="ﬁona"), False),
        ({"allowed_users": ["straße"]}, person(user_name="strasse"), False),
        ({"allowed_users": ["ben"], "allowed_groups": ["x"]}, person("x"), True),
        ({"allowed_teams": ["x"]}, person("X"), True),
        ({"allowed_teams": ["x"]}, person(), False),
        ({"allowed_groups": []}, person(), False),
        ({"from": "2026-03-01", "until": "2026-03-01"}, person(), True),
        ({"from": "2026-03-02"}, person(), False),
        ({"until": "2026-02-28"}, person(), False),
        ({"retired": "2026-03-02"}, person(), True),
        ({"retired": "2026-03-01"}, person(), False),
    ],
    ids=str,
)
def test_who_and_when_decide_together_what_is_open(restriction, who, open_):
    known = one(**restriction)
    assert ("one" in [profile.slug for profile in offer(known, who).profiles]) is open_
    assert isinstance(resolve(known, who, {"profile": "one"}), Resolved) is open_


@pytest.mark.parametrize(
    ("restriction", "reason"),
    [
        ({"allowed_groups": ["a", "b"]}, "For members of a, b."),
        ({"allowed_users": ["ben"]}, "For people who were named."),
        ({"from": "2026-04-01"}, "It opens on 2026-04-01."),
    ],
)
def test_a_locked_profile_says_why_and_shows_nothing_to_choose(restriction, reason):
    known = one(when_not_allowed="lock", kubespawner_override={"mem_limit": "64G"}, **restriction)
    [locked, _] = offer(known, person()).profiles
    assert (locked.locked, locked.options, locked.size, locked.selected) == (reason, (), "", False)
    refused = resolve(known, person(), {"profile": "one"})
    assert reason in refused.reason


@pytest.mark.parametrize("over", [{"retired": "2026-01-01"}, {"until": "2026-01-01"}])
def test_what_is_over_is_shown_to_nobody_not_even_locked(over):
    assert [profile.slug for profile in offer(one(when_not_allowed="lock", **over), person()).profiles] == ["other"]


def test_only_locked_profiles_are_an_empty_offer():
    known = catalogue.read([{"display_name": "A", "allowed_groups": ["a"], "when_not_allowed": "lock"}])
    assert offer(known, person()).is_empty
    assert not offer(known, person("a")).is_empty


RENAMED = catalogue.read(
    [
        {"display_name": "Ocean 2024", "slug": "ocean-2024", "retired": "2025-01-01", "replaced_by": "ocean-2025"},
        {"display_name": "Ocean 2025", "slug": "ocean-2025", "retired": "2026-01-01", "replaced_by": "ocean"},
        {"display_name": "Ocean", "slug": "ocean", "aliases": ["sea"], "profile_options": {
            "image": {"display_name": "Software", "choices": {"a": {"display_name": "A"}, "b": {"display_name": "B"}}},
        }},
        {"display_name": "Small", "slug": "small", "default": True},
        {"display_name": "Secret", "slug": "secret", "allowed_groups": ["x"]},
    ]
)  # fmt: skip


@pytest.mark.parametrize(
    ("saved", "selected", "notices"),
    [
        ({"profile": "sea", "image": "b"}, "ocean", ["'sea' is called Ocean now."]),
        ({"profile": "ocean-2024"}, "ocean", ["Ocean 2024 gave way to Ocean."]),
        ({"profile": "gone"}, "small", ["'gone' is not open to you any more: Small is chosen instead."]),
        ({"profile": "secret"}, "small", ["'secret' is not open to you any more: Small is chosen instead."]),
        ({"profile": "ocean", "image": "c"}, "ocean", ["Software: 'c' is not offered to you any more."]),
        ({"profile": "ocean", "image--unlisted-choice": "x:1"}, "ocean", ["Software: 'x:1' cannot be used any more."]),
        ({"profile": "ocean", "image": "b"}, "ocean", []),
        ({}, "small", []),
    ],
)
def test_what_was_chosen_once_and_is_gone_gives_way_with_a_notice(saved, selected, notices):
    shown = offer(RENAMED, person(), saved)
    assert [profile.slug for profile in shown.profiles if profile.selected] == [selected]
    assert list(shown.notices) == notices


def test_a_name_that_a_profile_had_before_still_starts_it():
    resolved = resolve(RENAMED, person(), {"profile": "sea", "image": "b"})
    assert (resolved.profile, resolved.options) == ("ocean", {"profile": "ocean", "image": "b"})


@pytest.mark.parametrize("slug", ["ocean-2024", "ocean-2025"])
def test_what_is_retired_is_not_started_as_something_else(slug):
    assert isinstance(resolve(RENAMED, person(), {"profile": slug}), Refused)


def test_profiles_that_replace_each_other_do_not_go_round_for_ever():
    known = catalogue.read([
        {"display_name": "A", "slug": "a", "retired": "2026-01-01", "replaced_by": "b"},
        {"display_name": "B", "slug": "b", "retired": "2026-01-01", "replaced_by": "a"},
        {"display_name": "C", "slug": "c"},
    ])  # fmt: skip
    assert [profile.slug for profile in offer(known, person(), {"profile": "a"}).profiles if profile.selected] == ["c"]


BOTH = person(communities=["forest", "ocean-lab"])


@pytest.mark.parametrize(
    ("profile", "asked", "counted"),
    [
        ({}, {}, "forest"),
        ({}, {"community": "ocean-lab"}, "ocean-lab"),
        ({"allowed_groups": ["Ocean-Lab"]}, {}, "ocean-lab"),
        ({"allowed_groups": ["ocean-lab", "forest"]}, {"community": "ocean-lab"}, "ocean-lab"),
        ({"allowed_groups": ["forest", "x"]}, {}, "forest"),
    ],
)
def test_a_session_counts_for_a_community_that_opens_its_profile(profile, asked, counted):
    assert resolve(one(**profile), BOTH, {"profile": "one", **asked}).community == counted


@pytest.mark.parametrize("asked", ["x", "", None, ["forest"], {"forest": 1}, 7])
def test_a_session_never_counts_for_a_community_that_is_not_the_person_s(asked):
    assert isinstance(resolve(one(), BOTH, {"profile": "one", "community": asked}), Refused)
    assert isinstance(resolve(one(), person(), {"profile": "one", "community": asked}), Refused) or asked == ""


def test_a_profile_that_one_community_opens_does_not_count_for_another():
    known = one(allowed_groups=["ocean-lab"])
    assert isinstance(resolve(known, BOTH, {"profile": "one", "community": "forest"}), Refused)
    assert offer(known, BOTH).profiles[0].communities == ()


def test_someone_of_several_communities_is_asked_and_the_answer_is_kept():
    [profile, _] = offer(one(), BOTH, {"profile": "one", "community": "ocean-lab"}).profiles
    assert [(community.name, community.selected) for community in profile.communities] == [
        ("forest", False), ("ocean-lab", True),
    ]  # fmt: skip
    assert resolve(one(), BOTH, {"profile": "one", "community": "ocean-lab"}).options["community"] == "ocean-lab"


BUILT = "registry[.]example[.]org/built-[a-z-]+:[0-9a-f]+"
A_BUILT_IMAGE = "registry.example.org/built-ocean-lab-notebooks:0123abc"


def building(built_images=BUILT, *, enabled=True, unlisted=None):
    option = {
        "choices": {"python": {"display_name": "Python"}},
        "dynamic_image_building": {"enabled": enabled},
        "unlisted_choice": unlisted or {},
    }
    profiles = [{"display_name": "Own software", "slug": "own", "profile_options": {"image": option}}]
    return catalogue.read(profiles).model_copy(update={"built_images": built_images})


def written(image):
    return {"profile": "own", "image--unlisted-choice": image}


@pytest.mark.parametrize(
    ("known", "image", "started"),
    [
        # Where nobody may write in, the names of the builder's images decide.
        (building(), A_BUILT_IMAGE, True),
        (building(), "evil.example.org/built-x:1", False),
        (building(), f"{A_BUILT_IMAGE}/../evil:1", False),
        (building(), f"{A_BUILT_IMAGE}\n", False),
        (building(), f"x/{A_BUILT_IMAGE}", False),
        (building(), "", False),
        (building(), 7, False),
        (building(".*"), "x{username}:1", False),
        (building(".*"), "x" * 5000, False),
        # Without them, and without building, nothing is taken from a browser that is not in the list.
        (building(""), A_BUILT_IMAGE, False),
        (building(enabled=False), A_BUILT_IMAGE, False),
    ],
)
def test_an_image_is_taken_from_the_browser_only_if_the_builder_makes_such_images(known, image, started):
    resolved = resolve(known, person(), written(image))
    assert isinstance(resolved, Resolved) == started
    if started:
        assert resolved.overrides[-1] == {"image": image}
        assert resolve(known, person(), resolved.options) == resolved


WRITE_IN = {
    "enabled": True,
    "validation_regex": "quay[.]io/.+",
    "kubespawner_override": {"image": "{value}", "cmd": ["x"]},
}


@pytest.mark.parametrize(
    ("known", "groups", "offered", "accepted"),
    [
        (building(unlisted=WRITE_IN), [], True, {"quay.io/x", A_BUILT_IMAGE}),
        (building("", unlisted=WRITE_IN), [], True, {"quay.io/x"}),
        (building(unlisted=WRITE_IN, enabled=False), [], False, {"quay.io/x"}),
        (building(unlisted={**WRITE_IN, "allowed_groups": ["makers"]}), [], False, set()),
        (building(unlisted={**WRITE_IN, "allowed_groups": ["makers"]}), ["Makers"], True, {"quay.io/x", A_BUILT_IMAGE}),
        (building(unlisted={**WRITE_IN, "enabled": False}), [], True, {A_BUILT_IMAGE}),
        (building("", unlisted={**WRITE_IN, "enabled": False}), [], False, set()),
    ],
)
def test_who_may_write_in_may_build_and_the_write_in_s_override_applies(known, groups, offered, accepted):
    [profile] = offer(known, person(*groups)).profiles
    assert bool(profile.options[0].build) == offered
    for image in ("quay.io/x", A_BUILT_IMAGE, "evil.example.org/x:1"):
        resolved = resolve(known, person(*groups), written(image))
        assert isinstance(resolved, Resolved) == (image in accepted)
        if image in accepted:
            assert resolved.overrides[-1] == {"image": image, "cmd": ["x"]}


def test_an_image_that_was_built_before_is_selected_again_as_long_as_it_may_be_used():
    for unlisted in ({}, WRITE_IN):
        known = building(unlisted=unlisted)
        again = offer(known, person(), written(A_BUILT_IMAGE))
        [option] = again.profiles[0].options
        assert (option.build.value, option.build.selected, again.notices) == (A_BUILT_IMAGE, True, ())
        assert not any(choice.selected for choice in option.choices)
        assert not option.unlisted or (option.unlisted.value, option.unlisted.selected) == ("", False)
    gone = offer(building("other/.*"), person(), written(A_BUILT_IMAGE))
    [option] = gone.profiles[0].options
    assert (option.build.value, option.build.selected, option.choices[0].selected) == ("", False, True)
    assert len(gone.notices) == 1


@given(st.text() | st.from_regex(BUILT) | st.none() | st.integers())
def test_whatever_is_written_in_an_image_that_starts_fits_the_builder_s_names(image):
    resolved = resolve(building(), person(), written(image))
    assert isinstance(resolved, Resolved) == bool(
        image is None or (isinstance(image, str) and re.fullmatch(BUILT, image, re.ASCII))
    )


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"^([\w./-]+)*:[\w.]+$"])
def test_a_pattern_that_would_take_for_ever_refuses_instead(pattern):
    write_in = UnlistedChoice(validation_regex=pattern)
    refused = refuse_written(write_in, "Image", "a" * 60 + "!")
    assert refused is not None
    assert "does not fit" in refused.reason


def test_a_list_is_read_anew_only_when_it_has_changed():
    reader, listed = catalogue.Reader(), copy.deepcopy(PROFILES)
    known = reader.read(listed)
    assert known == KNOWN
    assert reader.read(copy.deepcopy(listed)) is known
    listed[1]["kubespawner_override"]["environment"]["A"] = "2"
    assert reader.read(listed).profiles[1].kubespawner_override == {"environment": {"A": "2"}}
    assert known == KNOWN
    assert reader.read([]) == catalogue.Catalogue()
    assert reader.read({"b": listed[1], "a": listed[0]}) == reader.read(listed[:2])


def test_what_is_saved_of_an_option_or_a_community_that_is_gone_is_told():
    one = catalogue.read([{"display_name": "A", "slug": "a"}])
    someone = person(communities=("ocean-lab",))
    shown = offer(one, someone, {"profile": "a", "gone": "x", "community": "forest"})
    assert shown.notices == (
        "The session cannot count for 'forest': it counts for ocean-lab.",
        "A has no option 'gone' any more.",
    )
