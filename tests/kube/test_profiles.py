from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .access import Call
from .cluster import hub_on
from .people import start, stop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ..hub import RunningHub
    from .access import KubeClient
    from .cluster import Cluster

PROFILES = [
    {
        "display_name": "For everyone",
        "slug": "common",
        "default": True,
        "kubespawner_override": {"mem_limit": "512M"},
    },
    {
        "display_name": "Ocean analysis",
        "slug": "ocean",
        "allowed_groups": ["ocean-lab"],
        "profile_options": {
            "image": {
                "display_name": "Image",
                "choices": {
                    "base": {
                        "display_name": "Base",
                        "default": True,
                        "kubespawner_override": {"image": "example.org/base:1"},
                    },
                    "models": {
                        "display_name": "Ocean models",
                        "kubespawner_override": {"image": "example.org/models:7"},
                    },
                },
            }
        },
        "kubespawner_override": {
            "mem_limit": "2G",
            "mem_guarantee": "1G",
            "cpu_guarantee": 0.5,
            "node_selector": {"pool": "large"},
        },
    },
]
OCEAN = {"profile": "ocean", "image": "models"}


@pytest.fixture(scope="module")
async def hub(kube: Cluster) -> AsyncIterator[RunningHub]:
    async with hub_on(kube, {"ProfileKubeSpawner": {"profile_list": PROFILES}}) as running:
        yield running


def notebook_of(pod: dict[str, Any]) -> dict[str, Any]:
    [container] = pod["spec"]["containers"]
    return dict(container)


async def test_a_member_gets_the_pod_that_their_profile_and_choice_describe(hub: RunningHub, admin: KubeClient) -> None:
    hub.user("sylvia", groups=("ocean-lab",))
    await start(hub, "sylvia", OCEAN)
    pod = (await admin.call("GET", "pods/jupyter-sylvia")).body
    assert notebook_of(pod)["image"] == "example.org/models:7"
    resources = notebook_of(pod)["resources"]
    assert resources["limits"] == {"memory": str(2 * 2**30)}
    assert resources["requests"] == {"memory": str(2**30), "cpu": "500m"}
    assert pod["spec"]["nodeSelector"] == {"pool": "large"}
    await stop(hub, "sylvia")


async def test_a_person_outside_the_group_gets_a_sentence_and_no_pod(
    hub: RunningHub, kube: Cluster, admin: KubeClient
) -> None:
    before = len(kube.calls_of_hub())
    reply = await hub.api("POST", "users/eve/server", user="eve", json=OCEAN)
    assert 400 <= reply.status < 500
    assert reply.json()["message"]
    assert (await admin.call("GET", "pods/jupyter-eve")).status == 404
    assert not [call for call in kube.calls_of_hub()[before:] if call.verb == "create"]


async def test_after_a_refusal_the_same_person_may_start_what_is_theirs(hub: RunningHub, admin: KubeClient) -> None:
    await hub.api("POST", "users/eve/server", user="eve", json=OCEAN)
    await start(hub, "eve")
    pod = (await admin.call("GET", "pods/jupyter-eve")).body
    assert notebook_of(pod)["resources"]["limits"] == {"memory": str(512 * 2**20)}
    assert "nodeSelector" not in pod["spec"]
    await stop(hub, "eve")


async def test_another_profile_leaves_nothing_of_the_one_before(hub: RunningHub, admin: KubeClient) -> None:
    hub.user("anna", groups=("ocean-lab",))
    await start(hub, "anna", OCEAN)
    await stop(hub, "anna")
    await start(hub, "anna", {"profile": "common"})
    pod = (await admin.call("GET", "pods/jupyter-anna")).body
    assert notebook_of(pod)["image"] == "example.org/quick:1"
    assert "nodeSelector" not in pod["spec"]
    await stop(hub, "anna")


async def test_a_pod_that_the_cluster_calls_invalid_is_not_tried_again_and_again(
    hub: RunningHub, kube: Cluster
) -> None:
    hub.app.config.KubeSpawner.node_selector = {"pool": "not a label"}
    before = len(kube.calls_of_hub())
    try:
        reply = await hub.api("POST", "users/iris/server", user="iris", json={"profile": "common"})
    finally:
        del hub.app.config.KubeSpawner["node_selector"]
    assert reply.status >= 400
    creates = [call for call in kube.calls_of_hub()[before:] if call[1:3] == ("create", "pods")]
    assert creates == [Call("hub", "create", "pods", 422)]
