"""Adding to what JupyterHub is configured with: what an operator has set stays.

A trait may have been assigned, or added to by `c.JupyterHub.x.append(…)` while its value is not known yet.
"""

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jupyterhub
from jupyterhub.roles import get_default_roles
from traitlets.config import Config
from traitlets.config.loader import LazyConfigValue


def put(c: Config, trait: str, entry: Mapping[str, Any]) -> None:
    """Put an entry into one of JupyterHub's lists, in the place of one of the same name, else at the end."""
    _change(c, trait, str(entry["name"]), lambda _: dict(entry))


def add_role(c: Config, role: Mapping[str, Any]) -> None:
    """Add a role; an operator's role of that name keeps what it has and gains the scopes, groups and services."""

    def joined(found: Mapping[str, Any]) -> dict[str, Any]:
        lists = [key for key in ("scopes", "groups", "services") if key in role]
        return {**role, **found} | {key: _union(found.get(key), role[key]) for key in lists}

    _change(c, "load_roles", str(role["name"]), joined)


def grant(c: Config, role: str, scopes: Iterable[str]) -> None:
    """Add scopes to a role; it keeps what it has, from the operator or else from JupyterHub."""
    defined = any(entry.get("name") == role and _has_scopes(entry) for entry in listed(c, "load_roles"))
    if role == "user" and not defined and jupyterhub.version_info >= (6,):
        c.JupyterHub.extra_user_scopes = _value(c, "extra_user_scopes", set()) | set(scopes)
        return
    default: list[str] = next((each["scopes"] for each in get_default_roles() if each["name"] == role), [])

    def with_scopes(found: Mapping[str, Any]) -> dict[str, Any]:
        return {**found, "name": role, "scopes": _union(found["scopes"] if _has_scopes(found) else default, scopes)}

    _change(c, "load_roles", role, with_scopes)


def _has_scopes(role: Mapping[str, Any]) -> bool:
    return role.get("scopes") is not None


def _union(found: Iterable[str] | None, added: Iterable[str]) -> list[str]:
    return list(dict.fromkeys([*(found or ()), *added]))


def _change(c: Config, trait: str, name: str, change: Callable[[Mapping[str, Any]], dict[str, Any]]) -> None:
    """Change the entry of that name in one of JupyterHub's lists, or append one."""
    there = listed(c, trait)
    index = next((i for i, entry in enumerate(there) if entry.get("name") == name), len(there))
    found = there[index] if index < len(there) else {}
    c.JupyterHub[trait] = [*there[:index], change(found), *there[index + 1 :]]


def handle(c: Config, path: str, handler: type) -> None:
    """Have the hub answer at a path below its prefix, by a handler of tornado; one for that path is replaced."""
    there = [entry for entry in listed(c, "extra_handlers") if entry[0] != path]
    c.JupyterHub.extra_handlers = [*there, (path, handler)]


def update(c: Config, trait: str, entries: Mapping[str, Any]) -> None:
    """Put entries into one of JupyterHub's mappings."""
    c.JupyterHub[trait] = {**_value(c, trait, {}), **entries}


def listed(c: Config, trait: str) -> list[Any]:
    """What has been put into one of JupyterHub's lists so far."""
    return entries(_value(c, trait, []))


def entries(value: Any) -> list[Any]:
    """The entries of a list, or of a mapping of names to entries, as Zero to JupyterHub has services and roles."""
    return [{"name": name, **entry} for name, entry in value.items()] if isinstance(value, dict) else list(value)


def so_far(value: Any) -> Any:
    """A trait's value, or what has been added to one that is not known yet; None if that is nothing."""
    if not isinstance(value, LazyConfigValue):
        return value
    added = value.to_dict()  # asking for the value itself would settle it
    if not added:
        return None
    update = added.get("update")
    return copy.copy(update) if update is not None else copy.deepcopy(value).get_value([])


def sections(c: Config) -> dict[str, dict[str, Any]]:
    """Every trait that is configured so far: section → trait → value."""
    return {
        name: {trait: plain for trait, value in section.items() if (plain := so_far(value)) is not None}
        for name, section in c.items()
        if isinstance(section, Mapping)
    }


def _value(c: Config, trait: str, empty: Any) -> Any:
    """What one of JupyterHub's traits has been given so far, by assignment or by adding to it."""
    value = c.JupyterHub.get(trait, empty)
    # A lazy value computes itself once, and forgets what is added afterwards.
    value = copy.deepcopy(value).get_value(empty) if isinstance(value, LazyConfigValue) else value
    return type(empty)(value) if isinstance(empty, set) else value
