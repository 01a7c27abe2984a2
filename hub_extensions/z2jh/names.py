"""The names of the resources that the chart makes and a user's pod refers to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .values import look_up


@dataclass(frozen=True)
class ResourceNames:
    """Names of the chart's resources; the last two are seen by the whole cluster."""

    hub: str
    singleuser: str
    image_pull_secret: str
    user_scheduler: str
    priority: str


def resource_names(values: Mapping[str, Any]) -> ResourceNames:
    """The names under these values, defaults included.

    Names within the namespace have a prefix only if one is asked for; names of the whole cluster always have one.
    """
    release = look_up(values, "Release.Name", "")
    prefix = _prefix(values, release)
    within = f"{prefix}-" if prefix else ""
    return ResourceNames(
        hub=f"{within}hub",
        singleuser=f"{within}singleuser",
        image_pull_secret=f"{within}image-pull-secret",
        user_scheduler=f"{prefix or release}-user-scheduler",
        priority=prefix or f"{release}-default-priority",
    )


def _prefix(values: Mapping[str, Any], release: str) -> str:
    override = values.get("fullnameOverride")
    if isinstance(override, str):
        return override
    name = look_up(values, "nameOverride") or look_up(values, "Chart.Name", "jupyterhub")
    return release if name in release else f"{release}-{name}"
