"""Servers of a BinderHub: what it asks for is what Kubernetes is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .cluster import hub_on
from .people import start, stop

if TYPE_CHECKING:
    from .access import KubeClient
    from .cluster import Cluster

SPAWNER = {"JupyterHub": {"spawner_class": "binder-kube"}}
LAUNCH = {
    "image": "registry.example.org/binder-reef:0a1b",
    "token": "made-by-binderhub",
    "repo_url": "https://git.example.org/reef?$(HOME)",
    "binder_ref_url": "https://git.example.org/reef/tree/main",
    "another": "thing",
}


def variables(pod: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each.get("value", "") for each in pod["spec"]["containers"][0]["env"]}


async def test_a_launch_has_the_image_the_token_and_what_is_said_of_it(kube: Cluster, admin: KubeClient) -> None:
    async with hub_on(kube, {**SPAWNER, "BinderSpawnerMixin": {"cors_allow_origin": "*"}}) as hub:
        await start(hub, "ada", LAUNCH)
        pod = (await admin.call("GET", "pods/jupyter-ada")).body
        [container] = pod["spec"]["containers"]
        assert container["image"] == LAUNCH["image"]
        told, words = variables(pod), container["args"]
        assert told["BINDER_REPO_URL"] == "https://git.example.org/reef?$$(HOME)"
        assert told["BINDER_REF_URL"] == LAUNCH["binder_ref_url"]
        assert "BINDER_REQUEST" not in told
        for cls in ("NotebookApp", "ServerApp"):
            assert f"--{cls}.token={LAUNCH['token']}" in words
            assert [word for word in words if word.startswith(f"--{cls}.base_url=/") and word.endswith("/user/ada/")]
            assert f"--{cls}.allow_origin_pat=.*" in words
        await stop(hub, "ada")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"image": LAUNCH["image"]},
        {"token": LAUNCH["token"]},
        {**LAUNCH, "image": "an image --privileged"},
        {**LAUNCH, "image": ["a"]},
        {**LAUNCH, "token": "a b"},
        {**LAUNCH, "token": ""},
        {**LAUNCH, "image": "elsewhere.example.org/other:1"},
    ],
    ids=["nothing", "no token", "no image", "no name", "a list", "a space", "empty", "not built here"],
)
async def test_a_start_without_an_image_and_a_token_of_this_hub_is_refused(
    fake_kube: tuple[Any, Cluster], options: dict[str, Any]
) -> None:
    _, cluster = fake_kube
    images = {"BinderSpawnerMixin": {"images": r"registry[.]example[.]org/binder-[a-z-]+:[0-9a-f]+"}}
    async with hub_on(cluster, {**SPAWNER, **images}) as hub:
        reply = await hub.api("POST", "users/ada/server", user="ada", json=options)
        assert reply.status == 400, reply.text
        assert "from the BinderHub of this hub" in reply.text
        assert not [call for call in cluster.calls_of_hub() if call.verb == "create"]


async def test_with_a_login_servers_are_those_of_the_hub(kube: Cluster, admin: KubeClient) -> None:
    async with hub_on(kube, {**SPAWNER, "BinderSpawnerMixin": {"auth_enabled": True}}) as hub:
        await start(hub, "grace", {"image": LAUNCH["image"]})
        pod = (await admin.call("GET", "pods/jupyter-grace")).body
        [container] = pod["spec"]["containers"]
        assert container["image"] == LAUNCH["image"]
        assert not [word for word in container["args"] if "token=" in word]
        await stop(hub, "grace")
        await start(hub, "lin")
        pod = (await admin.call("GET", "pods/jupyter-lin")).body
        assert pod["spec"]["containers"][0]["image"] == "example.org/quick:1"
        await stop(hub, "lin")


async def test_a_hub_without_a_binderhub_takes_no_image_from_options(kube: Cluster, admin: KubeClient) -> None:
    async with hub_on(kube) as hub:
        await start(hub, "ada", LAUNCH)
        pod = (await admin.call("GET", "pods/jupyter-ada")).body
        assert pod["spec"]["containers"][0]["image"] == "example.org/quick:1"
        await stop(hub, "ada")
