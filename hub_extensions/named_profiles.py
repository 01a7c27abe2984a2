"""Profiles that settings name by their slugs, in weights, prices and rules, and that there are not."""

from collections.abc import Iterator
from typing import Any

from .catalogue import read_each
from .findings import Finding, inside, warning
from .mistakes import did_you_mean, shown
from .settings import Settings

_EARLIER = "It counts for servers of earlier times alone."
_NOBODY = "The rule means no server by it."


def unknown(settings: Settings, profile_list: Any) -> list[Finding]:
    """Doubts about names of profiles that are not in the list; a report of earlier months may need those of then."""
    profiles = [profile for _, profile in read_each(profile_list, "profiles")[0]]
    known = {profile.name for profile in profiles}
    now = {alias: profile.name for profile in profiles for alias in profile.aliases}
    return [
        warning(path, f"there is no profile {shown(name)}.", _advice(name, known, now), why)
        for path, name, why in _named(settings, known)
        if name not in known
    ]


def _advice(name: str, known: set[str], now: dict[str, str]) -> str:
    return f"It is called {now[name]!r} now." if name in now else did_you_mean(name, known)


def _named(settings: Settings, known: set[str]) -> Iterator[tuple[str, str, str]]:
    """Where a profile is named, its name, and what comes of it when there is none."""
    folded = {name.casefold(): name for name in known}
    for index, quota in enumerate(settings.quotas):
        for name in quota.weights:
            yield inside("quotas", index, "weights", name), name, _EARLIER
    for name in settings.usage.prices.profiles if settings.usage.prices else ():
        yield inside("usage.prices.profiles", name), name, _EARLIER
    for index, rule in enumerate(settings.idle.rules):
        for at, name in enumerate(rule.profiles):
            # Rules are the only ones that do not mind letter case.
            yield inside("idle.rules", index, "profiles", at), folded.get(name.casefold(), name), _NOBODY
