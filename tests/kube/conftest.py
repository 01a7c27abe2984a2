from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .access import kube_client
from .apiserver import ASSETS, MISSING, api_server
from .cluster import NAMESPACE, cluster, hub_on
from .fake_api import fake_api

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from ..hub import RunningHub
    from .access import KubeClient
    from .cluster import Cluster
    from .fake_api import FakeApi


@pytest.fixture(scope="session", params=["fake", "apiserver"])
def kube(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A namespace of a Kubernetes API: every test runs on the fake one and on the real one."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "fake":
        with fake_api(NAMESPACE) as fake, cluster(fake, folder) as running:
            yield running
        return
    assets = os.environ.get(ASSETS)
    if not assets:
        pytest.skip(MISSING)
    with api_server(Path(assets), folder, NAMESPACE) as real, cluster(real, folder) as running:
        yield running


@pytest.fixture(scope="module")
async def admin(kube: Cluster) -> AsyncIterator[KubeClient]:
    async with kube_client(kube.admin) as client:
        yield client


@pytest.fixture(scope="module")
async def hub(kube: Cluster) -> AsyncIterator[RunningHub]:
    async with hub_on(kube) as running:
        yield running


@pytest.fixture
def fake_kube(tmp_path: Path) -> Iterator[tuple[FakeApi, Cluster]]:
    """A fake API of the test's own, to switch faults on, and its cluster."""
    with fake_api(NAMESPACE) as fake, cluster(fake, tmp_path) as running:
        yield fake, running
