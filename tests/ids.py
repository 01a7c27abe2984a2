"""Names for the cases of a test."""

from typing import Any


def steady(value: Any) -> str:
    """The value as text, which is the same in each process: the order of a set is not."""
    return str(sorted(value, key=str)) if isinstance(value, (set, frozenset)) else str(value)
