"""Patterns that operators write, matched against what people write.

A regular expression can take a time that doubles with each letter; here it gets a bound instead of the hub.
"""

import regex

_SECONDS = 0.05  # a pattern that is no trap needs less than a thousandth of it


def compiled(pattern: str) -> "regex.Pattern[str]":
    """The pattern, ready to use; raises ValueError with what is wrong with it."""
    try:
        return regex.compile(pattern)
    except regex.error as error:
        raise ValueError(f"is not a regular expression: {error}.") from None


def matched(pattern: str, text: str) -> "regex.Match[str] | None":
    """How the whole text fits the pattern; None if it does not, or if that cannot be told in time."""
    try:
        return regex.fullmatch(pattern, text, timeout=_SECONDS)
    except TimeoutError:
        return None
