"""From the chart's values to settings: our names under `custom:`, and what 2i2c's basehub writes there.

Names of the settings stand directly under `custom:` or under `custom.hubExtensions`. Other keys there belong to other
tools, so one that is nobody's is only doubted. Whatever is found wrong is told by the path in the values.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..findings import Finding, as_findings, error, warning
from ..login_settings import Staff, listed
from ..mistakes import SettingsError, nearest, shown
from ..settings import Settings
from .basehub import building, parts_of, staff_of
from .basehub_values import KEYS, read_basehub
from .parts import Part, Sections, traits_with
from .translation import AS_IT_IS
from .values import look_up, over_defaults

NESTED = "hubExtensions"
OURS = tuple(Settings.model_fields)
SOURCE = "the chart's values"
_LOST = "If it was meant as one, it has no effect."
_TRAIT = re.compile(r"\bc\.([A-Z]\w*)(?:\.(\w+))?")


@dataclass(frozen=True)
class Translation:
    """Settings, and where in the values their mistakes are to be mended."""

    settings: Mapping[str, Any]
    places: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    staff: Staff | None = None
    from_chart: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def placed(self, finding: Finding) -> Finding:
        """The finding with the paths of the values, also in its sentences."""
        path, what, advice = (self._named(text) for text in (self._path(finding.path), finding.what, finding.advice))
        return replace(finding, path=path, what=what, advice=advice)

    @property
    def is_wrong(self) -> bool:
        """Whether the values have mistakes that are not in the settings."""
        return any(finding.severity == "error" for finding in self.findings)

    def doubts(self, found: Iterable[Finding]) -> list[Finding]:
        """What is doubtful in the values, and of what was found in the settings."""
        return [*self.findings, *map(self.placed, found)]

    def error(self, mistaken: SettingsError | None = None) -> SettingsError:
        """Everything that is wrong in the values and, by `mistaken`, in the settings; by the paths of the values."""
        mistakes = mistaken.mistakes if mistaken else ()
        found = as_findings(mistakes)
        wrong = [finding for finding in self.findings if finding.severity == "error"]
        doubts = [finding for finding in self.findings if finding.severity == "warning"]
        doubts += [self.placed(each) for each in (mistaken.doubts if mistaken else ()) if isinstance(each, Finding)]
        return SettingsError([*wrong, *map(self.placed, found)], SOURCE, doubts)

    def _path(self, path: str) -> str:
        """The path of a setting in the values; the longest known beginning decides."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.places and path[length : length + 1] in ("", ".", "["):
                return self.places[path[:length]] + path[length:]
        return path

    def _named(self, text: str) -> str:
        """A text with traits named as the values name them, if they come from there."""

        def name(found: re.Match[str]) -> str:
            return self.from_chart.get((found[1], found[2] or ""), found[0])

        return _TRAIT.sub(name, text)


def translate(values: Mapping[str, Any], there: Sections, process: Mapping[str, str]) -> Translation:
    """The settings of a hub with these values; mistakes are among the findings.

    `there` are the traits that the hub is configured with so far, section → trait → value; `process` is the environment
    of its process.
    """
    custom = values.get("custom") or {}
    if not isinstance(custom, Mapping):
        return Translation({}, findings=(error("custom", f"expected a mapping, found {shown(custom)}."),))
    own, places, findings = _own(custom)
    basehub, found = read_basehub(custom)
    findings += [*found, *_unknown(custom), *_two_lists(own, places, values)]
    given = _sections(look_up(own, "hub.config", {}))
    there = {name: {**there.get(name, {}), **given.get(name, {})} for name in {**there, **given}}
    parts = list(parts_of(basehub, values, there, process))
    findings += building(there, _granted(own))
    settings: dict[str, Any] = {}
    for part in parts:
        settings = over_defaults(settings, part.settings)
        places |= {path: place for path, place in part.places.items() if look_up(own, path.partition("[")[0]) is None}
        findings += part.findings
    settings = over_defaults(settings, own)
    robots = _together(parts, own)
    if isinstance(settings.get("hub", {}), Mapping):  # else it is a mistake, which is told as one
        top = {"config": traits_with(there, parts)} | ({"service_users": robots} if robots else {})
        settings = over_defaults(settings, {"hub": top})
    translation = Translation(settings, places, (), staff_of(basehub), _from_chart(values))
    return replace(translation, findings=tuple(map(translation.placed, findings)))


def place_of(values: Mapping[str, Any]) -> Callable[[Finding], Finding]:
    """What names traits in a finding as the values have them, as far as they come from there."""
    return Translation({}, from_chart=_from_chart(values)).placed


def _own(custom: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str], list[Finding]]:
    """Our settings in the values, with their places."""
    nested = custom.get(NESTED) or {}
    findings = []
    if not isinstance(nested, Mapping):
        findings = [error(f"custom.{NESTED}", f"expected a mapping, found {shown(nested)}.")]
        nested = {}
    direct = {name: custom[name] for name in OURS if custom.get(name) is not None}
    places = {name: f"custom.{name}" for name in OURS}
    places |= {str(name): f"custom.{NESTED}.{name}" for name in nested}
    findings += [
        error(f"custom.{name}", f"stands in custom.{NESTED}.{name} too.", "Keep one of them.")
        for name in direct
        if name in nested
    ]
    return {**direct, **nested}, places, findings


def _unknown(custom: Mapping[str, Any]) -> Iterator[Finding]:
    known = (*OURS, *KEYS, NESTED)
    for key in custom:
        if key not in known:
            guess = nearest(str(key), known)
            advice = f"Did you mean {guess!r}?" if guess else "If another tool reads it, all is well."
            yield warning(f"custom.{key}", "is neither a setting of hub-extensions nor of basehub.", advice, _LOST)


def _granted(own: Mapping[str, Any]) -> list[str]:
    grants = [grant for grant in listed(own.get("grants")) if isinstance(grant, Mapping)]
    return [str(scope) for grant in grants for scope in listed(grant.get("scopes"))]


def _two_lists(own: Mapping[str, Any], places: Mapping[str, str], values: Mapping[str, Any]) -> list[Finding]:
    if not own.get("profiles") or not look_up(values, "singleuser.profileList"):
        return []
    what = "hides all of singleuser.profileList: a hub has one list of profiles."
    return [error(places["profiles"], what, "Keep one of them.")]


def _sections(found: Any) -> dict[str, Mapping[str, Any]]:
    """Traits by class; whatever is none is left to whoever reports it better."""
    if not isinstance(found, Mapping):
        return {}
    return {str(name): section for name, section in found.items() if isinstance(section, Mapping)}


def _from_chart(values: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """Traits, and sections by "", that come from the values → where they stand there."""
    found: dict[tuple[str, str], str] = {}
    for path, trait in AS_IT_IS.items():
        if look_up(values, path) is not None:
            section, _, name = trait.partition(".")
            found[section, name] = path
    for section, traits in _sections(look_up(values, "hub.config", {})).items():
        found |= {(section, str(trait)): f"hub.config.{section}.{trait}" for trait in ("", *traits)}
        found[section, ""] = f"hub.config.{section}"
    return found


def _together(parts: Iterable[Part], own: Mapping[str, Any]) -> list[Any]:
    """Service users of the operator and of basehub: a list of an operator's must not lose the health check."""
    mine = look_up(own, "hub.service_users", [])
    if not isinstance(mine, list):
        return []
    theirs = [name for part in parts for name in look_up(part.settings, "hub.service_users", [])]
    return list(dict.fromkeys([*mine, *theirs]))
