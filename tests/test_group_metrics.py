"""The gauges of groups at a real hub's `/hub/metrics`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from hub_extensions.group_metrics import LARGEST

from .hub import running_hub

if TYPE_CHECKING:
    from .hub import Hub

CONFIGS = {
    "profile-local": {"JupyterHub": {"spawner_class": "profile-local"}},
    "community-dummy": {
        "JupyterHub": {"authenticator_class": "community-dummy"},
        "CommunityDummyAuthenticator": {"allow_all": True},
    },
}


async def scraped(hub: Hub) -> dict[str, float]:
    text = (await hub.api("GET", "../metrics")).text
    return {
        name: float(value) for name, value in re.findall(r"^(hub_extensions_group\S*?(?:\{.*?\})?) (\S+)$", text, re.M)
    }


@pytest.mark.parametrize("plugin", CONFIGS)
async def test_sizes_of_groups_are_told_by_either_plugin_alone(plugin: str) -> None:
    async with running_hub(CONFIGS[plugin]) as hub:
        hub.user("ada", groups=("ocean", 'quote"d'))
        hub.user("bo", groups=("ocean",))
        hub.user("cy")
        if plugin == "profile-local":
            await (await hub.login("ada")).get("home")
        before = await scraped(hub)
        assert before['hub_extensions_group_members{group="ocean"}'] == 2
        assert before['hub_extensions_group_members{group="quote\\"d"}'] == 1
        assert (before["hub_extensions_groups"], before["hub_extensions_group_memberships"]) == (2, 3)
        await hub.api("DELETE", "groups/ocean/users", json={"users": ["ada"]})
        assert (await scraped(hub))['hub_extensions_group_members{group="ocean"}'] == 1


async def test_many_groups_do_not_make_many_series() -> None:
    async with running_hub(CONFIGS["community-dummy"]) as hub:
        hub.user("ada", groups=tuple(f"team-{number:04}" for number in range(LARGEST + 50)))
        hub.user("bo", groups=("team-0249",))
        found = await scraped(hub)
        members = {name: size for name, size in found.items() if "members{" in name}
        assert len(members) == LARGEST + 1
        assert members['hub_extensions_group_members{group="team-0249"}'] == 2
        assert members['hub_extensions_group_members{group="(others)"}'] == 50
        assert sum(members.values()) == found["hub_extensions_group_memberships"] == LARGEST + 51
