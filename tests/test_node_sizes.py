"""Sizes made from nodes, and sizes that have a name."""

import copy
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st
from traitlets.config import Config

from hub_extensions import configure, settings
from hub_extensions.catalogue_check import check_list
from hub_extensions.mistakes import SettingsError
from hub_extensions.node_sizes import MOST_CHOICES, NodeShares, choices_of, expand
from hub_extensions.node_types import GIB, MIB, left_for_people, node_types
from hub_extensions.sizes import describe, memory_bytes
from hub_extensions.spawner_traits import traits_of

from .corpus import hubs, values_of

KUBE = traits_of("profile-kube")


def overrides_of(made):
    return [choice["kubespawner_override"] for choice in made.values()]


@pytest.mark.parametrize(
    ("name", "cloud", "cpus", "gib", "pods"),
    [
        ("n2-highmem-4", "gke", 4, 32, 110),
        ("n1-standard-8", "gke", 8, 30, 110),
        ("a2-highgpu-1g", "gke", 12, 85, 110),
        ("r5.xlarge", "eks", 4, 32, 58),
        ("r5.4xlarge", "eks", 16, 128, 234),
        ("m6i.16xlarge", "eks", 64, 256, 737),
        ("g4dn.xlarge", "eks", 4, 16, 29),
        ("t3.medium", "eks", 2, 4, 17),
        ("Standard_E4s_v5", "aks", 4, 32, 110),
        ("Standard_NC8as_T4_v3", "aks", 8, 56, 110),
    ],
)
def test_node_types_are_known_by_the_names_of_their_clouds(name, cloud, cpus, gib, pods):
    node = node_types()[name]
    assert (node.cloud, node.stated.cpu, node.stated.memory, node.pods) == (cloud, cpus, gib * GIB, pods)


def test_every_node_has_something_left_for_people_but_less_than_is_stated():
    for node in node_types().values():
        left = left_for_people(node)
        assert 0 < left.cpu < node.stated.cpu, node
        assert 0 < left.memory < node.stated.memory, node


# What hubs found to be left on their nodes for people, from `kubectl describe node`: CPUs, bytes.
MEASURED = {
    "r5.xlarge": (3.725, 31859916405),
    "r5.4xlarge": (15.695, 130188897681),
    "r5.16xlarge": (63.575, 525987313876),
    "n2-highmem-4": (3.45, 28967406928),
    "n2-highmem-16": (15.418, 124447031296),
}


@pytest.mark.parametrize("name", MEASURED)
def test_what_is_computed_is_near_what_was_measured(name):
    cpu, memory = MEASURED[name]
    left = left_for_people(node_types()[name])
    assert left.cpu == pytest.approx(cpu, rel=0.005)
    assert left.memory == pytest.approx(memory, rel=0.005)


def test_a_node_is_shared_out_by_halves():
    made = choices_of(NodeShares(node_type="mine", choices=3, default=1, cpu=10, memory="100G"))
    assert list(made) == ["mine-1-of-4", "mine-1-of-2", "mine-whole"]
    assert made["mine-1-of-4"] == {
        "default": True,
        "display_name": "24 GB memory, up to 9.8 CPUs",
        "description": "2.5 CPUs for you, more while others leave them free",
        "kubespawner_override": {
            "mem_guarantee": int(98 * GIB / 4),
            "mem_limit": int(98 * GIB / 4),
            "cpu_guarantee": 2.45,
            "cpu_limit": 9.8,
            "node_selector": {"node.kubernetes.io/instance-type": "mine"},
        },
    }
    assert made["mine-whole"]["display_name"] == "98 GB memory, 9.8 CPUs"
    assert made["mine-whole"]["description"] == "A node of your own"
    assert [choice.get("default", False) for choice in made.values()] == [True, False, False]


def test_of_a_large_node_no_more_is_held_back_than_two_gigabytes_and_one_cpu():
    (whole,) = overrides_of(choices_of(NodeShares(node_type="mine", cpu=100, memory="1000G")))
    assert whole["mem_limit"] == 998 * GIB
    assert whole["cpu_limit"] == 99


@how(deadline=None)
@given(
    cpu=st.floats(0.5, 500),
    memory=st.integers(GIB, 20_000 * GIB),
    choices=st.integers(1, MOST_CHOICES),
)
def test_as_many_servers_of_a_size_fit_a_node_as_its_name_says(cpu, memory, choices):
    try:
        made = choices_of(NodeShares(node_type="mine", choices=choices, cpu=cpu, memory=memory))
    except ValueError as error:
        assert "too little memory" in str(error)  # noqa: PT017 - some inputs are refused, the others are looked at
        return
    overrides = overrides_of(made)
    for parts, override in zip((2**n for n in reversed(range(choices))), overrides, strict=True):
        assert parts * override["mem_guarantee"] <= memory
        assert parts * override["cpu_guarantee"] <= cpu
        assert override["mem_limit"] == override["mem_guarantee"] >= 256 * MIB
        assert override["cpu_guarantee"] <= override["cpu_limit"] <= cpu
    for smaller, larger in pairwise(overrides):
        assert smaller["mem_limit"] < larger["mem_limit"]
        assert smaller["cpu_guarantee"] <= larger["cpu_guarantee"]
        assert smaller["cpu_limit"] == larger["cpu_limit"]


@how(deadline=None)
@given(name=st.sampled_from(sorted(node_types())), choices=st.integers(1, 4))
def test_the_label_of_a_made_size_agrees_with_its_numbers(name, choices):
    try:
        made = choices_of(NodeShares(node_type=name, choices=choices))
    except ValueError:
        return
    for choice in made.values():
        assert choice["display_name"] == describe(choice["kubespawner_override"])
    profile = {"display_name": "A", "profile_options": {"size": {"choices": made}}}
    assert check_list([profile], "p", KUBE) == []


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ({"node_type": "r5.xlage"}, "sizes.s: node type 'r5.xlage' is not known. Did you mean 'r5.xlarge'?"),
        ({"node_type": "t3.medium", "choices": 8}, "sizes.s: 8 choices of a t3.medium have too little memory."),
        (
            {"node_type": "r5.xlarge", "choices": 2, "default": 3},
            "sizes.s: default is 3, but there are only 2 choices.",
        ),
        ({"node_type": "r5.xlarge", "choises": 2}, "sizes.s.choises: unknown key. Did you mean 'choices'?"),
        ({"node_type": "r5.xlarge", "memory": "4 apples"}, "sizes.s.memory: not an amount of memory"),
        ("large", "sizes.s: expected a mapping, found 'large'."),
    ],
)
def test_a_mistake_in_a_size_is_told_once_where_it_stands(shares, said):
    option = {"size": {"sizes": "s"}}
    used = [{"display_name": name, "profile_options": option, "size": "s"} for name in ("A", "B")]
    with pytest.raises(SettingsError) as caught:
        settings.load({"sizes": {"s": shares}, "profiles": used})
    (mistake,) = caught.value.mistakes
    assert str(mistake).startswith(said)


SIZES = {
    "standard": {"node_type": "n2-highmem-4", "choices": 2, "default": 1},
    "small": {"mem_limit": "2G", "cpu_limit": 1},
    "huge": {"display_name": "Huge", "mem_limit": "64G", "node_selector": {"pool": "huge"}},
}


def expanded(profile):
    given = copy.deepcopy(profile)
    (found,), mistakes = expand([profile], SIZES)
    assert profile == given
    return found, [str(mistake) for mistake in mistakes]


def test_an_option_takes_its_choices_from_a_named_size():
    profile, mistakes = expanded({"profile_options": {"size": {"display_name": "Size", "sizes": "standard"}}})
    assert mistakes == []
    made = choices_of(NodeShares(**SIZES["standard"]))
    assert profile == {"profile_options": {"size": {"display_name": "Size", "choices": made}}}


def test_an_option_takes_several_sizes_and_changes_single_ones():
    changed = {"huge": {"allowed_groups": ["heavy"]}, "n2-highmem-4-whole": {"description": "Ask first"}}
    option = {"sizes": ["small", "standard", "huge"], "choices": changed}
    profile, _ = expanded({"profile_options": {"size": option}})
    choices = profile["profile_options"]["size"]["choices"]
    assert list(choices) == ["small", "n2-highmem-4-1-of-2", "n2-highmem-4-whole", "huge"]
    assert choices["small"] == {
        "display_name": "2 GB memory, up to 1 CPU",
        "kubespawner_override": {"mem_limit": "2G", "cpu_limit": 1},
    }
    assert choices["huge"]["display_name"] == "Huge"
    assert choices["huge"]["allowed_groups"] == ["heavy"]
    assert choices["huge"]["kubespawner_override"] == {"mem_limit": "64G", "node_selector": {"pool": "huge"}}
    assert choices["n2-highmem-4-whole"]["description"] == "Ask first"


def test_a_profile_and_a_choice_take_one_size_under_their_own_override():
    profile, mistakes = expanded(
        {
            "size": "small",
            "kubespawner_override": {"cpu_limit": 2, "mem_limit": None},
            "profile_options": {"kind": {"choices": {"a": {"display_name": "A", "size": "huge"}}}},
        }
    )
    assert mistakes == []
    assert profile["kubespawner_override"] == {"mem_limit": None, "cpu_limit": 2}
    choice = profile["profile_options"]["kind"]["choices"]["a"]
    assert choice == {
        "display_name": "A",
        "kubespawner_override": {"mem_limit": "64G", "node_selector": {"pool": "huge"}},
    }


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        ({"size": "smal"}, "profiles[0].size: there is no size 'smal'. Did you mean 'small'?"),
        (
            {"size": "standard"},
            "profiles[0].size: 'standard' is several sizes to choose from. Name it in an option, as",
        ),
        ({"size": {"mem_limit": "2G"}}, "profiles[0].size: there is no size {'mem_limit': '2G'}."),
        (
            {"profile_options": {"s": {"sizes": ["small", 3]}}},
            "profiles[0].profile_options.s.sizes: there is no size 3.",
        ),
    ],
)
def test_a_size_that_cannot_be_taken_is_a_mistake_with_its_place(profile, said):
    _, (mistake,) = expanded(profile)
    assert mistake.startswith(said)


@pytest.mark.parametrize("profiles", [None, 3, "text", [], [None, 3], [{"profile_options": 3}], {"a": {"size": None}}])
def test_what_is_no_profile_is_left_to_the_check_of_the_grammar(profiles):
    found, _ = expand(profiles, SIZES)
    assert type(found) is type(profiles)


def test_profiles_without_sizes_stay_as_they_are():
    profiles = {"b": {"display_name": "B", "profile_options": {"s": {"choices": {"x": {"display_name": "X"}}}}}}
    assert expand(profiles, SIZES) == (profiles, [])


def test_the_settings_of_a_hub_use_one_size_in_many_profiles():
    option = {"size": {"display_name": "Size", "sizes": "standard"}}
    profiles = [{"display_name": name, "profile_options": option} for name in ("A", "B")]
    c = Config()
    configure(c, {"sizes": SIZES, "profiles": profiles})
    first, second = c.ProfileSpawner.profile_list
    assert len(first["profile_options"]["size"]["choices"]) == 2
    assert first["profile_options"] == second["profile_options"]


def test_profiles_of_the_chart_use_the_sizes_of_the_settings():
    c = Config({"JupyterHub": {"spawner_class": "profile-kube"}})
    c.KubeSpawner.profile_list = [{"display_name": "A", "size": "small"}]
    for _ in range(2):
        configure(c, {"sizes": SIZES})
        (profile,) = c.KubeSpawner.profile_list
        assert profile == {"display_name": "A", "kubespawner_override": {"mem_limit": "2G", "cpu_limit": 1}}
    c.KubeSpawner.profile_list = [{"display_name": "A", "size": "smal"}]
    with pytest.raises(SystemExit, match=r"c\.KubeSpawner\.profile_list\[0\]\.size: there is no size 'smal'"):
        configure(c, {"sizes": SIZES})


def sizes_in(profiles):
    """The sizes that a hub offers on nodes of one type: (node type, memory, CPU guarantee, CPU limit)."""
    for profile in profiles:
        for option in profile.get("profile_options", {}).values():
            for choice in option.get("choices", {}).values():
                override = choice.get("kubespawner_override") or {}
                node = (override.get("node_selector") or {}).get("node.kubernetes.io/instance-type")
                if node and isinstance(override.get("mem_limit"), int) and override["mem_limit"] > 2**20:
                    yield node, override["mem_limit"], override["cpu_guarantee"], override["cpu_limit"]


@pytest.mark.parametrize("file", hubs())
def test_made_sizes_are_near_those_that_hubs_use_on_the_same_nodes(file):
    """Within 2.5 %: most are within 0.4 %, and some hubs hold back no margin."""
    for node, memory, cpu_guarantee, cpu_limit in sizes_in(
        values_of(file).get("singleuser", {}).get("profileList", [])
    ):
        made = overrides_of(choices_of(NodeShares(node_type=node, choices=6)))
        nearest = min(made, key=lambda override: abs(memory_bytes(override["mem_limit"]) - memory))
        assert nearest["mem_limit"] == pytest.approx(memory, rel=0.025)
        assert nearest["cpu_limit"] == pytest.approx(cpu_limit, rel=0.025)
        assert nearest["cpu_guarantee"] <= cpu_guarantee * 1.15
