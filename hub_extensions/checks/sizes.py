"""Sizes that profiles and the hub's own settings come to together."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..additions import sections
from ..catalogue import read_each
from ..findings import Finding, error
from ..planned_hub import PlannedHub
from ..size_check import over_limit, over_limits
from ..spawner_traits import class_of

_WHY = "Kubernetes starts no such server."
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


def _set(there: Mapping[str, Mapping[str, Any]], names: list[str], keys: tuple[str, ...]) -> dict[str, tuple[str, Any]]:
    """What is set for the spawner, each with the section of the most specific class that has it."""
    found: dict[str, tuple[str, Any]] = {}
    for key in keys:
        for name in names:
            if there.get(name, {}).get(key) is not None:
                found[key] = (name, there[name][key])
                break
    return found
