"""Dask Gateway beside a hub: `custom.daskhubSetup.enabled`.

People's servers are told where the gateway is and may talk to it, and the hub where its service is.
"""

import json
from collections.abc import Mapping
from typing import Any

from ..additions import entries
from ..findings import Finding, warning
from ..spawner_traits import class_of
from .parts import Part, Sections
from .stock_classes import our_spawner
from .values import look_up

SERVICE = "dask-gateway"
SCOPE = f"access:services!service={SERVICE}"
_PATH = "custom.daskhubSetup.enabled"
# What servers have and clusters should have too, where it is set.
_PASSED_ON = ("SCRATCH_BUCKET", "PANGEO_SCRATCH")


def dask(values: Mapping[str, Any], there: Sections, process: Mapping[str, str]) -> Part:
    """Variables, a label and the service's address; `process` is the environment of the hub, which the chart fills."""
    release, namespace = process.get("HELM_RELEASE_NAME", ""), process.get("POD_NAMESPACE", "")
    if not release or not namespace:
        what = "has no effect: the hub's environment says neither HELM_RELEASE_NAME nor POD_NAMESPACE."
        return Part(findings=(warning(_PATH, what, "Run it by the chart, which sets both."),))
    variables = _variables(values, process, f"traefik-{release}-dask-gateway.{namespace}")
    services, findings = _service(there, f"http://traefik-{release}-dask-gateway.{namespace}")
    section, trait = _place_of_variables(there)
    # The network policy of the proxy admits pods that have the label.
    kube = {"extra_labels": {"hub.jupyter.org/network-access-proxy-http": "true"}}
    added: dict[str, dict[str, Any]] = {"KubeSpawner": kube}
    added.setdefault(section, {})[trait] = variables
    settings: dict[str, Any] = {}
    if there.get("Spawner", {}).get("default_url", "/tree") in ("/tree", ""):
        # What basehub sets where nobody chose; clusters are made in JupyterLab.
        settings = {"hub": {"config": {"Spawner": {"default_url": "/lab"}}}}
    return Part(settings, added=added, services=services, findings=tuple(findings))


def _place_of_variables(there: Sections) -> tuple[str, str]:
    """The trait for variables that hides none of an operator's: a class's `environment` hides that of its bases."""
    named = there.get("JupyterHub", {}).get("spawner_class")
    spawner = class_of(named)
    if our_spawner(named) or (spawner and "environment_defaults" in spawner.class_trait_names()):
        return "ProfileSpawner", "environment_defaults"
    return "KubeSpawner" if there.get("KubeSpawner", {}).get("environment") is not None else "Spawner", "environment"


def _variables(values: Mapping[str, Any], process: Mapping[str, str], traefik: str) -> dict[str, str]:
    address = "http://proxy-public/services/dask-gateway"
    if "PROXY_HTTP_SERVICE_HOST" in process:  # the proxy speaks HTTPS to people, and HTTP inside the cluster
        host, port = process["PROXY_HTTP_SERVICE_HOST"], process.get("PROXY_HTTP_SERVICE_PORT", "80")
        address = f"http://{host}:{port}/services/dask-gateway/"
    extra = look_up(values, "singleuser.extraEnv", {})
    passed_on = {name: f"$({name})" for name in _PASSED_ON if isinstance(extra, Mapping) and name in extra}
    # KubeSpawner fills in single braces; Kubernetes fills in $(NAME).
    options = json.dumps(passed_on).replace("{", "{{").replace("}", "}}")
    return {
        "DASK_GATEWAY__ADDRESS": address,
        "DASK_GATEWAY__PROXY_ADDRESS": f"gateway://{traefik}:80",
        "DASK_GATEWAY__PUBLIC_ADDRESS": "/services/dask-gateway/",
        "DASK_GATEWAY__AUTH__TYPE": "jupyterhub",
        "DASK_GATEWAY__CLUSTER__OPTIONS__IMAGE": "{{JUPYTER_IMAGE_SPEC}}",
        "DASK_GATEWAY__CLUSTER__OPTIONS__ENVIRONMENT": options,
        "DASK_DISTRIBUTED__DASHBOARD__LINK": "{{JUPYTERHUB_SERVICE_PREFIX}}proxy/{{port}}/status",
    }


def _service(there: Sections, url: str) -> tuple[dict[str, dict[str, Any]], list[Finding]]:
    """The gateway's service with its address, unless it has one; and what is missing for people to use it."""
    jupyterhub = there.get("JupyterHub", {})
    found = [service for service in entries(jupyterhub.get("services") or []) if service.get("name") == SERVICE]
    if not found:
        what = f"the hub has no service {SERVICE}, so nobody can make a cluster."
        return {}, [warning(_PATH, what, f"Add hub.services.{SERVICE}.")]
    scopes = [scope for role in entries(jupyterhub.get("load_roles") or []) for scope in role.get("scopes") or ()]
    doubts = []
    if not {SCOPE, "access:services"} & set(scopes):
        advice = f'Add to custom.grants: {{to: user, scopes: ["{SCOPE}"]}}, and the same to server.'
        doubts = [warning(_PATH, f"no role has the scope {SCOPE}, so nobody can make a cluster.", advice)]
    return {} if found[0].get("url") else {SERVICE: {**found[0], "url": url}}, doubts
