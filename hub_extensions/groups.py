"""Group names: the one place that compares them.

Requirements:

- letter case never matters (`Ocean-Lab` and `ocean-lab` are one group), nor does the Unicode form of a name;
- the whole name counts: `/a/admin` is not `/b/admin`, and `org` is not `org:team`;
- a pattern is a group name with `*`, which stands for any run of characters; nothing else is special.
"""

import unicodedata
from collections.abc import Iterable
from functools import lru_cache


@lru_cache(maxsize=65536)
def key(name: str) -> str:
    """The form of a group's name under which it is compared."""
    # Folding case can undo a normal form (U+0130), so normalise on both sides of it.
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip()


def keys(names: Iterable[str]) -> frozenset[str]:
    """The comparable forms of several names."""
    return frozenset(key(name) for name in names)


def matches(pattern: str, name: str) -> bool:
    """Whether a group's name is the pattern, or fits it where the pattern has a `*`."""
    head, *parts = key(pattern).split("*")
    rest = key(name)
    if not parts:
        return rest == head
    *middle, tail = parts
    if not rest.startswith(head):
        return False
    rest = rest[len(head) :]
    for part in middle:
        _, found, rest = rest.partition(part) if part else ("", "*", rest)
        if not found:
            return False
    return len(rest) >= len(tail) and rest.endswith(tail)


def member_of_any(names: Iterable[str], patterns: Iterable[str]) -> bool:
    """Whether someone in the groups `names` is in a group that one of the patterns means."""
    return _member_of_any(frozenset(names), tuple(patterns))


@lru_cache(maxsize=16384)  # a page asks the same of one person for each of thousands of choices
def _member_of_any(names: frozenset[str], patterns: tuple[str, ...]) -> bool:
    have = keys(names)
    return any(
        key(pattern) in have or ("*" in pattern and any(matches(pattern, name) for name in have))
        for pattern in patterns
    )
