"""Everything that can be known of a hub before it starts, without asking anybody."""

from collections.abc import Sequence
from dataclasses import replace

from ..findings import Finding
from ..planned_hub import PlannedHub
from ..z2jh.custom import place_of
from .advisories import check_versions
from .authenticators import check_authenticator
from .culling import check_culling
from .hooks import check_hooks
from .profiles import check_profiles
from .programs import check_programs
from .roles import check_roles
from .sizes import check_sizes
from .templates import check_templates
from .traits import check_traits
from .usage_pages import check_usage_pages

_STOPS = "The hub would not start."


def check(hub: PlannedHub) -> list[Finding]:
    """Everything that is wrong or doubtful in a hub, errors first; each says why it matters."""
    found = list(hub.findings)
    known = {finding.path for finding in found}
    place = place_of(hub.values or {})
    more = [*check_traits(hub.config), *check_hooks(hub), *check_profiles(hub), *check_templates(hub)]
    more += check_sizes(hub)
    # It stops at the first mistake, which is told better where it has been found before.
    more += check_authenticator(hub) if not _wrong([*found, *more]) else ()
    found += [finding for finding in map(place, more) if finding.path not in known]
    found += [*check_roles(hub), *check_culling(hub), *check_usage_pages(hub)]
    found += [*check_programs(hub), *check_versions(hub)]
    return _sorted([_with_reason(finding) for finding in dict.fromkeys(found)])


def _wrong(findings: Sequence[Finding]) -> bool:
    return any(finding.severity == "error" for finding in findings)


def _sorted(findings: Sequence[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: finding.severity)


def _with_reason(finding: Finding) -> Finding:
    return replace(finding, why=_STOPS) if finding.severity == "error" and not finding.why else finding
