"""How many series a metric has: those with the largest values have one each, the others share one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST = 200
"""So many have a series of their own."""
OTHERS = "(others)"
"""The label of the rest."""


def capped(values: Mapping[tuple[str, ...], float], largest: int = LARGEST) -> dict[tuple[str, ...], float]:
    """Return values by labels, the largest first, where those beyond ``largest`` are one sum under ``OTHERS``."""
    ordered = sorted(values.items(), key=lambda item: (-item[1], item[0]))
    found = dict(ordered[:largest])
    rest = ordered[largest:]
    if rest:
        found[(OTHERS,) * len(rest[0][0])] = sum(value for _, value in rest)
    return found
