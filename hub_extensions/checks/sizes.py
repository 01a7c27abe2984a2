"""Sizes that profiles and the hub's own settings come to together."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice, product
from typing import Any

from ..additions import sections
from ..catalogue import Choice, Profile, read_each
from ..findings import Finding, error, inside, warning
from ..node_types import GIB, NodeType, node_types
from ..planned_hub import PlannedHub
from ..size_check import cpu_range, memory_range, over_limit, over_limits
from ..spawner_traits import class_of

_WHY = "Kubernetes starts no such server."
_SELECTOR = "node_selector"
_TYPE_LABELS = ("node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type")
_MOST_COMBINATIONS = 1_000
_KEYS = ("mem_guarantee", "mem_limit", "cpu_guarantee", "cpu_limit")


def check_sizes(hub: PlannedHub) -> Iterator[Finding]:
    """Guarantees over limits in what every server gets, and in what a profile leaves of it."""
    there = sections(hub.config)
    cls = class_of(there.get("JupyterHub", {}).get("spawner_class"))
    names = [base.__name__ for base in cls.__mro__] if cls else []
    base = {key: value for key, (_, value) in _set(there, names, _KEYS).items()}
    wrong = over_limit(base)
    if wrong:
        guarantee = wrong.partition(" ")[0]
        section, _ = _set(there, names, (guarantee,))[guarantee]
        yield error(f"c.{section}.{guarantee}", wrong, "Correct one of them.", _WHY)
        return
    found = _set(there, names, ("profile_list",)).get("profile_list")
    if found is None:
        return
    section, profiles = found
    inherited = "The profile does not set both: one is what every server gets."
    for place, profile in read_each(profiles, f"c.{section}.profile_list")[0]:
        whole = profile.model_copy(update={"kubespawner_override": {**base, **profile.kubespawner_override}})
        known = set(over_limits(profile, place))
        yield from (replace(each, why=inherited) for each in over_limits(whole, place) if each not in known)
        yield from _over_node(whole, place, _set(there, names, (_SELECTOR,)).get(_SELECTOR, ("", {}))[1])


def _over_node(profile: Profile, place: str, of_hub: Any) -> Iterator[Finding]:
    """Guarantees above what a node of the type that is asked for has as a whole."""
    told = set()
    layers: list[list[tuple[str, Profile | Choice]]] = [
        [(inside(place, "profile_options", name, "choices", key), choice) for key, choice in option.choices.items()]
        or [(place, profile)]
        for name, option in profile.profile_options.items()
    ]
    for combination in islice(product(*layers), _MOST_COMBINATIONS):
        at, total = place, dict[str, Any]()
        selector = dict(of_hub) if isinstance(of_hub, Mapping) else {}
        parts: list[tuple[str, Profile | Choice]] = [(place, profile), *combination]
        for chosen_at, part in parts:
            override = part.kubespawner_override
            total |= {key: override[key] for key in _KEYS if key in override}
            asked = override.get(_SELECTOR)
            selector |= asked if isinstance(asked, Mapping) else {}
            at = chosen_at if any(key in override for key in (*_KEYS, _SELECTOR)) else at
        node = node_types().get(str(next((selector[key] for key in _TYPE_LABELS if selector.get(key)), "")))
        what = _more_than(node, total) if node else ""
        if what and (at, what) not in told:
            told.add((at, what))
            yield warning(at, what, "Ask for less, or for larger nodes.", "Such a server waits until its start fails.")


def _more_than(node: NodeType, total: Mapping[str, Any]) -> str:
    memory, cpus = memory_range(total), cpu_range(total)
    if memory and memory.least > node.stated.memory:
        given = total.get("mem_guarantee") or total.get("mem_limit")
        return f"guarantees {given} of memory, and a node of type {node.name} has {node.stated.memory / GIB:g} GiB."
    if cpus and cpus.least > node.stated.cpu:
        given = total.get("cpu_guarantee") or total.get("cpu_limit")
        return f"guarantees {given} CPUs, and a node of type {node.name} has {node.stated.cpu:g}."
    return ""


def _set(there: Mapping[str, Mapping[str, Any]], names: list[str], keys: tuple[str, ...]) -> dict[str, tuple[str, Any]]:
    """What is set for the spawner, each with the section of the most specific class that has it."""
    found: dict[str, tuple[str, Any]] = {}
    for key in keys:
        for name in names:
            if there.get(name, {}).get(key) is not None:
                found[key] = (name, there[name][key])
                break
    return found
