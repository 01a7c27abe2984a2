"""What `configure` changed: for the log, for a check, and for the start of the hub, which may have lost some of it.

A configuration file goes on after the call. What is added to later keeps what is there; a trait that is assigned whole
loses it, and nothing else would say so.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from traitlets.config import Config

from .additions import sections
from .findings import Finding, warning
from .settings import Settings
from .spawner_traits import class_of

RECORD = "HubExtensions"  # a section that no class reads
_SECRET = re.compile(r"secret|token|password|pepper|(^|_)keys?$", re.IGNORECASE)
_PASSWORD = re.compile(r"(://[^:/@\s]*:)[^@/\s]+@")
_CLASSES = ("spawner_class", "authenticator_class")
_MOST_ENTRIES = 4  # that a line of the log lists

Traits = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Change:
    """A trait that has another value than before.

    `entries` are the names of what was added to a list, a set or a mapping; None where the whole value was set.
    `before` and `value` are the whole values, `replaced` the names of entries that are others than before.
    """

    trait: str
    entries: frozenset[str] | None
    before: Any
    value: Any
    replaced: tuple[str, ...] = ()

    def lost_in(self, there: Any) -> list[str]:
        """What of the change is not there any more; the name of the whole is ""."""
        if self.entries is None:
            return [] if there == self.value else [""]
        return sorted(self.entries - (entries_of(there) or frozenset()))

    def still_in(self, there: Any) -> Self | None:
        """What of the change is there after a call, which has put back all that is ours; None if nothing is."""
        if self.entries is None:
            return replace(self, before=None, replaced=()) if there == self.value else None
        left = self.entries & (entries_of(there) or frozenset())
        # Of a list only its entries, by which they are found again: its value may be of this process alone.
        return replace(self, entries=left, before=None, value=None, replaced=()) if left else None


def compare(before: Traits, after: Traits) -> list[Change]:
    """What is different, or new, in `after`."""
    found = []
    for section, traits in after.items():
        for name, value in traits.items():
            there = before.get(section, {}).get(name)
            now, then = entries_of(value), entries_of(there)
            if now is not None and (there is None or then is not None):
                added, replaced = now - (then or frozenset()), _replaced(there, value)
                if added or replaced:
                    found.append(Change(f"{section}.{name}", added, there, value, replaced))
            elif there != value:
                found.append(Change(f"{section}.{name}", None, there, value))
    return found


def _replaced(before: Any, after: Any) -> tuple[str, ...]:
    """The names of services and the like that were there before and are others now; roles are their scopes."""
    earlier, later = (
        {
            entry["name"]: entry
            for entry in value or ()
            if isinstance(entry, Mapping) and "name" in entry and "scopes" not in entry
        }
        for value in (before if isinstance(before, list) else (), after if isinstance(after, list) else ())
    )
    return tuple(str(name) for name, entry in later.items() if name in earlier and earlier[name] != entry)


def entries_of(value: Any) -> frozenset[str] | None:
    """The names of the entries of a list, a set or a mapping, by which they are found again; None for anything else.

    Those of roles are their scopes.
    """
    if isinstance(value, Mapping):
        return frozenset(map(str, value))
    if not isinstance(value, (list, tuple, set, frozenset)):
        return None
    names = set[str]()
    for entry in value:
        if isinstance(entry, Mapping) and "name" in entry:
            scopes = entry.get("scopes") if isinstance(entry.get("scopes"), (list, tuple, set)) else ()
            names |= {f"{entry['name']}: {scope}" for scope in scopes} if scopes else {str(entry["name"])}
        elif isinstance(entry, tuple) and entry:
            names.add(str(entry[0]))  # a handler, by its path
        elif isinstance(entry, (str, int)):
            names.add(str(entry))
        else:
            return None
    return frozenset(names)


def remember(c: Config, changes: Iterable[Change], settings: Settings) -> None:
    """Keep what was changed, beside what an earlier call changed, and by which settings."""
    there = sections(c)
    known: dict[str, Change] = {}
    for change in (*c[RECORD].get("changes", {}).values(), *changes):
        earlier = known.get(change.trait)
        both = (earlier.entries if earlier else None) or frozenset()
        known[change.trait] = replace(change, entries=None if change.entries is None else change.entries | both)
    kept = {}
    for trait, change in known.items():
        section, _, name = trait.partition(".")
        still = change.still_in(there.get(section, {}).get(name))
        if still:
            kept[trait] = still
    c[RECORD].changes = kept
    # Its traits are among the changes, those that were there already too.
    c[RECORD].settings = settings.model_copy(update={"hub": settings.hub.model_copy(update={"config": {}})})


def has_our_login(config: Config) -> bool:
    """Whether the hub has an authenticator of ours, which looks for what was overwritten when the hub starts."""
    named = sections(config).get("JupyterHub", {}).get("authenticator_class")
    login = class_of(named, "jupyterhub.authenticators")
    return login is not None and any(cls.__name__ == "CommunityAuthenticator" for cls in login.__mro__)


def overwritten(config: Config) -> list[str]:
    """A line for each trait that has lost what `configure` had put there."""
    return [f"{found.path} {found.what} {found.advice}".strip() for found in lost(config)]


def lost(config: Config) -> list[Finding]:
    """Each trait that has lost what `configure` had put there."""
    if RECORD not in config:
        return []
    there = sections(config)
    found = []
    for change in config[RECORD].get("changes", {}).values():
        section, _, name = change.trait.partition(".")
        now = there.get(section, {}).get(name)
        gone = change.lost_in(now)
        if gone:
            found.append(_lost(change.trait, gone, now))
    hidden = there.get("KubeSpawner", {}).get("profile_list")
    if hidden and "ProfileSpawner.profile_list" in config[RECORD].get("changes", {}):
        what = "has no effect: the profiles of hub_extensions.configure(c) hold."
        found.append(warning("c.KubeSpawner.profile_list", what))
    return found


def _lost(trait: str, gone: list[str], now: Any) -> Finding:
    what = "was assigned after hub_extensions.configure(c), "
    if gone == [""]:
        instead = f" It is {str(now)[:64]!r} now." if trait.rpartition(".")[2] in _CLASSES else ""
        what += f"which had set it.{instead}"
    else:
        what += f"and lost {_some(gone)}."
    return warning(f"c.{trait}", what, "Call configure after it, or add to the trait instead of assigning it.")


def lines(changes: Iterable[Change]) -> Iterator[str]:
    """A few lines on what was changed, without values that may be secret."""
    changes = list(changes)
    for change in changes:
        if change.trait.rpartition(".")[2] in _CLASSES:
            instead = f" in the place of {_name_of(change.before)}" if change.before else ""
            yield f"c.{change.trait} is {_name_of(change.value)}{instead}"
    whole = [change for change in changes if change.entries is None or change.before is None]
    names = [f"c.{change.trait}" for change in whole if change.trait.rpartition(".")[2] not in _CLASSES]
    if names:
        yield f"Set: {', '.join(names)}"
    added = [change for change in changes if change.entries and change.before is not None]
    if added:
        yield "Added: " + "; ".join(f"c.{each.trait}: {_some(sorted(each.entries or ()))}" for each in added)
    replaced = [change for change in changes if change.replaced]
    if replaced:
        yield "Changed: " + "; ".join(f"c.{each.trait}: {_some(list(each.replaced))}" for each in replaced)


def _name_of(value: Any) -> str:
    return value.__qualname__ if isinstance(value, type) else str(value)


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_ENTRIES} more" if len(names) > _MOST_ENTRIES else ""
    return ", ".join(names[:_MOST_ENTRIES]) + more


def effective(c: Config) -> dict[str, Any]:
    """What a configuration comes to once `configure` was called, as plain data without secrets.

    `settings`: the settings in effect, by their names; `traits`: every trait that was set or added to, with its value.
    """
    there = sections(c)
    record = c.get(RECORD, {})
    settings = record.get("settings")
    traits: dict[str, Any] = {}
    for trait in sorted(record.get("changes", {})):
        section, _, name = trait.partition(".")
        traits[trait] = _plain(there.get(section, {}).get(name), name)
    written = settings.model_dump(exclude_unset=True) if settings is not None else {}
    return {"settings": _plain(written, "settings"), "traits": traits}


def is_secret(name: str) -> bool:
    """Whether the name of a trait or a variable says that its value is secret."""
    return bool(_SECRET.search(name))


def _plain(value: Any, name: str) -> Any:
    """A value as JSON has it; what a name says to be secret is only said to be there."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner, str(key)) for key, inner in value.items()}
    if value is not None and not isinstance(value, bool) and is_secret(name):
        return "(not shown)"
    if isinstance(value, (list, tuple)):
        return [_plain(inner, name) for inner in value]
    if isinstance(value, (set, frozenset)):
        return sorted((_plain(inner, name) for inner in value), key=str)
    if isinstance(value, str):
        return _PASSWORD.sub(r"\1***@", value)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, type) or callable(value):
        named = value if hasattr(value, "__qualname__") else type(value)
        return f"{named.__module__}.{named.__qualname__}"
    return str(value)
