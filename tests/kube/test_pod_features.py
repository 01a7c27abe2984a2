"""What a pod has beside what its profile says, as Kubernetes has it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from hub_extensions.port_block import NFS

from ..auth_states import logins_with
from .access import Call
from .cluster import hub_on
from .people import eventually, start, stop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ..hub import RunningHub
    from .access import KubeClient
    from .cluster import Cluster
    from .fake_api import FakeApi

HOME = {"name": "home", "mountPath": "/home/jovyan", "subPath": "{username}"}
SHARED = {"name": "home", "mountPath": "/home/jovyan/shared", "subPath": "_shared", "readOnly": True}
VOLUME = {"name": "home", "emptyDir": {}}
FORMS: dict[str, dict[str, Any]] = {
    "lists": {"volumes": [VOLUME], "volume_mounts": [HOME, SHARED]},
    "mappings": {"volumes": {"home": VOLUME}, "volume_mounts": {"0-home": HOME, "1-shared": SHARED}},
}
PROFILES = [
    {"display_name": "Plain", "slug": "plain", "default": True},
    {
        "display_name": "Adds",
        "slug": "adds",
        "kubespawner_override": {
            "volumes": {"scratch": {"name": "scratch", "emptyDir": {}}},
            "volume_mounts": {"scratch": {"name": "scratch", "mountPath": "/scratch"}},
            "environment": {"PLACE": "profile"},
        },
    },
    {
        "display_name": "Replaces",
        "slug": "replaces",
        "kubespawner_override": {"volume_mounts": [{"name": "home", "mountPath": "/only"}]},
    },
]
GROUPS = {"groups": ["project:*", "ocean"], "mount_path": "/home/jovyan/{group}", "sub_path": "_groups/{group}"}
ADMIN = {
    "extraEnv": {"PLACE": "admin of {username}", "GONE": None},
    "extraVolumeMounts": {
        "shared": {"name": "home", "mountPath": "/home/jovyan/shared", "subPath": "_shared"},
        "everybody": {"name": "home", "mountPath": "/home/jovyan/everybody"},
        "off": None,
    },
    "serviceAccountName": "hub-admin",
}


@pytest.fixture(scope="module", params=FORMS)
async def hub(kube: Cluster, request: pytest.FixtureRequest) -> AsyncIterator[RunningHub]:
    config = {
        "KubeSpawner": {**FORMS[request.param], "storage_pvc_ensure": False},
        "ProfileKubeSpawner": {
            "profile_list": PROFILES,
            "communities": {"ocean": "Océan {x}"},
            "group_directories": [GROUPS],
            "admin_extras": ADMIN,
        },
    }
    async with hub_on(kube, config) as running:
        yield running


async def pod_of(hub: RunningHub, admin: KubeClient, name: str, options: Any = None) -> dict[str, Any]:
    await start(hub, name, options)
    pod = (await admin.call("GET", f"pods/jupyter-{name}")).body
    await stop(hub, name)
    return dict(pod)


def mounts_of(pod: dict[str, Any]) -> dict[str, dict[str, Any]]:
    [container] = pod["spec"]["containers"]
    return {
        mount["mountPath"]: {key: value for key, value in mount.items() if key != "mountPath" and value}
        for mount in container["volumeMounts"]
    }


def environment_of(pod: dict[str, Any]) -> dict[str, str]:
    [container] = pod["spec"]["containers"]
    return {variable["name"]: variable.get("value", "") for variable in container["env"]}


async def test_a_member_has_a_folder_for_each_group_that_fits_beside_their_home(
    hub: RunningHub, admin: KubeClient
) -> None:
    hub.user("ada", groups=("Ocean", "project:../{x} Ü", "staff"))
    pod = await pod_of(hub, admin, "ada")
    folder = "project_3a_2e_2e_2f_7bx_7d_20_c3_bc"
    assert mounts_of(pod) == {
        "/home/jovyan": {"name": "home", "subPath": "ada"},
        "/home/jovyan/shared": {"name": "home", "subPath": "_shared", "readOnly": True},
        "/home/jovyan/ocean": {"name": "home", "subPath": "_groups/ocean"},
        f"/home/jovyan/{folder}": {"name": "home", "subPath": f"_groups/{folder}"},
    }


async def test_someone_in_no_such_group_has_what_the_operator_mounts(hub: RunningHub, admin: KubeClient) -> None:
    hub.user("bea", groups=("staff",))
    assert set(mounts_of(await pod_of(hub, admin, "bea"))) == {"/home/jovyan", "/home/jovyan/shared"}


async def test_a_group_whose_folder_would_cover_another_mount_gets_none(hub: RunningHub, admin: KubeClient) -> None:
    hub.user("cleo", groups=("shared", "project:x"))
    hub.app.config.ProfileKubeSpawner.group_directories = [GROUPS | {"groups": ["*"]}]
    try:
        mounts = mounts_of(await pod_of(hub, admin, "cleo"))
    finally:
        hub.app.config.ProfileKubeSpawner.group_directories = [GROUPS]
    assert mounts["/home/jovyan/shared"]["subPath"] == "_shared"
    assert "/home/jovyan/project_3ax" in mounts


async def test_a_profile_adds_to_mounts_whichever_form_they_have(hub: RunningHub, admin: KubeClient) -> None:
    hub.user("dora", groups=("ocean",))
    pod = await pod_of(hub, admin, "dora", {"profile": "adds"})
    assert set(mounts_of(pod)) == {"/home/jovyan", "/home/jovyan/shared", "/home/jovyan/ocean", "/scratch"}
    assert {volume["name"] for volume in pod["spec"]["volumes"]} == {"home", "scratch"}
    pod = await pod_of(hub, admin, "dora", {"profile": "plain"})
    assert set(mounts_of(pod)) == {"/home/jovyan", "/home/jovyan/shared", "/home/jovyan/ocean"}


async def test_a_list_in_a_profile_replaces_what_the_operator_mounts_with_a_warning_and_drops_nothing_of_groups(
    hub: RunningHub, admin: KubeClient, caplog: pytest.LogCaptureFixture
) -> None:
    hub.user("emma", groups=("ocean",))
    pod = await pod_of(hub, admin, "emma", {"profile": "replaces"})
    assert set(mounts_of(pod)) == {"/only", "/home/jovyan/ocean"}
    warning = "profile replaces replaces volume_mounts by a list, without /home/jovyan, /home/jovyan/shared."
    assert warning in caplog.text


async def test_overrides_of_groups_add_to_mounts_too(hub: RunningHub, admin: KubeClient) -> None:
    hub.user("fay", groups=("divers",))
    override = {"volume_mounts": {"tanks": {"name": "home", "mountPath": "/tanks"}}}
    hub.app.config.Spawner.group_overrides = {"1": {"groups": ["divers"], "spawner_override": override}}
    try:
        mounts = mounts_of(await pod_of(hub, admin, "fay"))
    finally:
        del hub.app.config.Spawner["group_overrides"]
    assert set(mounts) == {"/home/jovyan", "/home/jovyan/shared", "/tanks"}


async def test_an_admin_has_more_and_wins_over_the_profile(hub: RunningHub, admin: KubeClient) -> None:
    hub.user("gina", admin=True)
    pod = await pod_of(hub, admin, "gina", {"profile": "adds"})
    mounts = mounts_of(pod)
    assert mounts["/home/jovyan/shared"] == {"name": "home", "subPath": "_shared"}
    assert set(mounts) == {"/home/jovyan", "/home/jovyan/shared", "/home/jovyan/everybody", "/scratch"}
    assert environment_of(pod)["PLACE"] == "admin of gina"
    assert "GONE" not in environment_of(pod)
    assert pod["spec"]["serviceAccountName"] == "hub-admin"
    assert "automountServiceAccountToken" not in pod["spec"]


async def test_a_server_that_an_admin_starts_for_someone_has_nothing_of_an_admin(
    hub: RunningHub, admin: KubeClient
) -> None:
    hub.user("hana")
    reply = await hub.api("POST", "users/hana/server", user="admin", json={"profile": "adds"})
    assert reply.status == 201, reply.text
    pod = (await admin.call("GET", "pods/jupyter-hana")).body
    await stop(hub, "hana")
    assert environment_of(pod)["PLACE"] == "profile"
    assert "/home/jovyan/everybody" not in mounts_of(pod)
    assert pod["spec"].get("serviceAccountName") is None
    assert pod["spec"]["automountServiceAccountToken"] is False


async def test_a_volume_that_is_not_there_is_a_sentence_for_the_person_and_a_line_in_the_log(
    hub: RunningHub, admin: KubeClient, caplog: pytest.LogCaptureFixture
) -> None:
    hub.user("ida", groups=("ocean",))
    hub.app.config.ProfileKubeSpawner.group_directories = [GROUPS | {"volume": "hmoe"}]
    try:
        reply = await hub.api("POST", "users/ida/server", user="ida", json={})
    finally:
        hub.app.config.ProfileKubeSpawner.group_directories = [GROUPS]
    assert reply.status == 500
    assert "tell the people who run this hub" in reply.json()["message"]
    assert "no volume 'hmoe' to mount at /home/jovyan/ocean; the pod has home" in caplog.text
    assert (await admin.call("GET", "pods/jupyter-ida")).status == 404


async def test_labels_say_whom_a_pod_counts_for_and_annotations_say_it_in_full(
    hub: RunningHub, admin: KubeClient
) -> None:
    groups = ("ocean", "org:{team}", "x" * 80)
    hub.user("jana", groups=groups)
    metadata = (await pod_of(hub, admin, "jana", {"profile": "adds"}))["metadata"]
    ours = {name: value for name, value in metadata["labels"].items() if name.startswith("hub-extensions/")}
    assert ours.pop("hub-extensions/groups")
    assert ours == {"hub-extensions/community": "ocean", "hub-extensions/profile": "adds"}
    assert metadata["labels"]["hub.jupyter.org/username"] == "jana"
    assert metadata["annotations"]["hub-extensions/groups"] == f'["ocean", "org:{{team}}", "{"x" * 80}"]'


async def test_ports_are_blocked_by_a_container_before_all_others(hub: RunningHub, admin: KubeClient) -> None:
    hub.user("kim")
    other = {"name": "other", "image": "example.org/other:1"}
    hub.app.config.ProfileKubeSpawner.blocked_ports = list(NFS)
    hub.app.config.KubeSpawner.init_containers = [other]
    try:
        pod = await pod_of(hub, admin, "kim")
    finally:
        del hub.app.config.ProfileKubeSpawner["blocked_ports"]
        del hub.app.config.KubeSpawner["init_containers"]
    block, after = pod["spec"]["initContainers"]
    assert (block["name"], after["name"]) == ("block-ports", "other")
    assert "--destination-ports 111,2049,20048 --jump DROP" in block["command"][-1]
    assert block["securityContext"]["capabilities"] == {"add": ["NET_ADMIN"]}
    assert "initContainers" not in (await pod_of(hub, admin, "kim"))["spec"]


async def test_hooks_on_the_pod_run_in_order_and_the_operators_own_one_last(hub: RunningHub, admin: KubeClient) -> None:
    async def first(spawner: Any, pod: Any) -> None:
        pod.metadata.annotations["seen"] = "first"

    def second(spawner: Any, pod: Any) -> Any:
        assert pod.spec.volumes
        pod.metadata.annotations["seen"] += ", second"
        return pod

    def own(spawner: Any, pod: Any) -> Any:
        pod.metadata.annotations["seen"] += ", own"
        return pod

    hub.app.config.KubeSpawner.modify_pod_hooks = {"2": second, "1": first}
    hub.app.config.KubeSpawner.modify_pod_hook = own
    try:
        pod = await pod_of(hub, admin, "lea")
    finally:
        del hub.app.config.KubeSpawner["modify_pod_hooks"]
        del hub.app.config.KubeSpawner["modify_pod_hook"]
    assert pod["metadata"]["annotations"]["seen"] == "first, second, own"


@pytest.mark.parametrize("later", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize(
    ("trait", "name"), [("modify_pod_hook", "modify_pod_hook"), ("modify_pod_hooks", "modify_pod_hooks['disk']")]
)
async def test_a_hook_on_the_pod_that_fails_says_its_name(
    hub: RunningHub, caplog: pytest.LogCaptureFixture, trait: str, name: str, later: bool
) -> None:
    def failing(spawner: Any, pod: Any) -> Any:
        raise RuntimeError("no such disk")

    async def failing_later(spawner: Any, pod: Any) -> Any:
        await asyncio.sleep(0)
        raise RuntimeError("no such disk")

    hook = failing_later if later else failing
    hub.app.config.KubeSpawner[trait] = hook if trait == "modify_pod_hook" else {"disk": hook}
    try:
        reply = await hub.api("POST", "users/mia/server", user="mia", json={})
    finally:
        del hub.app.config.KubeSpawner[trait]
    assert reply.status == 500
    assert f"Your server cannot start: {name}, a step of this hub, failed." in reply.json()["message"]
    assert f"{name} failed for the server mia" in caplog.text
    assert "no such disk" in caplog.text


async def test_what_auth_state_says_is_in_the_pod_as_it_is_and_kubernetes_expands_none_of_it(
    kube: Cluster, admin: KubeClient
) -> None:
    hostile = "{x} {username} {userid.__class__} 100 %s $(HOME) $HOME $$ ü"
    with logins_with({"qiu": {"token": hostile}}) as config:
        config["ProfileKubeSpawner"] = {
            "environment": {"WHO": "{username}"},
            "environment_from_auth_state": {"TOKEN": "$(WHO) {auth_state[token]}", "NONE": "{auth_state[none]}"},
        }
        async with hub_on(kube, config) as hub:
            await hub.login("qiu")
            environment = environment_of(await pod_of(hub, admin, "qiu"))
    # Kubernetes reads two dollars as one, and $(WHO) is the operator's.
    assert environment["TOKEN"] == "$(WHO) " + hostile.replace("$", "$$")
    assert environment["WHO"] == "qiu"
    assert "NONE" not in environment


VOLUMES = [
    {"name": "data-{username}", "class": "standard", "capacity": "1Gi", "mount_path": "/data", "sub_path": "in"},
    {"name": "postgres-{user_server}", "class": "standard", "capacity": "2Gi"},
]


async def test_a_person_has_volumes_that_are_made_once_and_kept(kube: Cluster, admin: KubeClient) -> None:
    config = {
        "KubeSpawner": FORMS["lists"] | {"storage_pvc_ensure": False},
        "ProfileKubeSpawner": {"user_volumes": VOLUMES},
        "JupyterHub": {"allow_named_servers": True},
    }
    async with hub_on(kube, config) as hub:
        before = len(kube.calls_of_hub())
        pod = await pod_of(hub, admin, "nora")
        assert mounts_of(pod)["/data"] == {"name": "own-0", "subPath": "in"}
        claims = [volume.get("persistentVolumeClaim") for volume in pod["spec"]["volumes"]]
        assert claims == [None, {"claimName": "data-nora"}]
        claim = (await admin.call("GET", "persistentvolumeclaims/postgres-nora")).body
        assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]
        assert claim["spec"]["resources"]["requests"] == {"storage": "2Gi"}
        assert claim["metadata"]["labels"]["component"] == "extra-pvc"
        assert claim["metadata"]["annotations"]["hub.jupyter.org/username"] == "nora"
        await pod_of(hub, admin, "nora")
        creates = [call.status for call in kube.calls_of_hub()[before:] if call[1:3] == VOLUME_IS_MADE]
        assert creates == [201, 201, 409, 409]

        reply = await hub.api("POST", "users/nora/servers/second", user="nora", json={})
        assert reply.status == 201, reply.text
        reply = await hub.api("DELETE", "users/nora/servers/second", user="nora", json={"remove": True})
        assert reply.status == 204, reply.text

        async def the_second_is_deleted() -> bool:
            model = (await hub.api("GET", "users/nora?include_stopped_servers")).json()
            return "second" not in model["servers"]

        # JupyterHub deletes a named server after its volumes, and cannot delete a person while it does.
        await eventually(the_second_is_deleted, "the named server is deleted")
        assert await claims_left(admin) == {"data-nora", "postgres-nora"}
        assert (await hub.api("DELETE", "users/nora")).status == 204
        assert await claims_left(admin) == set()


VOLUME_IS_MADE = ("create", "persistentvolumeclaims")


async def claims_left(admin: KubeClient) -> set[str]:
    found = (await admin.call("GET", "persistentvolumeclaims", labelSelector="component=extra-pvc")).body
    return {claim["metadata"]["name"] for claim in found["items"]}


async def test_volumes_outlive_a_person_where_the_operator_says_so(kube: Cluster, admin: KubeClient) -> None:
    config = {
        "KubeSpawner": FORMS["lists"] | {"storage_pvc_ensure": False, "delete_pvc": False},
        "ProfileKubeSpawner": {"user_volumes": VOLUMES[:1]},
    }
    async with hub_on(kube, config) as hub:
        await pod_of(hub, admin, "olga")
        assert (await hub.api("DELETE", "users/olga")).status == 204
        assert await claims_left(admin) == {"data-olga"}
    await admin.call("DELETE", "persistentvolumeclaims/data-olga")


async def test_a_claim_that_the_cluster_refuses_ends_the_start_and_says_so(
    fake_kube: tuple[FakeApi, Cluster], caplog: pytest.LogCaptureFixture
) -> None:
    fake, kube = fake_kube
    config = {"KubeSpawner": {"storage_pvc_ensure": False}, "ProfileKubeSpawner": {"user_volumes": VOLUMES}}
    async with hub_on(kube, config) as hub:
        fake.fail("create", "persistentvolumeclaims", 403, message="exceeded quota: all", times=1)
        reply = await hub.api("POST", "users/pia/server", user="pia", json={})
        assert reply.status == 500
        assert "Your server cannot start: user_volumes" in reply.json()["message"]
        assert "exceeded quota" in caplog.text
        assert Call("hub", "create", "pods", 201) not in fake.calls
        await start(hub, "pia")
        await stop(hub, "pia")
