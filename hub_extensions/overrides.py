"""Overrides: how settings of several layers come together.

A mapping is merged into a mapping key by key, a None in it removes the key, and anything else replaces what was there.
Helm merges values files by this rule, KubeSpawner its `kubespawner_override`.
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
