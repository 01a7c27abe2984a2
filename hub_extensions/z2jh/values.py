"""Helm values: finding the chart's own, merging layers of them, reading a path."""

from collections.abc import Mapping
from typing import Any

CHART = "jupyterhub"  # the name under which other charts hold the values of this one
_OWN_KEYS = frozenset({"hub", "singleuser"})


def merge_values(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """One mapping of the chart's values out of several, as `helm --values A --values B` merges them.

    The later layer wins, maps merge, anything else replaces. A null stays in the result, where it removes the chart's
    default. Layers written for a chart around this one count from their `jupyterhub` key on.
    """
    merged: dict[str, Any] = {}
    for layer in layers:
        merged = _merged(merged, chart_values(layer))
    return merged


def over_defaults(defaults: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with the chart's defaults below them; a null removes a default, and stays where there is none."""
    effective = dict(defaults)
    for key, value in values.items():
        if value is None and key in defaults:
            del effective[key]
        elif isinstance(value, Mapping) and isinstance(defaults.get(key), Mapping):
            effective[key] = over_defaults(defaults[key], value)
        else:
            effective[key] = value
    return effective


def chart_values(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part of a values file that is meant for this chart, in a file for it or for any chart around it."""
    return _inner(document) or document


def look_up(values: Mapping[str, Any], path: str, default: Any = None) -> Any:
    """What stands at a dotted path, or the default where nothing or null does."""
    here: Any = values
    for key in path.split("."):
        if not isinstance(here, Mapping):
            return default
        here = here.get(key)
    return default if here is None else here


def programs(values: Mapping[str, Any]) -> dict[str, str]:
    """Python in `hub.extraConfig` by its name, in the order in which the chart runs it; a lone one has the name ""."""
    found = look_up(values, "hub.extraConfig", {})
    named = found if isinstance(found, Mapping) else {"": found}
    return dict(sorted((str(name), str(text)) for name, text in named.items() if text is not None))


def mapping_at(values: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    """The mapping at a dotted path, empty if there is none. Raises ValueError with a sentence for anything else."""
    found = look_up(values, path, {})
    if not isinstance(found, Mapping):
        raise ValueError(f"{path}: expected a mapping, found {type(found).__name__}.")  # noqa: TRY004 - a value, not a call
    return found


def list_at(values: Mapping[str, Any], path: str) -> list[Any]:
    """The list at a dotted path, or a mapping's values in the order of its keys, in which KubeSpawner uses them.

    Raises ValueError with a sentence for anything else.
    """
    found = look_up(values, path, [])
    if isinstance(found, Mapping):
        return [found[key] for key in sorted(found)]
    if not isinstance(found, list):
        raise ValueError(f"{path}: expected a list or a mapping, found {type(found).__name__}.")  # noqa: TRY004 - a value
    return found


def entries_at(values: Mapping[str, Any], path: str, key: str) -> dict[str, Mapping[str, Any]]:
    """The mappings at a dotted path, each with a key; `key` makes one for the entries of a list, out of place and name.

    Raises ValueError with a sentence where an entry is no mapping or, in a list, has no name.
    """
    found = look_up(values, path, {})
    for entry in found.values() if isinstance(found, Mapping) else list_at(values, path):
        if not isinstance(entry, Mapping) or "name" not in entry:
            raise ValueError(f"{path}: every entry needs a name.")
    if isinstance(found, Mapping):
        return dict(found)
    return {key.format(place=place, name=entry["name"]): entry for place, entry in enumerate(found)}


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = _merged(under, value) if isinstance(value, Mapping) and isinstance(under, Mapping) else value
    return merged


def _inner(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    own = document.get(CHART)
    if isinstance(own, Mapping):
        return own
    if _OWN_KEYS & document.keys():
        return None
    # A chart around a chart around this one, such as basehub in daskhub.
    return next((own for value in document.values() if isinstance(value, Mapping) and (own := _inner(value))), None)
