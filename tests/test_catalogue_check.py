"""What a hub says of its profiles when it starts."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_extensions import catalogue
from hub_extensions.catalogue_check import check, check_list
from hub_extensions.findings import told_once
from hub_extensions.spawner_traits import traits_of

from .corpus import hubs, values_of

KUBE = traits_of("profile-kube")


def profile(name="A", **keys):
    return {"display_name": name, **keys}


def with_choices(choices, **keys):
    """A profile with one option, `size`, of these choices."""
    return profile(profile_options={"size": {"choices": choices, **keys}})


def sized(label, description="", **override):
    return {"display_name": label, "description": description, "kubespawner_override": override}


def found(*profiles, **known):
    return [
        f"{finding.severity} {finding}" for finding in check(catalogue.read(list(profiles), "p"), "p", KUBE, **known)
    ]


def one(*profiles, **known):
    (line,) = found(*profiles, **known)
    return line


@pytest.mark.parametrize(
    ("override", "severity", "at", "said"),
    [
        ({"mem_limt": "4G"}, "error", "mem_limt", "is not a setting of the spawner. Did you mean 'mem_limit'?"),
        ({"frobnicate": 1}, "error", "frobnicate", "is not a setting of the spawner, and would do nothing."),
        ({"default": True}, "warning", "default", "is a key of the profile"),
        ({"allowed_groups": ["a"]}, "error", "allowed_groups", "is a key of the profile"),
        (
            {"mem_limit": "4 apples"},
            "error",
            "mem_limit",
            "expected an amount of memory such as 512M or 4G, found '4 a",
        ),
        ({"mem_limit": "4Gi"}, "error", "mem_limit", "expected an amount of memory"),
        ({"mem_limit": 4}, "warning", "mem_limit", "4 is a number of bytes."),
        ({"cpu_limit": "0.5"}, "error", "cpu_limit", "expected a number, found '0.5'."),
        ({"cpu_limit": -1}, "error", "cpu_limit", "expected no negative number, found -1."),
        ({"image": None}, "error", "image", "expected text, found None."),
        ({"environment": ["A=1"]}, "error", "environment", "expected a mapping"),
        ({"environment": {"A": 1}}, "error", "environment.A", 'expected text, found 1. Write "1", in quotes.'),
        ({"node_selector": {"gpu": True}}, "error", "node_selector.gpu", 'Write "true", in quotes.'),
        ({"image": "a/b:latest"}, "warning", "image", "'a/b:latest' ends in :latest"),
        ({"image": "host:5000/a/b"}, "warning", "image", "'host:5000/a/b' has no tag"),
    ],
)
def test_an_override_that_cannot_work_is_told_with_its_place(override, severity, at, said):
    line = one(profile(kubespawner_override=override))
    assert line.startswith(f"{severity} p[0].kubespawner_override.{at}: ")
    assert said in line


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ({"mem_guarantee": "8G", "mem_limit": "4G"}, "error p[0]: mem_guarantee 8G is more than mem_limit 4G."),
        ({"cpu_guarantee": 2, "cpu_limit": 1}, "error p[0]: cpu_guarantee 2 is more than cpu_limit 1."),
    ],
)
def test_a_guarantee_over_the_limit_is_a_mistake(override, line):
    assert line in one(profile(kubespawner_override=override))


@pytest.mark.parametrize(
    "override",
    [
        {"mem_limit": None, "mem_guarantee": "14G", "cpu_limit": None},
        {"mem_limit": lambda spawner: "4G", "cpu_limit": lambda spawner: "no number"},
        {"environment": {"A": None, "B": "1", "C": {"valueFrom": {}}, "D": lambda spawner: "x"}},
        {"volumes": {"scratch": {"name": "scratch", "emptyDir": {}}}, "node_selector": {"old": None}},
        {"init_containers": [{"name": "a", "image": "b:1"}]},
        {"extra_resource_limits": {"nvidia.com/gpu": 1}},
        {"image": "quay.io/a/b@sha256:0123"},
        {"image": "host:5000/a/b:2026-01-05"},
        {"cmd": "start", "uid": 1000, "default_url": "/lab"},
    ],
)
def test_an_override_that_works_is_no_finding(override):
    assert found(profile(kubespawner_override=override)) == []


def test_without_the_settings_of_a_spawner_only_misplaced_keys_are_found():
    known = catalogue.read([profile(kubespawner_override={"mem_limt": 1, "cpu_limit": "x", "default": True})])
    assert [finding.path for finding in check(known)] == ["profiles[0].kubespawner_override.default"]


def test_a_default_that_also_stands_where_it_belongs_is_to_be_removed():
    assert "Remove it" in one(profile(default=True, kubespawner_override={"default": True}))


@pytest.mark.parametrize(
    ("first", "second", "severity"),
    [
        ({}, {}, "error"),
        ({"allowed_groups": ["a"]}, {}, "error"),
        ({"allowed_groups": ["A", "b"]}, {"allowed_groups": ["a"]}, "error"),
        ({"allowed_groups": ["a*"]}, {"allowed_groups": ["ab"]}, "error"),
        ({"allowed_users": ["ada"]}, {"allowed_users": ["Ada"]}, "error"),
        ({"allowed_groups": ["a"]}, {"allowed_groups": ["b"]}, "warning"),
        ({"until": "2026-01-31"}, {"from": "2026-02-01"}, "warning"),
        ({"until": "2026-01-31"}, {"from": "2026-01-31"}, "error"),
        ({"retired": "2026-02-01"}, {"from": "2026-02-01"}, "warning"),
    ],
)
def test_two_profiles_of_one_slug_are_a_mistake_where_one_person_may_see_both(first, second, severity):
    line = one(profile("GPU!", **first), profile("GPU?", **second))
    assert line.startswith(f"{severity} p[1].slug: 'gpu', made from the display name, is the slug of p[0] too.")


@pytest.mark.parametrize(
    ("first", "second", "line"),
    [
        ({"slug": "a"}, {"slug": "b", "aliases": ["a"]}, "p[1].aliases: 'a' is the slug of p[0] too."),
        ({"slug": "a", "aliases": ["b"]}, {"slug": "b"}, "p[1].slug: 'b' is the alias of p[0] too."),
        ({"slug": "a", "aliases": ["c"]}, {"slug": "b", "aliases": ["c"]}, "p[1].aliases: 'c' is the alias of p[0]"),
    ],
)
def test_aliases_clash_with_slugs_and_with_each_other(first, second, line):
    assert line in one(profile(**first), profile(**second))


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ({"replaced_by": "c"}, "error p[0].replaced_by: there is no profile 'c'. Known: a, b."),
        ({"replaced_by": "a"}, "error p[0].replaced_by: comes back to where it began: a → a."),
        ({"aliases": ["a"]}, "warning p[0].aliases: names the profile's own slug"),
        ({"from": "2026-02-01", "until": "2026-01-01"}, "error p[0].until: 2026-01-01 is before from, 2026-02-01."),
        ({"from": "2026-02-01", "retired": "2026-01-01"}, "error p[0].retired: 2026-01-01 is not after from"),
        ({"allowed_teams": ["a"]}, "warning p[0].allowed_teams: is what allowed_groups was called before. Rename"),
        ({"allowed_groups": []}, "warning p[0].allowed_groups: is empty, so this is for nobody."),
    ],
)
def test_the_life_of_a_profile_makes_sense(keys, line):
    assert line in one(profile(slug="a", **keys), profile(slug="b"))


def test_successors_that_form_a_circle_are_told_at_each_of_its_members_only():
    lines = found(
        profile(slug="a", replaced_by="b"), profile(slug="b", replaced_by="c"), profile(slug="c", replaced_by="b")
    )
    assert lines == [
        "error p[1].replaced_by: comes back to where it began: b → c → b. Leave out one of them.",
        "error p[2].replaced_by: comes back to where it began: c → b → c. Leave out one of them.",
    ]


@pytest.mark.parametrize(
    ("first", "second", "doubted"),
    [
        ({}, {}, True),
        ({"allowed_groups": ["a"]}, {"allowed_groups": ["a", "b"]}, True),
        ({}, {"allowed_groups": ["a"]}, True),
        ({"allowed_groups": ["a"]}, {}, False),  # staff have theirs, everyone else the other
        ({"allowed_groups": ["a"]}, {"allowed_groups": ["b"]}, False),
        ({"until": "2026-01-31"}, {"from": "2026-02-01"}, False),
    ],
)
def test_two_defaults_are_doubted_unless_each_has_its_people(first, second, doubted):
    lines = found(profile("A", default=True, **first), profile("B", default=True, **second))
    assert bool(lines) is doubted
    assert all(line.startswith("warning p[1].default: p[0] is a default too") for line in lines)


def test_a_default_for_some_is_doubted_while_another_profile_is_for_everyone():
    assert "warning p[0].default: is not the default of people other than a, who get the first profile" in one(
        profile("A", default=True, allowed_groups=["a"]), profile("B")
    )
    assert found(profile("A", default=True, allowed_groups=["a"]), profile("B", allowed_groups=["b"])) == []


def test_a_restricted_default_choice_is_no_doubt_in_a_profile_for_the_same_people():
    choices = {"s": sized("S") | {"default": True, "allowed_groups": ["A"]}, "l": sized("L")}
    assert found(with_choices(choices) | {"allowed_groups": ["a"]}) == []
    assert "choices.s.default: is not the default of people other than A" in one(with_choices(choices))


@pytest.mark.parametrize(
    ("profile_groups", "choice_groups", "people"),
    [
        ([], [["b"], ["c"]], "people other than b, c"),
        (["a", "b"], [["B"]], "a"),
        (["a", "b"], [["a"], ["b"]], ""),
        (["a"], [["*"]], ""),
        (["a"], [["b"], []], ""),
    ],
)
def test_an_option_that_may_be_left_empty_says_for_whom(profile_groups, choice_groups, people):
    choices = {
        str(number): sized("S") | ({"allowed_groups": groups} if groups else {})
        for number, groups in enumerate(choice_groups)
    }
    restricted = {"allowed_groups": profile_groups} if profile_groups else {}
    lines = found(with_choices(choices) | restricted)
    if not people:
        assert lines == []
    else:
        assert f"p[0].profile_options.size: has nothing to choose for {people}: the profile is not" in lines[0]


def test_an_option_needs_something_to_choose():
    assert one(with_choices({})).startswith("error p[0].profile_options.size: has neither choices nor a write-in")
    built = with_choices({}, dynamic_image_building={"enabled": True})
    assert one(built).startswith("warning p[0].profile_options.size: has neither")


WRITE_IN = {
    "enabled": True,
    "validation_regex": r"^quay\.io/lab/[\w-]+:[\w.-]+$",
    "kubespawner_override": {"image": "{value}"},
}


def test_an_option_with_only_a_write_in_is_doubted_because_not_every_start_has_a_value():
    assert "has only a write-in" in one(with_choices({}, unlisted_choice=WRITE_IN))
    assert found(with_choices({"a": sized("A")}, unlisted_choice=WRITE_IN)) == []


@pytest.mark.parametrize("pattern", ["", "^.+:.+$", ".*", r"^\S+:\S+$", r"^[^\n]+$", "(.+/)?.+:.+"])
def test_a_pattern_that_accepts_nearly_anything_is_doubted_with_what_to_write_instead(pattern):
    line = one(with_choices({"a": sized("A")}, unlisted_choice={**WRITE_IN, "validation_regex": pattern}))
    assert line.startswith("warning p[0].profile_options.size.unlisted_choice.validation_regex: ")
    assert r"'^quay\.io/my-organisation/" in line


@pytest.mark.parametrize("pattern", [r"^quay\.io/lab/", r"pangeo/[a-z-]+:[\w.]+", r"^[\w./-]+:[\w.-]+$"])
def test_a_pattern_of_images_is_no_doubt_with_or_without_anchors(pattern):
    assert found(with_choices({"a": sized("A")}, unlisted_choice={**WRITE_IN, "validation_regex": pattern})) == []


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ({"image": "quay.io/a:1"}, "unlisted_choice.kubespawner_override: uses nothing"),
        ({"cpu_limit": "{value}"}, "kubespawner_override.cpu_limit: expected a number, found '{value}'."),
        ({"imge": "{value}"}, "Did you mean 'image'?"),
    ],
)  # fmt: skip
def test_a_write_in_is_used_for_something_that_can_hold_it(override, line):
    option = with_choices({"a": sized("A")}, unlisted_choice={**WRITE_IN, "kubespawner_override": override})
    assert line in "\n".join(found(option))


def test_a_write_in_that_is_switched_off_is_not_judged():
    assert (
        found(with_choices({"a": sized("A")}, unlisted_choice={**WRITE_IN, "enabled": False, "validation_regex": ".*"}))
        == []
    )


@pytest.mark.parametrize("name", ["profile", "community", "user_options", "display_name", "next", "_xsrf"])
def test_an_option_cannot_have_the_name_of_what_a_request_says_besides(name):
    assert f"cannot be called '{name}'" in one(profile(profile_options={name: {"choices": {"a": sized("A")}}}))


@pytest.mark.parametrize(
    ("slug", "option", "choice", "at", "said"),
    [
        ("a--b", "c", "d", ".slug", "'a--b' has -- in it, or - at its end"),
        ("a-", "c", "d", ".slug", "'a-' has -- in it, or - at its end"),
        ("a", "b--c", "d", ".profile_options.b--c", "'b--c' has -- in it, or - at its beginning"),
        ("a", "-b", "d", ".profile_options.-b", "'-b' has -- in it, or - at its beginning"),
        ("a", "b--unlisted-choice", "d", ".profile_options.b--unlisted-choice", "'b--unlisted-choice' has -- in it"),
        ("a", "", "d", ".profile_options['']", "has an empty name."),
        ("a", "b", "", ".profile_options.b.choices['']", "has an empty name."),
        ("a", "b", "unlisted-choice", ".profile_options.b.choices.unlisted-choice", "stands for what is written in"),
        ("a", "b", "built-image", ".profile_options.b.choices.built-image", "stands for an image that was built"),
        ("a\nb", "c", "d", ".slug", "'a\\nb' is not one line of text."),
        ("a", "c\nd", "d", ".profile_options['c\\nd']", "'c\\nd' is not one line of text."),
        ("a", "c", "d\ne", ".profile_options.c.choices['d\\ne']", "'d\\ne' is not one line of text."),
    ],
)
def test_names_of_which_a_form_could_not_tell_the_fields_apart_are_mistakes(slug, option, choice, at, said):
    line = one(profile(slug=slug, profile_options={option: {"choices": {choice: sized("A")}}}))
    assert line.startswith(f"error p[0]{at}: ")
    assert said in line


@pytest.mark.parametrize("slug", ["a", "a-b", "-a", "-", "日本", "a b", "a/b", 'a"b', "a.b", "%2d"])
def test_any_other_slug_is_no_mistake(slug):
    choices = {"unlisted": sized("A"), "x--y": sized("B"), "a b": sized("C")}
    assert found(profile(slug=slug + "x", profile_options={"b-": {"choices": choices}})) == []


def test_a_profile_without_any_name_is_told_once():
    assert (
        one(profile("!")) == "error p[0]: has no slug, and its display name has no letter to make one from. Add a slug."
    )
    assert len(found(profile("!"), profile("B", slug="b"))) == 1


@pytest.mark.parametrize("icon", ["ocean.svg", "javascript:alert(1)", "🌊", "data:text/html,x"])
def test_an_icon_that_pages_do_not_show_is_doubted(icon):
    assert one(profile(icon=icon)).startswith(f"warning p[0].icon: {icon!r} is not shown")
    assert found(profile(icon="https://example.org/ocean.svg"), profile("B", icon="/hub/logo")) == []


@pytest.mark.parametrize("name", ["volumes", "volume_mounts"])
def test_a_list_of_mounts_is_doubted_because_it_takes_the_place_of_those_of_the_hub(name):
    entry = {"name": "scratch"}
    line = one(profile(kubespawner_override={name: [entry]}))
    assert line.startswith(f"warning p[0].kubespawner_override.{name}: is a list, which replaces")
    assert found(profile(kubespawner_override={name: {"scratch": entry}})) == []


def test_a_guarantee_is_compared_with_the_limit_that_it_comes_to_together_with_the_choices():
    image = {"a": sized("A", image="a:1")}
    small, large = sized("S", mem_limit="2G"), sized("L", mem_limit="8G")
    both = profile(
        kubespawner_override={"mem_guarantee": "4G", "mem_limit": "3G"},
        profile_options={"image": {"choices": image}, "size": {"choices": {"s": small, "l": large}}},
    )
    assert found(both) == [
        "error p[0].profile_options.size.choices.s: mem_guarantee 4G is more than mem_limit 2G. "
        "Kubernetes starts no such server."
    ]


@pytest.mark.parametrize(
    ("label", "description", "override", "said"),
    [
        ("~4 GB", "", {"mem_limit": "8G"}, "'4 GB', but mem_limit is 8G."),
        ("8 GB RAM, 4 CPUs", "", {"mem_limit": "8G", "cpu_guarantee": 0.5, "cpu_limit": 1}, "'4 CPUs'"),
        ("Large", "64 GB memory", {"mem_guarantee": "8G", "mem_limit": "16G"}, "'64 GB memory'"),
        ("T4, ~1.5 CPU (~8 GB CPU RAM)", "", {"mem_guarantee": "12G", "mem_limit": "16G"}, "'8 GB CPU RAM'"),
        ("512 MB", "", {"mem_limit": "4G"}, "'512 MB'"),
    ],
)
def test_a_label_that_contradicts_the_numbers_is_doubted(label, description, override, said):
    line = one(with_choices({"a": sized(label, description, **override)}))
    assert line.startswith("warning p[0].profile_options.size.choices.a: ")
    assert said in line


@pytest.mark.parametrize(
    ("label", "description", "override"),
    [
        ("~8 GB, upto 15.5 CPU", "", {"mem_guarantee": "7.222G", "mem_limit": "8G", "cpu_limit": 15.536}),
        ("~29 GB RAM, ~4 CPUs", "~4 CPUs always", {"mem_limit": 31222718077, "cpu_guarantee": 3.65, "cpu_limit": 3.65}),
        ("~2 GB RAM, ~0.2 CPUs", "Up to ~4 CPUs", {"mem_limit": 1951419879, "cpu_guarantee": 0.228, "cpu_limit": 3.65}),
        ("Small", "5GB RAM, 2 CPUs", {"mem_limit": "7G", "mem_guarantee": "5G", "cpu_limit": 2, "cpu_guarantee": 0.9}),
        ("Shared Small: 1-4 CPU, 8-32 GB", "", {"mem_guarantee": "7.234G", "cpu_guarantee": 0.1, "mem_limit": None}),
        ("NVIDIA A100 [40GB VRAM], ~85GB RAM, 12 CPUs", "", {"mem_guarantee": "70G", "mem_limit": "82G"}),
        ("NVIDIA Tesla T4, ~16 GB, ~4 CPUs", "", {"mem_guarantee": "4G", "mem_limit": None}),
        ("Small", "Comes with 200 GB of data", {"mem_limit": "2G"}),
        ("Small", "A share of a node with 64 CPUs and 512 GB RAM", {"mem_limit": "2G", "cpu_limit": 1}),
        ("Small, 100 GB disk", "", {"mem_limit": "2G"}),
        ("4 GB", "", {"mem_limit": lambda spawner: "8G"}),
        ("4 GB", "", {}),
    ],
)  # fmt: skip
def test_a_label_that_agrees_or_speaks_of_something_else_is_no_doubt(label, description, override):
    assert found(with_choices({"a": sized(label, description, **override)})) == []


def test_where_all_groups_are_known_those_that_are_not_are_doubted():
    lines = found(profile(allowed_groups=["ocaen", "ice*"]), known_groups={"ocean", "ice-lab"})
    assert lines == [
        "warning p[0].allowed_groups: there is no group 'ocaen'. Did you mean 'ocean'?",
        "warning p: no profile is open to members of ocean. Name the group in one, if they are to start servers.",
    ]


def test_in_the_mapping_form_places_are_named_by_its_keys():
    (finding,) = check_list({"b": profile(), "a": profile("B", kubespawner_override={"default": True})})
    assert finding.path == "profiles.a.kubespawner_override.default"


@pytest.mark.parametrize("profiles", [3, "abc", True])
def test_what_is_no_list_of_profiles_is_told_as_such(profiles):
    (finding,) = check_list(profiles)
    assert (finding.severity, finding.path) == ("error", "profiles")
    assert "expected a list of profiles" in finding.what


@pytest.mark.parametrize("profiles", [None, [], {}])
def test_no_profiles_are_no_mistake(profiles):
    assert check_list(profiles) == []


def test_the_keys_of_the_mapping_form_can_be_put_in_order():
    (finding,) = check_list({1: profile(), "b": profile("B")})
    assert str(finding).startswith("profiles: has keys that are text and keys that are not, which have no order.")
    assert check_list({1: profile(), 2: profile("B")}) == []


@pytest.mark.parametrize("value", [1, 3.11, True, None])
def test_names_of_options_and_of_choices_are_text(value):
    (finding,) = check_list([profile(profile_options={value: {"choices": {"a": sized("A")}}})])
    assert f'expected text for a key, found {value}. Write "{value}", in quotes.' in str(finding)
    (finding,) = check_list([with_choices({value: sized("A")})])
    assert "expected text for a key" in finding.what


@pytest.mark.parametrize("value", [20260112, True, "soon", datetime(2026, 1, 1, 12, tzinfo=UTC)])
@pytest.mark.parametrize("key", ["from", "until", "retired"])
def test_what_is_no_day_is_told_with_how_to_write_one(key, value):
    (finding,) = check_list([profile(**{key: value})])
    assert finding.path == f"profiles[0].{key}"
    assert finding.what.startswith("expected a date such as 2026-01-31, found ")


@pytest.mark.parametrize("names", [[None], [True], [["a"]], [{"a": 1}], [""], [" "]])
@pytest.mark.parametrize("key", ["allowed_groups", "allowed_users", "aliases"])
def test_a_name_in_a_list_is_text_and_not_empty(key, names):
    (finding,) = check_list([profile(**{key: names})])
    assert (finding.severity, finding.path) == ("error", f"profiles[0].{key}[0]")
    assert "expected " in finding.what


def test_a_name_that_is_a_number_is_that_text():
    assert catalogue.read([profile(allowed_groups=[2026, "b"])]).profiles[0].groups == ("2026", "b")


def test_what_is_wrong_beside_a_mistake_of_grammar_is_told_with_it():
    listed = [profile(foo=1), profile("B", kubespawner_override={"mem_limt": "1G"}), {"slug": 3}]
    assert [finding.path for finding in check_list(listed, traits=KUBE)] == [
        "profiles[0].foo",
        "profiles[2].display_name",
        "profiles[2].slug",
        "profiles[1].kubespawner_override.mem_limt",
    ]


def test_profiles_that_clash_are_told_also_where_another_one_has_a_mistake():
    listed = [profile(slug="a"), profile("B", slug="a"), profile("C", foo=1)]
    assert [finding.path for finding in check_list(listed)] == ["profiles[2].foo", "profiles[1].slug"]


def test_what_was_copied_to_many_places_is_told_once():
    (line,) = told_once(check_list([profile(str(i), kubespawner_override={"default": True}) for i in range(6)]))
    assert line.endswith(
        "Also at profiles[1].kubespawner_override.default, profiles[2].kubespawner_override.default, "
        "profiles[3].kubespawner_override.default and 2 more."
    )


@pytest.mark.parametrize("spawner", ["profile-kube", "Profile-Local", "kubespawner.KubeSpawner"])
def test_the_settings_of_a_spawner_are_found_however_it_is_named(spawner):
    assert {"mem_limit", "image", "environment"} <= set(traits_of(spawner) or ())


@pytest.mark.parametrize("spawner", [None, "", "no-such-name", "nowhere.at.all.Spawner", "os.path", 3, int])
def test_of_an_unknown_spawner_nothing_is_said(spawner):
    assert traits_of(spawner) is None


NAMES = st.sampled_from(["mem_limit", "mem_guarantee", "cpu_limit", "image", "environment", "volumes", "default", "x"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text("{}:.[]0aG %", max_size=6),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
OVERRIDES = st.dictionaries(NAMES, VALUES, max_size=4)


@settings(deadline=None)
@given(OVERRIDES, OVERRIDES, OVERRIDES, st.text("0123456789 .-GB MRAMCPUsto~", max_size=20))
def test_whatever_stands_in_an_override_is_answered_with_findings(first, second, third, label):
    option = {
        "choices": {"a": {"display_name": label, "description": label, "kubespawner_override": second}},
        "unlisted_choice": {"enabled": True, "kubespawner_override": third},
    }
    listed = [profile(label, slug="a", kubespawner_override=first, profile_options={"o": option})]
    for traits in (KUBE, None):
        assert all(finding.path.startswith("p[0]") for finding in check_list(listed, "p", traits))


@pytest.mark.parametrize("file", hubs())
def test_no_profile_of_a_hub_that_runs_is_called_a_mistake(file):
    profiles = values_of(file).get("singleuser", {}).get("profileList", [])
    assert [str(finding) for finding in check_list(profiles, "p", KUBE) if finding.severity == "error"] == []


@pytest.mark.parametrize(
    ("profiles", "told"),
    [
        (
            [profile("A", default=True, retired="2026-01-01"), profile("B")],
            ["p[0].default: is of a profile"],
        ),
        ([profile("A", default=True, until="2026-03-01"), profile("B")], []),
        ([profile("A", until="2026-02-28"), profile("B", retired="2026-03-01")], ["p: are all over"]),
        ([profile("A", retired="2026-03-02")], []),
    ],
    ids=["default", "last-day", "all", "tomorrow"],
)
def test_what_is_over_by_today_is_doubted_where_it_matters(profiles, told):
    findings = check_list(profiles, "p", today=date(2026, 3, 1))
    assert [words for words in told if not any(words in str(finding) for finding in findings)] == []
    assert len(findings) == len(told)
