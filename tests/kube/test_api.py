"""The fake API and the real one give the same answers to what a spawner, a node and a mistake ask."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .access import KubeClient
    from .cluster import Cluster

# What the node makes of it has no part here: nobody schedules a pod of another namespace.
PODS = "/api/v1/namespaces/default/pods"
POD: dict[str, Any] = {
    "metadata": {"name": "one", "labels": {"component": "test"}},
    "spec": {
        "containers": [
            {"name": "notebook", "image": "example.org/one:1", "resources": {"limits": {"memory": 2**30, "cpu": 0.5}}}
        ]
    },
}


def pod(**changes: Any) -> dict[str, Any]:
    """POD with values at `__`-separated paths."""
    made = copy.deepcopy(POD)
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = made
        for key in parents:
            place = place[key][0] if key == "containers" else place[key]
        place[last] = value
    return made


@pytest.fixture(scope="module", autouse=True)
async def default_namespace(admin: KubeClient) -> None:
    made = await admin.call("POST", "/api/v1/namespaces", {"metadata": {"name": "default"}})
    assert made.status in {201, 409}


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (pod(metadata__name="Not_a_name"), 422, "Invalid"),
        (pod(metadata__name="-dash"), 422, "Invalid"),
        (pod(metadata__name="a" * 254), 422, "Invalid"),
        (pod(metadata__labels={"component": "not a label"}), 422, "Invalid"),
        (pod(metadata__labels={"component": "l" * 64}), 422, "Invalid"),
        (pod(metadata__namespace="elsewhere"), 400, "BadRequest"),
        (pod(spec__nodeSelector={"pool": "not a label"}), 422, "Invalid"),
        (pod(spec__containers=[]), 422, "Invalid"),
        (pod(spec__containers__image=""), 422, "Invalid"),
        (pod(spec__containers__resources={"limits": {"memory": "two"}}), 400, "BadRequest"),
        (pod(spec__containers__resources={"limits": {"memory": "1 G"}}), 400, "BadRequest"),
    ],
    ids=str,
)
async def test_a_pod_that_cannot_be_is_refused(
    admin: KubeClient, body: dict[str, Any], status: int, reason: str
) -> None:
    answer = await admin.call("POST", PODS, body)
    assert (answer.status, answer.body["reason"]) == (status, reason), answer.body


async def test_an_object_is_written_once_read_as_the_api_writes_it_and_removed(admin: KubeClient) -> None:
    dry = await admin.call("POST", PODS, POD, dryRun="All")
    assert dry.status == 201
    assert (await admin.call("GET", f"{PODS}/one")).status == 404
    made = await admin.call("POST", PODS, POD)
    assert made.status == 201
    assert made.body["spec"]["containers"][0]["resources"]["limits"] == {"memory": "1073741824", "cpu": "500m"}
    assert made.body["status"]["phase"] == "Pending"
    assert {"uid", "creationTimestamp", "resourceVersion", "namespace"} <= made.body["metadata"].keys()
    again = await admin.call("POST", PODS, POD)
    assert (again.status, again.body["reason"]) == (409, "AlreadyExists")
    other = await admin.call("DELETE", f"{PODS}/one", {"preconditions": {"uid": "another"}})
    assert (other.status, other.body["reason"]) == (409, "Conflict")
    assert (await admin.call("DELETE", f"{PODS}/one")).status == 200
    gone = await admin.call("GET", f"{PODS}/one")
    assert (gone.status, gone.body["reason"]) == (404, "NotFound")


async def test_a_pod_on_a_node_is_given_its_time_to_end(admin: KubeClient) -> None:
    assert (await admin.call("POST", PODS, POD)).status == 201
    to_node = {"target": {"kind": "Node", "name": "somewhere"}, "metadata": {"name": "one"}}
    assert (await admin.call("POST", f"{PODS}/one/binding", to_node)).status == 201
    ending = await admin.call("DELETE", f"{PODS}/one", {"gracePeriodSeconds": 7})
    assert ending.body["metadata"]["deletionGracePeriodSeconds"] == 7
    assert "deletionTimestamp" in (await admin.call("GET", f"{PODS}/one")).body["metadata"]
    assert (await admin.call("DELETE", f"{PODS}/one", {"gracePeriodSeconds": 0})).status == 200
    assert (await admin.call("GET", f"{PODS}/one")).status == 404


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"labelSelector": "component=test"}, ["one", "two"]),
        ({"labelSelector": "component=test,extra!=yes"}, ["one"]),
        ({"labelSelector": "component==none"}, []),
        ({"fieldSelector": "metadata.name=two"}, ["two"]),
        ({"fieldSelector": "status.phase=Pending,metadata.name!=two"}, ["one"]),
        ({"labelSelector": "", "fieldSelector": "", "resourceVersion": "0"}, ["one", "two"]),
    ],
    ids=str,
)
async def test_selectors_find_what_they_name(admin: KubeClient, query: dict[str, str], names: list[str]) -> None:
    await admin.call("POST", PODS, POD)
    await admin.call("POST", PODS, pod(metadata__name="two", metadata__labels={"component": "test", "extra": "yes"}))
    found = await admin.call("GET", PODS, **query)
    # From its cache (resourceVersion 0) the API server lists in no order.
    assert sorted(item["metadata"]["name"] for item in found.body["items"]) == names


async def test_a_selector_by_an_unknown_field_is_refused(admin: KubeClient) -> None:
    answer = await admin.call("GET", PODS, fieldSelector="spec.colour=blue")
    assert (answer.status, answer.body["reason"]) == (400, "BadRequest")


async def test_a_watch_tells_what_changed_after_its_version_in_order(admin: KubeClient, kube: Cluster) -> None:
    secrets = "/api/v1/namespaces/default/secrets"
    version = (await admin.call("GET", secrets)).body["metadata"]["resourceVersion"]
    await admin.call("POST", secrets, {"metadata": {"name": "key"}})
    await admin.call("PATCH", f"{secrets}/key", {"metadata": {"labels": {"a": "b"}}})
    await admin.call("DELETE", f"{secrets}/key")
    seen = []
    async for type_, _ in admin.watch(secrets, version):
        seen.append(type_)
        if type_ == "DELETED":
            break
    assert seen == ["ADDED", "MODIFIED", "DELETED"]
