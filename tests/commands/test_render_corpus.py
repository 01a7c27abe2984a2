"""Pods of real hubs can be rendered: every profile, every choice."""

from pathlib import Path

import pytest

from hub_extensions.rendering import RenderingError, pod_manifest
from hub_extensions.z2jh import kubespawner_config

from ..corpus import hubs, profiles_of, requests_of, values_of


@pytest.mark.parametrize("file", hubs())
async def test_every_profile_and_choice_of_a_hub_comes_to_a_pod_with_an_image(file: Path) -> None:
    values = values_of(file)
    for request in requests_of(values):
        pod = await pod_manifest(kubespawner_config(values), "ada", request.groups, request.options)
        assert pod["metadata"]["name"] == "jupyter-ada", request
        assert pod["spec"]["containers"][0]["image"], request


@pytest.mark.parametrize("file", hubs())
async def test_a_profile_for_groups_is_refused_to_someone_of_none(file: Path) -> None:
    values = values_of(file)
    for profile in profiles_of(values):
        if profile.allowed_groups:
            with pytest.raises(RenderingError):
                await pod_manifest(kubespawner_config(values), "ada", (), {"profile": profile.name})
