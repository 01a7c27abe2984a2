"""Overrides: how settings of several layers come together.

A mapping is merged into a mapping key by key, a None in it removes the key, and anything else replaces what was there.
Helm merges values files by this rule, KubeSpawner its `kubespawner_override`.

Some settings of KubeSpawner, such as `volume_mounts`, are a list or a mapping whose values count in the order of their
keys. A mapping adds to them in both forms; a list replaces them in both, as KubeSpawner has it.
"""

import copy
from collections.abc import Mapping
from typing import Any


def merged(below: Any, above: Any) -> Any:
    """`below` with `above` laid over it; neither is changed, and the result shares nothing with them."""
    if not isinstance(above, Mapping):
        return copy.deepcopy(above)
    result = copy.deepcopy(dict(below)) if isinstance(below, Mapping) else {}
    for key, value in above.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def laid_over(current: Any, value: Any) -> Any:
    """What a setting becomes when an override sets it to `value`; neither is changed."""
    if isinstance(value, Mapping) and isinstance(current, list):
        # A space comes before all that a key begins with, so what was there stays first.
        current = {f" {index:04}": entry for index, entry in enumerate(current)}
    return merged(current, value) if isinstance(current, Mapping) else copy.deepcopy(value)


def unmounted(current: Any, value: Any) -> tuple[str, ...]:
    """What of a list of mounts or volumes, or of a mapping of them, is gone when the list `value` replaces it."""

    def named(entries: Any) -> list[str]:
        listed = entries.values() if isinstance(entries, Mapping) else entries
        return [
            str(entry.get("mountPath") or entry.get("name") or "a nameless entry")
            for entry in listed or ()
            if isinstance(entry, Mapping)
        ]

    stays = named(value) if isinstance(value, list) else []
    return tuple(name for name in named(current) if name not in stays)


def filled_in(template: Any, value: str) -> Any:
    """A template of an override with each `{value}` in it, at any depth, replaced by what a person wrote in.

    Nothing else of the template is changed: other braces are KubeSpawner's placeholders, or belong to the text.
    """
    if isinstance(template, str):
        return template.replace("{value}", value)
    if isinstance(template, Mapping):
        return {filled_in(key, value): filled_in(inner, value) for key, inner in template.items()}
    if isinstance(template, list):
        return [filled_in(inner, value) for inner in template]
    return template
