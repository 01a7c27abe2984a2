"""The gauges of groups at a real hub's `/hub/metrics`."""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING

import pytest
from prometheus_client import generate_latest
from prometheus_client.registry import CollectorRegistry

from hub_extensions.group_metrics import GroupSizes
from hub_extensions.series import LARGEST

from .hub import running_hub

if TYPE_CHECKING:
    from .hub import RunningHub

CONFIGS = {
    "profile-local": {"JupyterHub": {"spawner_class": "profile-local"}},
    "community-dummy": {
        "JupyterHub": {"authenticator_class": "community-dummy"},
        "CommunityDummyAuthenticator": {"allow_all": True},
    },
}


def gauges(text: str) -> dict[str, float]:
    return {
        name: float(value) for name, value in re.findall(r"^(hub_extensions_group\S*?(?:\{.*?\})?) (\S+)$", text, re.M)
    }


async def scraped(hub: RunningHub) -> dict[str, float]:
    """What the hub tells once it has counted; the first scrape begins that."""
    until = time.monotonic() + 20
    while not (found := gauges((await hub.api("GET", "../metrics")).text)):
        assert time.monotonic() < until, "nothing is counted"
        await asyncio.sleep(0.05)
    return found


def counted(sizes: GroupSizes) -> dict[str, float]:
    """What is told after a count that begins now."""
    registry = CollectorRegistry()
    registry.register(sizes)
    generate_latest(registry)
    until = time.monotonic() + 20
    while sizes._counting and sizes._counting.is_alive():
        assert time.monotonic() < until
        time.sleep(0.01)
    return gauges(generate_latest(registry).decode())


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


@pytest.mark.parametrize("database", ["sqlite:///:memory:", "sqlite://", None])
async def test_who_leaves_a_group_is_not_counted_any_more(database: str | None) -> None:
    """In memory, where there is one connection for all or for each thread another, and in a file."""
    config = CONFIGS["community-dummy"]
    if database:
        config = {**config, "JupyterHub": {**config["JupyterHub"], "db_url": database}}
    async with running_hub(config) as hub:
        sizes = GroupSizes(fresh=0)
        hub.user("ada", groups=("ocean",))
        hub.user("bo", groups=("ocean",))
        sizes.follow(hub.app.db)
        assert counted(sizes)['hub_extensions_group_members{group="ocean"}'] == 2
        await hub.api("DELETE", "groups/ocean/users", json={"users": ["ada"]})
        assert counted(sizes)['hub_extensions_group_members{group="ocean"}'] == 1


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


async def test_everybody_is_counted_once_however_many_there_are() -> None:
    async with running_hub(CONFIGS["community-dummy"]) as hub:
        group = hub.user("person-0", groups=("all",)).groups[0]
        database = hub.app.db
        people = [type(hub.user("person-0"))(name=f"person-{number}") for number in range(1, 1_234)]
        database.add_all(people)
        group.users.extend(people)
        database.commit()
        for gone in people[400:700]:
            database.delete(gone)
        database.commit()
        sizes = GroupSizes(fresh=0, people_at_once=100)
        sizes.follow(database)
        assert counted(sizes)['hub_extensions_group_members{group="all"}'] == 934
