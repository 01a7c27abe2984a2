"""What `hub-extensions render` prints is a pod that Kubernetes takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hub_extensions.rendering import pod_manifest
from hub_extensions.z2jh import kubespawner_config

from ..corpus import hubs, requests_of, values_of

if TYPE_CHECKING:
    from .access import KubeClient

EXAMPLE = Path(__file__).parents[2] / "examples" / "z2jh" / "values.yaml"
# The chart makes it with the release; a pod that names a class that is not there is turned away.
PRIORITY_CLASS = {"metadata": {"name": "release-name-default-priority"}, "value": 0}


@pytest.fixture(scope="module", autouse=True)
async def _priority_class(admin: KubeClient) -> None:
    await admin.call("POST", "/apis/scheduling.k8s.io/v1/priorityclasses", PRIORITY_CLASS)


@pytest.mark.parametrize("file", [pytest.param(EXAMPLE, id="example"), *hubs()])
async def test_kubernetes_takes_the_pod_of_every_profile_and_choice(admin: KubeClient, file: Path) -> None:
    values = values_of(file)
    for request in requests_of(values):
        pod = await pod_manifest(kubespawner_config(values), "Ada.Lovelace@x.org", request.groups, request.options)
        answer = await admin.call("POST", "pods", pod, dryRun="All")
        assert answer.status == 201, (request, answer.body.get("message"))
