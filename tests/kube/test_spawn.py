from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest

from .access import Call, kube_client
from .cluster import hub_on
from .people import eventually, is_stopped, start, stop

if TYPE_CHECKING:
    from ..hub import RunningHub
    from .access import KubeClient
    from .cluster import Cluster

READS = {"get", "list", "watch"}


async def test_a_person_starts_a_jupyter_server_uses_it_and_stops_it(kube: Cluster, admin: KubeClient) -> None:
    config = {"KubeSpawner": {"cmd": ["jupyterhub-singleuser"], "start_timeout": 60, "http_timeout": 60}}
    async with hub_on(kube, config) as hub:
        browser = await hub.login("ada")
        await start(hub, "ada")
        pod = (await admin.call("GET", "pods/jupyter-ada")).body
        assert pod["status"]["phase"] == "Running"
        assert ip_address(pod["status"]["podIP"]).is_loopback
        page = await browser.get("../user/ada/")
        assert page.status == 200, page.text
        status = await browser.get("../user/ada/api/status")
        assert status.json()["kernels"] == 0, status.text
        await stop(hub, "ada")
        assert (await admin.call("GET", "pods/jupyter-ada")).status == 404


async def test_a_spawn_asks_the_same_of_every_api(kube: Cluster) -> None:
    async with hub_on(kube) as hub:
        before = len(kube.calls_of_hub())
        await start(hub, "grace")
        await stop(hub, "grace")
        await start(hub, "grace")
        await stop(hub, "grace")
    calls = kube.calls_of_hub()[before:]
    assert [call for call in calls if call.verb not in READS] == [
        Call("hub", "create", "persistentvolumeclaims", 201),
        Call("hub", "create", "pods", 201),
        Call("hub", "delete", "pods", 200),
        Call("hub", "create", "pods", 201),
        Call("hub", "delete", "pods", 200),
    ]

    async def reads_pods_and_events_only() -> bool:
        reads = {call[1:] for call in kube.calls_of_hub()[before:] if call.verb in READS}
        return reads == {(verb, kind, 200) for verb in ("list", "watch") for kind in ("pods", "events")}

    await eventually(reads_pods_and_events_only, "the watches have ended, and nothing else was read")


async def test_a_pod_that_is_in_the_way_is_replaced(hub: RunningHub, kube: Cluster, admin: KubeClient) -> None:
    squatter = {"name": "other", "image": "example.org/other:1", "command": ["sleep", "600"]}
    pod = {"metadata": {"name": "jupyter-lin"}, "spec": {"containers": [squatter]}}
    old = await admin.call("POST", "pods", pod)
    assert old.status == 201, old.body
    await start(hub, "lin")
    new = await admin.call("GET", "pods/jupyter-lin")
    assert new.body["metadata"]["uid"] != old.body["metadata"]["uid"]
    assert Call("hub", "create", "pods", 409) in kube.calls_of_hub()
    await stop(hub, "lin")


async def test_the_hub_notices_that_someone_deleted_a_pod(hub: RunningHub, admin: KubeClient) -> None:
    await start(hub, "mary")
    assert (await admin.call("DELETE", "pods/jupyter-mary")).status == 200
    await eventually(lambda: is_stopped(hub, "mary"), "the hub sees that the pod is gone")


async def test_what_happens_to_a_pod_is_told_on_the_progress_page(hub: RunningHub, admin: KubeClient) -> None:
    await start(hub, "joan")
    events = (await admin.call("GET", "events", fieldSelector="involvedObject.name=jupyter-joan")).body["items"]
    assert [event["reason"] for event in events] == ["Scheduled", "Pulled", "Started"]
    spawner = hub.app.users["joan"].spawners[""]
    assert [event["message"] async for event in spawner.progress()] == [
        "A place was found. Fetching the environment: the first time can take some minutes.",
        "The environment is here. Starting your server.",
        "Your server is starting. It opens in a moment.",
    ]
    progress = await hub.api("GET", "users/joan/server/progress", user="joan")
    assert '"ready": true' in progress.text
    assert "raw_event" not in progress.text
    await stop(hub, "joan")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/v1/pods"), ("GET", "/api/v1/namespaces"), ("POST", "events"), ("DELETE", "events/x")],
)
async def test_the_hub_may_not_do_more_than_its_role(kube: Cluster, method: str, path: str) -> None:
    async with kube_client(kube.api.access("hub")) as hub_itself:
        assert (await hub_itself.call(method, path, {} if method != "GET" else None)).status == 403
