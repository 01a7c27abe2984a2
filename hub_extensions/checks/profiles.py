"""Profiles of a hub whose spawner does not know what restricts them."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..additions import sections
from ..findings import Finding, error, inside
from ..planned_hub import PlannedHub
from ..spawner_traits import class_of

_RESTRICTING = ("allowed_groups", "allowed_users", "allowed_teams")


def check_profiles(hub: PlannedHub) -> Iterator[Finding]:
    """Restrictions that nobody enforces: the stock spawner passes over keys that it does not know."""
    there = sections(hub.config)
    cls = class_of(there.get("JupyterHub", {}).get("spawner_class"))
    names = [base.__name__ for base in cls.__mro__] if cls else []
    if "KubeSpawner" not in names or "ProfileSpawner" in names:
        return
    section = next((name for name in names if "profile_list" in there.get(name, {})), "KubeSpawner")
    for place in _restricted(there.get(section, {}).get("profile_list"), f"c.{section}.profile_list"):
        what = f"is read by nobody: {names[0]} does not know it."
        why = "Everybody is offered what looks as if it were for some."
        yield error(place, what, "Set c.JupyterHub.spawner_class to profile-kube, or call configure(c).", why)


def _restricted(part: Any, place: str) -> Iterator[str]:
    """The places of restrictions, at any depth."""
    if isinstance(part, list):
        for index, inner in enumerate(part):
            yield from _restricted(inner, inside(place, index))
    elif isinstance(part, Mapping):
        for key, inner in part.items():
            if key in _RESTRICTING and inner:
                yield inside(place, key)
            elif key != "kubespawner_override":
                yield from _restricted(inner, inside(place, str(key)))
