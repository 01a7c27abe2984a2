"""What the chart's own configuration file tells a hub, before it runs any Python of an operator."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from traitlets.config import Config

from .defaults import DEFAULTS
from .translation import kubespawner_config
from .values import chart_values, look_up, mapping_at

# Value → trait of JupyterHub; one that `hub.config` has wins.
_AS_IT_IS = {
    "hub.activeServerLimit": "active_server_limit",
    "hub.authenticatePrometheus": "authenticate_prometheus",
    "hub.concurrentSpawnLimit": "concurrent_spawn_limit",
    "hub.namedServerLimitPerUser": "named_server_limit_per_user",
    "hub.redirectToServer": "redirect_to_server",
    "hub.shutdownOnLogout": "shutdown_on_logout",
    "hub.templatePaths": "template_paths",
    "hub.templateVars": "template_vars",
}


def hub_config(values: Mapping[str, Any]) -> Config:
    """The configuration of a hub with these Helm values: the spawner's, `hub.config`, services, roles, templates.

    Secrets that the chart makes are placeholders. Raises ValueError with a sentence where the hub would not start.
    """
    values = chart_values(values)
    c = kubespawner_config(values)
    c.JupyterHub.setdefault("spawner_class", "kubespawner.KubeSpawner")
    for path, trait in _AS_IT_IS.items():
        value = look_up(values, path)
        if value is not None:
            c.JupyterHub.setdefault(trait, deepcopy(value))
    c.JupyterHub.services = [_service(name, service) for name, service in _named(values, "hub.services")]
    c.JupyterHub.load_roles = [_role(name, role) for name, role in _named(values, "hub.loadRoles")]
    return c


def process_of(values: Mapping[str, Any]) -> dict[str, str]:
    """What of the environment of the hub's process is known from values alone: the names of a release to come."""
    release = look_up(chart_values(values), "Release.Name", look_up(DEFAULTS, "Release.Name"))
    return {"HELM_RELEASE_NAME": str(release), "POD_NAMESPACE": "default"}


def _named(values: Mapping[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The entries of a mapping, copied because their owners change them; null is none."""
    for name in mapping_at(values, path):
        if look_up(values, path)[name] is not None:
            yield str(name), deepcopy(dict(_entry(values, path, name)))


def _entry(values: Mapping[str, Any], path: str, name: str) -> Mapping[str, Any]:
    entry = mapping_at(values, path)[name]
    if not isinstance(entry, Mapping):
        raise ValueError(f"{path}.{name}: expected a mapping, found {type(entry).__name__}.")  # noqa: TRY004 - a value
    return entry


def _role(name: str, role: dict[str, Any]) -> dict[str, Any]:
    for key in ("scopes", "users", "groups", "services"):
        entries = role.get(key)
        if entries is not None and not (isinstance(entries, list) and all(isinstance(entry, str) for entry in entries)):
            raise ValueError(f"hub.loadRoles.{name}.{key}: expected a list of names.")
    return {"name": name, **role}


def _service(name: str, service: dict[str, Any]) -> dict[str, Any]:
    token = service.pop("apiToken", None) or f"made-by-the-chart-for-this-service-{name}"
    return {"name": name, "api_token": token, **service}
