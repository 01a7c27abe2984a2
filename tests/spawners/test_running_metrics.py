"""The gauge of running servers at a real hub's `/hub/metrics`."""

import re
import sys

from ..hub import running_hub
from ..kube.people import eventually

CONFIG = {
    "JupyterHub": {"spawner_class": "profile-local"},
    "ProfileLocalSpawner": {
        "cmd": [sys.executable, "-m", "jupyterhub.tests.mocksu"],
        "profile_list": [{"display_name": "Small", "slug": "small"}, {"display_name": "Big", "slug": "big"}],
        "communities": {"ocean-lab": "Ocean Lab"},
    },
}


async def running(hub):
    text = (await hub.api("GET", "../metrics")).text
    found = re.findall(r"^hub_extensions_running_servers\{(.*)\} (\S+)$", text, re.M)
    return {labels: float(value) for labels, value in found}


async def shown(hub, expected):
    async def is_shown():
        return await running(hub) == expected

    await eventually(is_shown, f"the gauge shows {expected}")


async def test_what_runs_is_told_by_community_and_profile_from_start_to_stop():
    async with running_hub(CONFIG) as hub:
        for name, groups in {"ada": ("ocean-lab",), "bo": ("ocean-lab",), "cy": ()}.items():
            hub.user(name, groups=groups)
        assert await running(hub) == {}
        for name, profile in {"ada": "small", "bo": "big", "cy": "small"}.items():
            await hub.api("POST", f"users/{name}/server", json={"profile": profile})
        await shown(
            hub,
            {
                'community="ocean-lab",profile="small"': 1,
                'community="ocean-lab",profile="big"': 1,
                'community="",profile="small"': 1,
            },
        )
        await hub.api("DELETE", "users/bo/server")
        await shown(
            hub,
            {
                'community="ocean-lab",profile="small"': 1,
                'community="",profile="small"': 1,
            },
        )
