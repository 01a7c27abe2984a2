"""From the chart's values to traits of the spawner: two tables, and the reasons of the rows that are odd.

`AS_IT_IS` names the values that are passed on unchanged. `COMPUTED` names the traits that several values make together.
What `hub.config` says of a class comes last and wins, as in the hub.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

from traitlets.config import Config

from . import storage
from .defaults import DEFAULTS
from .names import resource_names
from .values import chart_values, list_at, look_up, mapping_at, over_defaults

Values = Mapping[str, Any]
UNSET: Any = object()  # the trait keeps its default; None is a value

# Value → trait. A value that is absent or null leaves the trait alone.
AS_IT_IS = {
    "hub.baseUrl": "JupyterHub.base_url",
    "hub.allowNamedServers": "JupyterHub.allow_named_servers",
    "singleuser.podNameTemplate": "KubeSpawner.pod_name_template",
    "singleuser.profileList": "KubeSpawner.profile_list",
    "singleuser.image.pullPolicy": "KubeSpawner.image_pull_policy",
    "singleuser.defaultUrl": "Spawner.default_url",
    "singleuser.startTimeout": "KubeSpawner.start_timeout",
    "singleuser.events": "KubeSpawner.events_enabled",
    "singleuser.extraEnv": "KubeSpawner.environment",
    "singleuser.memory.limit": "KubeSpawner.mem_limit",
    "singleuser.memory.guarantee": "KubeSpawner.mem_guarantee",
    "singleuser.cpu.limit": "KubeSpawner.cpu_limit",
    "singleuser.cpu.guarantee": "KubeSpawner.cpu_guarantee",
    "singleuser.extraResource.limits": "KubeSpawner.extra_resource_limits",
    "singleuser.extraResource.guarantees": "KubeSpawner.extra_resource_guarantees",
    "singleuser.extraLabels": "KubeSpawner.extra_labels",
    "singleuser.extraAnnotations": "KubeSpawner.extra_annotations",
    "singleuser.extraPodConfig": "KubeSpawner.extra_pod_config",
    "singleuser.extraContainers": "KubeSpawner.extra_containers",
    "singleuser.lifecycleHooks": "KubeSpawner.lifecycle_hooks",
    "singleuser.uid": "KubeSpawner.uid",
    "singleuser.fsGid": "KubeSpawner.fs_gid",
    "singleuser.serviceAccountName": "KubeSpawner.service_account",
    "singleuser.storage.extraLabels": "KubeSpawner.storage_extra_labels",
    "singleuser.nodeSelector": "KubeSpawner.node_selector",
    "singleuser.extraNodeAffinity.required": "KubeSpawner.node_affinity_required",
    "singleuser.extraNodeAffinity.preferred": "KubeSpawner.node_affinity_preferred",
    "singleuser.extraPodAffinity.required": "KubeSpawner.pod_affinity_required",
    "singleuser.extraPodAffinity.preferred": "KubeSpawner.pod_affinity_preferred",
    "singleuser.extraPodAntiAffinity.required": "KubeSpawner.pod_anti_affinity_required",
    "singleuser.extraPodAntiAffinity.preferred": "KubeSpawner.pod_anti_affinity_preferred",
}


def kubespawner_config(values: Values) -> Config:
    """The configuration that a hub with these Helm values gives its spawner, and what of the hub shows in a pod.

    `values` are the chart's, or those of a chart around it; the chart's defaults are filled in.
    Raises ValueError with a sentence where the hub itself would not start.
    """
    values = over_defaults(DEFAULTS, chart_values(values))
    config = Config()
    for path, trait in AS_IT_IS.items():
        _assign(config, trait, look_up(values, path, UNSET))
    for trait, compute in COMPUTED.items():
        _assign(config, trait, compute(values))
    _pass_on(config, mapping_at(values, "hub.config"))
    return config


def _assign(config: Config, trait: str, value: Any) -> None:
    if value is UNSET:
        return
    section, name = trait.split(".")
    # Copied because spawners merge overrides into their mappings, and the values are the caller's.
    config[section][name] = deepcopy(value)


# The chart fills these from its secrets, after and instead of what stands in `hub.config`.
_FROM_SECRETS = {
    "JupyterHub": {"proxy_auth_token", "cookie_secret", "services"},
    "ConfigurableHTTPProxy": {"auth_token"},
    "CryptKeeper": {"keys"},
}


def _pass_on(config: Config, classes: Mapping[str, Any]) -> None:
    for name in classes:
        if not name[:1].isupper():
            raise ValueError(f"hub.config.{name}: expected the name of a class, which begins with a capital letter.")
        settings = mapping_at(classes, name)
        kept = {key: value for key, value in settings.items() if key not in _FROM_SECRETS.get(name, ())}
        config[name].update(deepcopy(kept))


def _image(values: Values) -> Any:
    name, tag = look_up(values, "singleuser.image.name"), look_up(values, "singleuser.image.tag")
    if not name:
        return UNSET
    return f"{name}:{tag}" if tag else name


def _command(values: Values) -> Any:
    # A null is a value here: run what the image runs by itself.
    return mapping_at(values, "singleuser").get("cmd", UNSET)


def _allow_privilege_escalation(values: Values) -> Any:
    # Without a value it is null, which says nothing to Kubernetes, and not KubeSpawner's own default, which forbids.
    return look_up(values, "singleuser.allowPrivilegeEscalation")


def _image_pull_secrets(values: Values) -> Any:
    made = mapping_at(values, "imagePullSecret")
    secrets = [
        *([resource_names(values).image_pull_secret] if _both(made, "create", "automaticReferenceInjection") else []),
        *list_at(values, "imagePullSecrets"),
        *list_at(values, "singleuser.image.pullSecrets"),
    ]
    return secrets or UNSET


def _both(switches: Mapping[str, Any], *names: str) -> bool:
    return all(switches.get(name) for name in names)


def _common_labels(values: Values) -> Any:
    """The labels of the chart's resources, present and former spelling: its network policies select by both."""
    chart, release = mapping_at(values, "Chart"), look_up(values, "Release.Name")
    app = look_up(values, "nameOverride") or chart.get("Name", "jupyterhub")
    labels = {"app.kubernetes.io/name": app, "app": app, "app.kubernetes.io/managed-by": "kubespawner"}
    if release:
        labels |= {"app.kubernetes.io/instance": release, "release": release}
    if _both(chart, "Name", "Version"):
        # A label cannot hold the plus sign of a development version.
        version = f"{chart['Name']}-{chart['Version']}".replace("+", "_")
        labels |= {"helm.sh/chart": version, "chart": version}
    return labels


def _scheduler(values: Values) -> Any:
    return resource_names(values).user_scheduler if look_up(values, "scheduling.userScheduler.enabled") else UNSET


def _priority_class(values: Values) -> Any:
    return resource_names(values).priority if look_up(values, "scheduling.podPriority.enabled") else UNSET


def _tolerations(values: Values) -> Any:
    common = list_at(values, "scheduling.userPods.tolerations")
    return [*common, *list_at(values, "singleuser.extraTolerations")] or UNSET


_USER_NODES = {"matchExpressions": [{"key": "hub.jupyter.org/node-purpose", "operator": "In", "values": ["user"]}]}


def _node_affinity_required(values: Values) -> Any:
    extra = list_at(values, "singleuser.extraNodeAffinity.required")
    return [*extra, _USER_NODES] if _match_node_purpose(values) == "require" else UNSET


def _node_affinity_preferred(values: Values) -> Any:
    extra = list_at(values, "singleuser.extraNodeAffinity.preferred")
    wish = {"weight": 100, "preference": _USER_NODES}
    return [*extra, wish] if _match_node_purpose(values) == "prefer" else UNSET


def _match_node_purpose(values: Values) -> str:
    path = "scheduling.userPods.nodeAffinity.matchNodePurpose"
    purpose = look_up(values, path) or "ignore"
    if purpose not in ("ignore", "prefer", "require"):
        raise ValueError(f"{path}: expected ignore, prefer or require, found {purpose!r}.")
    return str(purpose)


def _init_containers(values: Values) -> Any:
    """The operator's own, then the one that closes the cloud's metadata to the person's code."""
    own = list_at(values, "singleuser.initContainers")
    # Only the boolean counts in the chart: text such as "true" leaves the metadata open.
    if look_up(values, "singleuser.cloudMetadata.blockWithIptables") is not True:
        return own or UNSET
    tools = mapping_at(values, "singleuser.networkTools")
    block = f"--append OUTPUT --protocol tcp --destination {look_up(values, 'singleuser.cloudMetadata.ip')}"
    container = {
        "name": "block-cloud-metadata",
        "image": f"{look_up(tools, 'image.name')}:{look_up(tools, 'image.tag')}",
        "command": ["iptables", *block.split(), "--destination-port", "80", "--jump", "DROP"],
        "securityContext": {"privileged": True, "runAsUser": 0, "capabilities": {"add": ["NET_ADMIN"]}},
    }
    if tools.get("resources"):
        container["resources"] = tools["resources"]
    return [*own, container]


def _unless_empty(compute: Callable[[Values], Any]) -> Callable[[Values], Any]:
    return lambda values: compute(values) or UNSET


# Trait ← function of all values.
COMPUTED: dict[str, Callable[[Values], Any]] = {
    "JupyterHub.hub_connect_url": lambda values: f"http://{resource_names(values).hub}:8081",
    "Spawner.cmd": _command,
    "Spawner.debug": lambda values: True if look_up(values, "debug.enabled") else UNSET,
    "KubeSpawner.image": _image,
    "KubeSpawner.image_pull_secrets": _image_pull_secrets,
    "KubeSpawner.allow_privilege_escalation": _allow_privilege_escalation,
    "KubeSpawner.common_labels": _common_labels,
    "KubeSpawner.scheduler_name": _scheduler,
    "KubeSpawner.priority_class_name": _priority_class,
    "KubeSpawner.tolerations": _tolerations,
    "KubeSpawner.node_affinity_required": _node_affinity_required,
    "KubeSpawner.node_affinity_preferred": _node_affinity_preferred,
    "KubeSpawner.init_containers": _init_containers,
    "KubeSpawner.volumes": _unless_empty(storage.volumes),
    "KubeSpawner.volume_mounts": _unless_empty(storage.volume_mounts),
    "KubeSpawner.storage_pvc_ensure": lambda values: True if storage.is_dynamic(values) else UNSET,
    "KubeSpawner.pvc_name_template": _unless_empty(storage.dynamic("dynamic.pvcNameTemplate")),
    "KubeSpawner.storage_class": _unless_empty(storage.dynamic("dynamic.storageClass")),
    "KubeSpawner.storage_access_modes": _unless_empty(storage.dynamic("dynamic.storageAccessModes")),
    "KubeSpawner.storage_capacity": _unless_empty(storage.dynamic("capacity")),
}
