"""What one feature of the values comes to, and how several of them and an operator's own settings come together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..additions import entries as listed_entries
from ..findings import Finding

Sections = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Part:
    """What a feature comes to.

    `settings`: below those that the operator writes. `places`: path in the settings → path in the values. `defaults`:
    traits to set where nothing is set. `added`: entries of lists, sets and mappings beside those that are there, in
    the kind that the trait has, so that a configuration file can go on with `append`, `add` or `update`.
    `services`: what takes the place of a service of the hub, by its name.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)
    defaults: Sections = field(default_factory=dict)
    added: Sections = field(default_factory=dict)
    services: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def with_added(there: Any, entries: Any) -> Any:
    """What is there, with entries that it lacks: what is there stays, and keeps its order and its kind.

    A value that cannot have entries stays as it is: whoever reads it reports that better.
    """
    if there is None:
        return entries
    if isinstance(entries, Mapping):
        return {**entries, **there} if isinstance(there, Mapping) else there
    if isinstance(there, str):
        there = [there]
    if isinstance(there, (set, frozenset)):
        return {*there, *entries}
    return [*there, *_lacking(there, entries)] if isinstance(there, (list, tuple)) else there


def _lacking(there: Iterable[Any], entries: Iterable[Any]) -> list[Any]:
    known = list(there)
    ordered = sorted(entries) if isinstance(entries, (set, frozenset)) else entries
    return [entry for entry in ordered if entry not in known]


def traits_with(there: Sections, parts: Iterable[Part]) -> dict[str, dict[str, Any]]:
    """The traits that parts change, with their values: section → trait → value."""
    changed: dict[str, dict[str, Any]] = {}

    def found(section: str, trait: str) -> Any:
        return changed.get(section, {}).get(trait, there.get(section, {}).get(trait))

    for part in parts:
        for section, traits in part.defaults.items():
            for trait, value in traits.items():
                if found(section, trait) is None:
                    changed.setdefault(section, {})[trait] = value
        for section, traits in part.added.items():
            for trait, entries in traits.items():
                changed.setdefault(section, {})[trait] = with_added(found(section, trait), entries)
        if part.services:
            services = listed_entries(found("JupyterHub", "services"))
            changed.setdefault("JupyterHub", {})["services"] = [
                dict(part.services.get(str(service.get("name")), service)) for service in services
            ]
    return changed
