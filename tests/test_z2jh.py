"""What a hub with given Helm values tells its spawner."""

from typing import Any

import pytest

from hub_extensions.z2jh import kubespawner_config, merge_values


def told(values: dict[str, Any], trait: str) -> Any:
    section, name = trait.split(".")
    return kubespawner_config(values)[section].get(name, "left alone")


DEDICATED = [
    {"key": "hub.jupyter.org/dedicated", "operator": "Equal", "value": "user", "effect": "NoSchedule"},
    {"key": "hub.jupyter.org_dedicated", "operator": "Equal", "value": "user", "effect": "NoSchedule"},
]
USER_NODES = {"matchExpressions": [{"key": "hub.jupyter.org/node-purpose", "operator": "In", "values": ["user"]}]}


@pytest.mark.parametrize(
    ("singleuser", "trait", "expected"),
    [
        ({}, "KubeSpawner.image", "quay.io/jupyterhub/k8s-singleuser-sample:4.3.3"),
        ({"image": {"name": "lab", "tag": "1"}}, "KubeSpawner.image", "lab:1"),
        ({"image": {"name": "lab", "tag": None}}, "KubeSpawner.image", "lab"),
        ({"image": {"name": "lab", "tag": ""}}, "KubeSpawner.image", "lab"),
        ({"image": {"pullPolicy": "Always"}}, "KubeSpawner.image_pull_policy", "Always"),
        ({}, "KubeSpawner.image_pull_policy", "left alone"),
        ({"image": {"pullSecrets": ["mine"]}}, "KubeSpawner.image_pull_secrets", ["mine"]),
        ({}, "Spawner.cmd", "jupyterhub-singleuser"),
        ({"cmd": ["start", "lab"]}, "Spawner.cmd", ["start", "lab"]),
        ({"cmd": None}, "Spawner.cmd", "left alone"),
        ({"defaultUrl": "/lab"}, "Spawner.default_url", "/lab"),
        ({"startTimeout": 600}, "KubeSpawner.start_timeout", 600),
        ({"podNameTemplate": "nb-{username}"}, "KubeSpawner.pod_name_template", "nb-{username}"),
        ({"events": False}, "KubeSpawner.events_enabled", False),
        ({}, "KubeSpawner.mem_guarantee", "1G"),
        ({"memory": {"guarantee": None}}, "KubeSpawner.mem_guarantee", "left alone"),
        ({"memory": {"limit": "2G"}}, "KubeSpawner.mem_limit", "2G"),
        ({"cpu": {"limit": 2, "guarantee": 0}}, "KubeSpawner.cpu_guarantee", 0),
        ({"extraEnv": {"A": "b"}}, "KubeSpawner.environment", {"A": "b"}),
        (
            {"extraEnv": {"A": {"valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}}},
            "KubeSpawner.environment",
            {"A": {"valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}},
        ),
        ({"extraResource": {"limits": {"gpu": "1"}}}, "KubeSpawner.extra_resource_limits", {"gpu": "1"}),
        ({"extraResource": {"guarantees": {"gpu": "1"}}}, "KubeSpawner.extra_resource_guarantees", {"gpu": "1"}),
        (
            {"extraLabels": {"team": "ice"}},
            "KubeSpawner.extra_labels",
            {"hub.jupyter.org/network-access-hub": "true", "team": "ice"},
        ),
        (
            {"extraLabels": {"hub.jupyter.org/network-access-hub": None}},
            "KubeSpawner.extra_labels",
            {},
        ),
        ({"extraAnnotations": {"a": "b"}}, "KubeSpawner.extra_annotations", {"a": "b"}),
        ({"nodeSelector": {"pool": "users"}}, "KubeSpawner.node_selector", {"pool": "users"}),
        ({}, "KubeSpawner.uid", 1000),
        ({"fsGid": 0}, "KubeSpawner.fs_gid", 0),
        ({"serviceAccountName": "user"}, "KubeSpawner.service_account", "user"),
        ({}, "KubeSpawner.service_account", "left alone"),
        ({}, "KubeSpawner.allow_privilege_escalation", False),
        ({"allowPrivilegeEscalation": True}, "KubeSpawner.allow_privilege_escalation", True),
        ({"allowPrivilegeEscalation": None}, "KubeSpawner.allow_privilege_escalation", None),
        ({"lifecycleHooks": {"preStop": {}}}, "KubeSpawner.lifecycle_hooks", {"preStop": {}}),
        ({"extraPodConfig": {"hostNetwork": True}}, "KubeSpawner.extra_pod_config", {"hostNetwork": True}),
        ({"extraContainers": [{"name": "db"}]}, "KubeSpawner.extra_containers", [{"name": "db"}]),
        ({}, "KubeSpawner.tolerations", DEDICATED),
        ({"extraTolerations": [{"key": "gpu"}]}, "KubeSpawner.tolerations", [*DEDICATED, {"key": "gpu"}]),
        (
            {"extraTolerations": {"b": {"key": "2"}, "a": {"key": "1"}}},
            "KubeSpawner.tolerations",
            [*DEDICATED, {"key": "1"}, {"key": "2"}],
        ),
        ({}, "KubeSpawner.node_affinity_preferred", [{"weight": 100, "preference": USER_NODES}]),
        ({"extraNodeAffinity": {"required": [{"a": 1}]}}, "KubeSpawner.node_affinity_required", [{"a": 1}]),
        ({"extraPodAffinity": {"required": [{"a": 1}]}}, "KubeSpawner.pod_affinity_required", [{"a": 1}]),
        ({"extraPodAntiAffinity": {"preferred": [{"a": 1}]}}, "KubeSpawner.pod_anti_affinity_preferred", [{"a": 1}]),
    ],
)
def test_a_value_for_servers_becomes_a_trait(singleuser: dict[str, Any], trait: str, expected: object) -> None:
    assert told({"singleuser": singleuser}, trait) == expected


@pytest.mark.parametrize(
    ("values", "trait", "expected"),
    [
        ({}, "KubeSpawner.scheduler_name", "release-name-user-scheduler"),
        ({"fullnameOverride": "ice"}, "KubeSpawner.scheduler_name", "ice-user-scheduler"),
        ({"fullnameOverride": None}, "KubeSpawner.scheduler_name", "release-name-jupyterhub-user-scheduler"),
        ({"scheduling": {"userScheduler": {"enabled": False}}}, "KubeSpawner.scheduler_name", "left alone"),
        ({}, "KubeSpawner.priority_class_name", "left alone"),
        (
            {"scheduling": {"podPriority": {"enabled": True}}},
            "KubeSpawner.priority_class_name",
            "release-name-default-priority",
        ),
        (
            {"scheduling": {"podPriority": {"enabled": True}}, "fullnameOverride": "ice"},
            "KubeSpawner.priority_class_name",
            "ice",
        ),
        (
            {"scheduling": {"userPods": {"nodeAffinity": {"matchNodePurpose": "require"}}}},
            "KubeSpawner.node_affinity_required",
            [USER_NODES],
        ),
        (
            {"scheduling": {"userPods": {"nodeAffinity": {"matchNodePurpose": "ignore"}}}},
            "KubeSpawner.node_affinity_preferred",
            "left alone",
        ),
        ({"scheduling": {"userPods": {"tolerations": []}}}, "KubeSpawner.tolerations", "left alone"),
        ({"imagePullSecret": {"create": True}}, "KubeSpawner.image_pull_secrets", ["image-pull-secret"]),
        (
            {"imagePullSecret": {"create": True, "automaticReferenceInjection": False}},
            "KubeSpawner.image_pull_secrets",
            "left alone",
        ),
        ({"imagePullSecrets": [{"name": "theirs"}]}, "KubeSpawner.image_pull_secrets", [{"name": "theirs"}]),
        ({"hub": {"baseUrl": "/ice/"}}, "JupyterHub.base_url", "/ice/"),
        ({"hub": {"allowNamedServers": True}}, "JupyterHub.allow_named_servers", True),
        ({"fullnameOverride": "ice"}, "JupyterHub.hub_connect_url", "http://ice-hub:8081"),
        ({"debug": {"enabled": True}}, "Spawner.debug", True),
        ({}, "Spawner.debug", "left alone"),
    ],
)
def test_a_value_for_the_hub_becomes_a_trait(values: dict[str, Any], trait: str, expected: object) -> None:
    assert told(values, trait) == expected


def home(template: str = "volume-{user_server}") -> dict[str, Any]:
    return {template: {"name": template, "persistentVolumeClaim": {"claimName": "{pvc_name}"}}}


@pytest.mark.parametrize(
    ("storage", "trait", "expected"),
    [
        ({}, "volumes", home()),
        ({}, "volume_mounts", {"volume-{user_server}": {"name": "volume-{user_server}", "mountPath": "/home/jovyan"}}),
        ({}, "storage_pvc_ensure", True),
        ({}, "storage_capacity", "10Gi"),
        ({}, "storage_access_modes", ["ReadWriteOnce"]),
        ({}, "pvc_name_template", "left alone"),
        ({"dynamic": {"pvcNameTemplate": "disk-{username}"}}, "pvc_name_template", "disk-{username}"),
        ({"dynamic": {"volumeNameTemplate": "disk"}}, "volumes", home("disk")),
        ({"dynamic": {"storageClass": "fast"}}, "storage_class", "fast"),
        (
            {"dynamic": {"subPath": "home"}, "homeMountPath": "/home/ice"},
            "volume_mounts",
            {"volume-{user_server}": {"name": "volume-{user_server}", "mountPath": "/home/ice", "subPath": "home"}},
        ),
        (
            {"type": "static", "static": {"pvcName": "homes"}},
            "volumes",
            {"home": {"name": "home", "persistentVolumeClaim": {"claimName": "homes"}}},
        ),
        (
            {"type": "static", "static": {"pvcName": "homes"}},
            "volume_mounts",
            {"home": {"name": "home", "mountPath": "/home/jovyan", "subPath": "{username}"}},
        ),
        ({"type": "static", "static": {"pvcName": "homes"}}, "storage_pvc_ensure", "left alone"),
        ({"type": "none"}, "volumes", "left alone"),
        ({"type": "none"}, "volume_mounts", "left alone"),
        ({"type": "none", "extraVolumes": [{"name": "a"}]}, "volumes", {"a": {"name": "a"}}),
        ({"type": "none", "extraVolumes": {"1-a": {"name": "a"}}}, "volumes", {"1-a": {"name": "a"}}),
        ({"type": "none", "extraVolumes": None}, "volumes", "left alone"),
        (
            {"type": "none", "extraVolumeMounts": [{"name": "a", "mountPath": "/a"}, {"name": "a", "mountPath": "/b"}]},
            "volume_mounts",
            {"0-a": {"name": "a", "mountPath": "/a"}, "1-a": {"name": "a", "mountPath": "/b"}},
        ),
        ({"extraLabels": {"keep": "yes"}}, "storage_extra_labels", {"keep": "yes"}),
    ],
)
def test_a_value_for_storage_becomes_a_trait(storage: dict[str, Any], trait: str, expected: object) -> None:
    assert told({"singleuser": {"storage": storage}}, f"KubeSpawner.{trait}") == expected


def test_files_of_the_values_are_mounted_one_by_one_from_the_secret_of_the_chart() -> None:
    files = {
        "greeting": {"mountPath": "/etc/greeting", "stringData": "hello"},
        "run": {"mountPath": "/run.sh", "mode": 493},
    }
    values = {"singleuser": {"extraFiles": files, "storage": {"type": "none"}}, "fullnameOverride": "ice"}
    assert told(values, "KubeSpawner.volumes") == {
        "files": {
            "name": "files",
            "secret": {
                "secretName": "ice-singleuser",
                "items": [{"key": "greeting", "path": "greeting"}, {"key": "run", "path": "run", "mode": 493}],
            },
        }
    }
    assert told(values, "KubeSpawner.volume_mounts") == {
        "files-greeting": {"name": "files", "mountPath": "/etc/greeting", "subPath": "greeting"},
        "files-run": {"name": "files", "mountPath": "/run.sh", "subPath": "run"},
    }


def test_the_clouds_metadata_is_closed_after_the_operators_own_preparations() -> None:
    tools = {"image": {"name": "tools", "tag": "2"}, "resources": {"limits": {"memory": "10M"}}}
    own, block = told(
        {"singleuser": {"initContainers": [{"name": "own"}], "networkTools": tools}}, "KubeSpawner.init_containers"
    )
    assert own == {"name": "own"}
    assert block["name"] == "block-cloud-metadata"
    assert block["image"] == "tools:2"
    assert block["resources"] == {"limits": {"memory": "10M"}}
    assert "169.254.169.254" in block["command"]


@pytest.mark.parametrize("switch", [False, "true", None])
def test_the_clouds_metadata_stays_open_where_the_switch_is_not_true(switch: object) -> None:
    values = {"singleuser": {"cloudMetadata": {"blockWithIptables": switch}}}
    assert told(values, "KubeSpawner.init_containers") == "left alone"


def test_labels_name_the_chart_and_its_release() -> None:
    labels = told({"Release": {"Name": "ice"}, "Chart": {"Version": "4.3.4-0.dev+h1"}}, "KubeSpawner.common_labels")
    assert labels == {
        "app": "jupyterhub",
        "app.kubernetes.io/name": "jupyterhub",
        "app.kubernetes.io/managed-by": "kubespawner",
        "release": "ice",
        "app.kubernetes.io/instance": "ice",
        "chart": "jupyterhub-4.3.4-0.dev_h1",
        "helm.sh/chart": "jupyterhub-4.3.4-0.dev_h1",
    }


def test_the_profile_list_is_passed_on_as_it_is() -> None:
    profiles = [{"display_name": "GPU", "allowed_groups": ["Ice:GPU"], "kubespawner_override": {"mem_limit": None}}]
    assert told({"singleuser": {"profileList": profiles}}, "KubeSpawner.profile_list") == profiles


def test_settings_of_a_class_win_over_the_charts_own_values() -> None:
    values = {
        "singleuser": {"uid": 1},
        "hub": {"config": {"KubeSpawner": {"uid": 2, "working_dir": "/w"}, "ProfileKubeSpawner": {"gid": 3}}},
    }
    assert told(values, "KubeSpawner.uid") == 2
    assert told(values, "KubeSpawner.working_dir") == "/w"
    assert told(values, "ProfileKubeSpawner.gid") == 3


def test_secrets_that_the_chart_keeps_elsewhere_are_not_passed_on() -> None:
    values = {"hub": {"config": {"JupyterHub": {"cookie_secret": "s"}, "CryptKeeper": {"keys": ["s"]}}}}
    assert told(values, "JupyterHub.cookie_secret") == "left alone"
    assert told(values, "CryptKeeper.keys") == "left alone"


def test_changing_what_came_out_does_not_change_the_values() -> None:
    values = {"singleuser": {"extraEnv": {"A": "b"}}, "hub": {"config": {"KubeSpawner": {"environment": {"C": "d"}}}}}
    kubespawner_config(values).KubeSpawner.environment["X"] = "y"
    assert values["hub"]["config"]["KubeSpawner"]["environment"] == {"C": "d"}  # type: ignore[index]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"hub": {"config": {"kubeSpawner": {}}}}, "hub.config.kubeSpawner: expected the name of a class"),
        ({"hub": {"config": {"KubeSpawner": []}}}, "KubeSpawner: expected a mapping, found list"),
        (
            {"scheduling": {"userPods": {"nodeAffinity": {"matchNodePurpose": "maybe"}}}},
            "matchNodePurpose: expected ignore, prefer or require, found 'maybe'",
        ),
        ({"singleuser": {"extraFiles": {"a": {}}}}, "singleuser.extraFiles.a: a file needs a mountPath"),
        ({"singleuser": {"storage": {"extraVolumes": ["a"]}}}, "extraVolumes: every entry needs a name"),
        ({"singleuser": {"extraTolerations": "gpu"}}, "extraTolerations: expected a list or a mapping, found str"),
    ],
)
def test_values_that_no_hub_could_start_with_are_named(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        kubespawner_config(values)


@pytest.mark.parametrize(
    "around",
    [
        lambda values: values,
        lambda values: {"jupyterhub": values, "nfs": {"enabled": True}},
        lambda values: {"basehub": {"jupyterhub": values, "nfs": {}}},
        lambda values: {"global": {}, "daskhub": {"basehub": {"jupyterhub": values}}},
    ],
)
def test_values_of_a_chart_around_the_chart_count_from_its_name_on(around: Any) -> None:
    assert told(around({"singleuser": {"uid": 7}}), "KubeSpawner.uid") == 7


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([], {}),
        ([{"a": 1}, {"a": 2}], {"a": 2}),
        ([{"a": {"b": 1}}, {"a": {"c": 2}}], {"a": {"b": 1, "c": 2}}),
        ([{"a": [1, 2]}, {"a": [3]}], {"a": [3]}),
        ([{"a": {"b": 1}}, {"a": [3]}], {"a": [3]}),
        ([{"a": {"b": 1}}, {"a": None}, {"a": {"c": 1}}], {"a": {"c": 1}}),
        ([{"jupyterhub": {"a": 1}}, {"basehub": {"jupyterhub": {"b": 2}}}], {"a": 1, "b": 2}),
    ],
)
def test_values_files_merge_as_helm_merges_them(layers: list[dict[str, Any]], expected: dict[str, Any]) -> None:
    assert merge_values(*layers) == expected


def test_a_null_takes_away_what_an_earlier_file_or_the_chart_says() -> None:
    values = merge_values({"singleuser": {"cmd": "mine", "uid": 7}}, {"singleuser": {"cmd": None, "uid": None}})
    assert told(values, "Spawner.cmd") == "left alone"
    assert told(values, "KubeSpawner.uid") == "left alone"
