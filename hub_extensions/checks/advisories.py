"""Versions below known security fixes: what is installed, or what the chart's own image of the hub holds."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from typing import Any

import yaml
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version
from pydantic import BaseModel, ConfigDict, Field

from ..findings import Finding, error, warning
from ..planned_hub import PlannedHub
from ..spawner_traits import class_of
from ..z2jh.values import look_up

# Release of the chart → JupyterHub in its own image. Of others nothing is said.
CHARTS = {
    "3.0.3": "4.0.2",
    "3.3.7": "4.1.5",
    "3.3.8": "4.1.6",
    "4.1.0": "5.2.1",
    "4.2.0": "5.3.0",
    "4.3.2": "5.4.3",
    "4.3.3": "5.4.4",
    "4.4.0": "5.5.0",
}
_IMAGES = ("quay.io/jupyterhub/k8s-hub", "jupyterhub/k8s-hub", "docker.io/jupyterhub/k8s-hub")


class Advisory(BaseModel):
    """A published advisory; `cls` and `affects` say which hubs it concerns at all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    cve: str = ""
    package: str
    affected: tuple[str, ...]
    what: str
    cls: str = Field(default="", alias="class")
    affects: str = ""

    def fixed_after(self, found: str) -> str:
        """The first version above this one that is not affected; "" if this one is not, or cannot be read."""
        try:
            ranges = [each for each in self.affected if SpecifierSet(each).contains(Version(found), prereleases=True)]
        except InvalidVersion:
            return ""
        return ranges[0].rpartition("<")[2] if ranges else ""


@cache
def known() -> tuple[Advisory, ...]:
    """The advisories that are known here."""
    text = files("hub_extensions").joinpath("advisories.yaml").read_text(encoding="utf-8")
    return tuple(Advisory.model_validate(entry) for entry in yaml.safe_load(text))


def check_versions(hub: PlannedHub) -> Iterator[Finding]:
    """Advisories that concern this hub and are not mended by the versions that it has."""
    path, versions = ("", _installed()) if hub.values is None else ("hub.image.tag", _of_chart(hub.values))
    named = hub.config.JupyterHub.get("authenticator_class")
    cls = class_of(named, "jupyterhub.authenticators")
    classes = {base.__name__ for base in cls.__mro__} if cls else set()
    for advisory in known():
        found = versions.get(advisory.package)
        fixed = advisory.fixed_after(found) if found else ""
        if not fixed or (advisory.cls and advisory.cls not in classes):
            continue
        names = ", ".join(filter(None, (advisory.id, advisory.cve)))
        say = warning if advisory.affects else error
        why = advisory.what[:1].upper() + advisory.what[1:]
        why += f" It concerns {advisory.affects}." if advisory.affects else ""
        what = f"{advisory.package} {found} has a known security flaw ({names})."
        yield say(path or advisory.package, what, f"Upgrade {advisory.package} to {fixed} or newer.", why)


def _installed() -> dict[str, str]:
    found = {}
    for package in {advisory.package for advisory in known()}:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _of_chart(values: Mapping[str, Any]) -> dict[str, str]:
    name, tag = look_up(values, "hub.image.name"), str(look_up(values, "hub.image.tag", ""))
    return {"jupyterhub": CHARTS[tag]} if name in _IMAGES and tag in CHARTS else {}
