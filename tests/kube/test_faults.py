from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .access import Call
from .cluster import hub_on
from .people import is_stopped, start, stop

if TYPE_CHECKING:
    from .cluster import Cluster
    from .fake_api import FakeApi

Fake = tuple["FakeApi", "Cluster"]


async def test_a_hub_that_lost_its_watches_and_their_history_starts_servers_all_the_same(fake_kube: Fake) -> None:
    fake, kube = fake_kube
    async with hub_on(kube) as hub:
        await start(hub, "ada")
        fake.fail("list", "pods", 500, times=2)
        fake.fail("watch", "pods", 410)
        fake.compact()
        await start(hub, "grace")
        assert not await is_stopped(hub, "ada")
        await stop(hub, "ada")


async def test_a_slow_api_is_asked_again(fake_kube: Fake) -> None:
    fake, kube = fake_kube
    fake.slow("create", "pods", 2)
    async with hub_on(kube, {"KubeSpawner": {"k8s_api_request_timeout": 1}}) as hub:
        await start(hub, "ada")
        await stop(hub, "ada")


@pytest.mark.parametrize("status", [403, 429, 500])
async def test_an_api_that_refuses_a_pod_leaves_no_server_behind_and_the_next_start_works(
    fake_kube: Fake, status: int
) -> None:
    fake, kube = fake_kube
    async with hub_on(kube) as hub:
        fake.fail("create", "pods", status, message='pods "jupyter-ada" is forbidden: exceeded quota: all', times=1)
        reply = await hub.api("POST", "users/ada/server", user="ada", json={})
        assert reply.status >= 400
        assert await is_stopped(hub, "ada")
        assert Call("hub", "create", "pods", status) in fake.calls
        await start(hub, "ada")
        await stop(hub, "ada")
