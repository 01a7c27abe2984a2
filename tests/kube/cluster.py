"""A namespace of a Kubernetes API with a node that runs its pods, and a real hub that spawns into it."""

from __future__ import annotations

import asyncio
import copy
import sys
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubernetes_asyncio.config import kube_config
from kubespawner import KubeSpawner
from kubespawner.clients import load_config
from traitlets.config import Config

from ..hub import running_hub
from .background import loop_thread
from .node import Node

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from ..hub import RunningHub
    from .access import Access, Call
    from .apiserver import ApiServer
    from .fake_api import FakeApi

NAMESPACE = "hub"
SPAWNER = "hub_extensions.spawners.kube.ProfileKubeSpawner"
QUICK_SERVER = [sys.executable, "-I", str(Path(__file__).with_name("quick_server.py"))]


@dataclass(frozen=True)
class Cluster:
    """`api` is the fake or the real one; `kubeconfig` is a file with the hub's limited token."""

    api: FakeApi | ApiServer
    folder: Path
    kubeconfig: Path

    @property
    def admin(self) -> Access:
        return self.api.access("admin")

    def calls_of_hub(self) -> list[Call]:
        """What the hub has asked of this API so far."""
        return [call for call in self.api.calls if call.user == "hub"]

    def log(self, pod: str) -> str:
        """What the pod's process has written."""
        return (self.folder / f"{pod}.log").read_text()


@contextmanager
def cluster(api: FakeApi | ApiServer, folder: Path) -> Iterator[Cluster]:
    """Add a node to the API; its processes end with it."""
    kubeconfig = api.access("hub").write_kubeconfig(folder / "kubeconfig")
    with loop_thread() as thread:
        asyncio.run_coroutine_threadsafe(Node(api.access("admin"), folder).run(), thread.loop)
        yield Cluster(api, folder, kubeconfig)


@asynccontextmanager
async def hub_on(kube: Cluster, config: dict[str, Any] | Config | None = None) -> AsyncIterator[RunningHub]:
    """Run a hub that spawns quick servers into the cluster, with `config` on top."""
    settings = Config(
        {
            "JupyterHub": {"spawner_class": SPAWNER, "tornado_settings": {"slow_spawn_timeout": 30}},
            "KubeSpawner": {
                "namespace": NAMESPACE,
                "image": "example.org/quick:1",
                "cmd": QUICK_SERVER,
                "poll_interval": 1,
                "start_timeout": 30,
                "storage_pvc_ensure": True,
                "storage_capacity": "1Gi",
                "storage_access_modes": ["ReadWriteOnce"],
                "storage_class": "standard",
            },
        }
    )
    settings.merge(Config(copy.deepcopy(config or {})))
    with _kubeconfig(kube.kubeconfig):
        try:
            async with running_hub(settings) as hub:
                yield hub
        finally:
            await KubeSpawner._stop_all_reflectors()
            await _close_clients()


@contextmanager
def _kubeconfig(path: Path) -> Iterator[None]:
    """Have KubeSpawner read that file: the variable KUBECONFIG is read at import only, and the result is cached."""
    before = kube_config.KUBE_CONFIG_DEFAULT_LOCATION
    kube_config.KUBE_CONFIG_DEFAULT_LOCATION = str(path)
    load_config.cache_clear()
    try:
        yield
    finally:
        kube_config.KUBE_CONFIG_DEFAULT_LOCATION = before
        load_config.cache_clear()


async def _close_clients() -> None:
    """KubeSpawner keeps a client per event loop, in a task that closes it when cancelled."""
    tasks = [task for task in asyncio.all_tasks() if "close_client_task" in repr(task.get_coro())]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
