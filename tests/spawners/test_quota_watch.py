"""A real hub whose servers run while their owners' quotas are used up: who is told, and whose server stops when."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from hub_extensions.ledger import Ledger
from hub_extensions.pages import PageContext
from hub_extensions.share import TEMPLATES
from hub_extensions.spawners.local import ProfileLocalSpawner
from hub_extensions.spawners.quota_watch import QUOTA_NOTICE

from ..hub import InMemoryProxy, running_hub
from ..kube.people import eventually
from .test_doors import COMMAND
from .test_quotas import used

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ..hub import RunningHub

PROFILES = [
    {"display_name": "Sized", "slug": "sized", "kubespawner_override": {"mem_limit": "1G"}},
    {"display_name": "Sizeless", "slug": "sizeless"},
]
QUOTAS = [
    {"groups": ["stops"], "resource": "memory", "limit": "100 GiB-hours", "window": "7 days", "when_spent": "stop",
     "grace": "20 minutes"},
    {"groups": ["refuses"], "resource": "memory", "limit": "100 GiB-hours", "window": "7 days"},
]  # fmt: skip


class Watched(ProfileLocalSpawner):
    """The spawner, which looks more often."""

    shortest_look = timedelta(seconds=0.1)
    longest_look = timedelta(seconds=0.1)


class SlowProxy(InMemoryProxy):
    """Holds back the removal of routes when told so; the first of them says that it has come."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.open, self.asked = asyncio.Event(), asyncio.Event()
        self.open.set()

    async def delete_route(self, routespec: str) -> None:
        self.asked.set()
        await self.open.wait()
        await super().delete_route(routespec)


@pytest.fixture(scope="module")
async def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    found = Ledger(f"sqlite:///{tmp_path_factory.mktemp('ledger')}/usage.sqlite")
    found.migrate()
    return found


@pytest.fixture(scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory, ledger: Ledger) -> AsyncIterator[RunningHub]:
    config = {
        "JupyterHub": {
            "spawner_class": Watched,
            "proxy_class": SlowProxy,
            "template_paths": [str(TEMPLATES)],
            "template_vars": {"hub_extensions": PageContext("Hub")},
        },
        "UsageLedger": {"database": str(ledger.engine.url)},
        "Watched": {
            "profile_list": PROFILES,
            "quotas": QUOTAS,
            "cmd": COMMAND,
            "home_dir_template": str(tmp_path_factory.mktemp("homes") / "{username}"),
        },
    }
    async with running_hub(config) as running:
        yield running


async def started(hub: RunningHub, name: str, group: str, profile: str = "sized") -> Any:
    hub.user(name, groups=(group,))
    reply = await hub.api("POST", f"users/{name}/server", user=name, json={"profile": profile})
    assert reply.status in (201, 202), reply.text
    spawner = hub.app.users[name].spawners[""]

    async def is_ready() -> bool:
        return bool(spawner.ready)

    await eventually(is_ready, "the server is ready")
    return spawner


async def told(spawner: Any, words: str) -> None:
    async def is_told() -> bool:
        return words in spawner.quota_notice if words else not spawner.quota_notice

    await eventually(is_told, f"the owner is told {words!r}, not {spawner.quota_notice!r}")


async def ended_by_the_quota(ledger: Ledger, name: str, session: str) -> None:
    async def is_recorded() -> bool:
        rows = ledger.sessions("hub", datetime(2000, 1, 1, tzinfo=UTC), datetime.now(UTC), users=[name])
        return [row.end_reason for row in rows if row.id == session] == ["quota"]

    await eventually(is_recorded, "the ledger says that the quota ended it")


async def test_the_owner_is_told_in_time_and_the_server_stops_after_the_grace(hub: RunningHub, ledger: Ledger) -> None:
    heard: list[dict[str, Any]] = []

    async def listener(logger: Any, schema_id: str, data: dict[str, Any]) -> None:
        if schema_id == QUOTA_NOTICE:
            heard.append(data)

    used(ledger, "ada", 8.5)
    spawner = await started(hub, "ada", "stops")
    await told(spawner, "14.9")  # the little that it has used is cut off what is left
    hub.app.eventlog.add_listener(schema_id=QUOTA_NOTICE, listener=listener)
    home = (await (await hub.login("ada")).get("home")).text
    assert "14.9 of 100 GiB-hours of memory left" in home
    used(ledger, "ada", 1.5)
    await told(spawner, "Your server stops at")
    assert "You have used 100 of the 100 GiB-hours" in spawner.quota_notice
    home = (await (await hub.login("ada")).get("home")).text
    assert "save your work" in home
    left = spawner.quota_stops_at - datetime.now(UTC)
    assert timedelta(minutes=19) < left <= timedelta(minutes=20)
    assert spawner.ready
    assert [(each["username"], each["stops_at"]) for each in heard] == [("ada", spawner.quota_stops_at.isoformat())]
    # A hub that is started again knows when the grace ends.
    assert spawner.orm_spawner.state["quota_stops_at"] == spawner.quota_stops_at.isoformat()
    session = spawner.session.id
    spawner.quota_stops_at = datetime.now(UTC)

    async def is_stopped() -> bool:
        return not spawner.active

    await eventually(is_stopped, "the server is stopped")
    await told(spawner, "")
    assert spawner.quota_stops_at is None
    assert "quota_stops_at" not in (spawner.orm_spawner.state or {})
    await ended_by_the_quota(ledger, "ada", session)
    assert (await hub.api("POST", "users/ada/server", user="ada", json={"profile": "sized"})).status == 403


async def test_who_stops_a_server_that_a_quota_stops_already_reads_that_it_is_stopping(
    hub: RunningHub, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    used(ledger, "eve", 12)
    spawner = await started(hub, "eve", "later")
    session = spawner.session.id
    proxy = hub.app.proxy
    proxy.asked.clear()
    proxy.open.clear()
    try:
        spawner.quota_stops_at = datetime.now(UTC)
        hub.user("eve", groups=("stops",))
        async with asyncio.timeout(20):
            await proxy.asked.wait()
        reply = await hub.api("DELETE", "users/eve/server", user="eve")
        assert reply.status == 202, reply.text
    finally:
        proxy.open.set()

    async def is_stopped() -> bool:
        return not spawner.active and spawner._ending is None

    await eventually(is_stopped, "the server is stopped")
    await ended_by_the_quota(ledger, "eve", session)
    assert "cannot be stopped" not in caplog.text


async def test_who_gets_something_back_before_the_grace_ends_goes_on(hub: RunningHub, ledger: Ledger) -> None:
    used(ledger, "bo", 9.9)
    spawner = await started(hub, "bo", "stops")
    used(ledger, "bo", 0.1)
    await told(spawner, "Your server stops at")
    with sqlite3.connect(ledger.engine.url.database or "") as database:
        database.execute("DELETE FROM sessions WHERE user_name = 'bo' AND ended_at IS NOT NULL")
    await told(spawner, "")
    assert spawner.quota_stops_at is None
    assert "quota_stops_at" not in spawner.orm_spawner.state
    assert spawner.ready
    await hub.api("DELETE", "users/bo/server")


async def test_a_limit_that_only_refuses_stops_nothing(hub: RunningHub, ledger: Ledger) -> None:
    used(ledger, "cy", 9.9)
    spawner = await started(hub, "cy", "refuses")
    used(ledger, "cy", 0.2)
    await told(spawner, "0 of 100 GiB-hours of memory left")
    assert spawner.quota_stops_at is None
    assert spawner.ready
    await hub.api("DELETE", "users/cy/server")


async def test_a_server_that_uses_nothing_of_the_limit_is_left_alone(hub: RunningHub, ledger: Ledger) -> None:
    used(ledger, "di", 12)
    spawner = await started(hub, "di", "stops", "sizeless")
    await eventually(lambda: _has_looked(spawner), "the hub has looked")
    assert spawner.quota_notice == ""
    await hub.api("DELETE", "users/di/server")


async def _has_looked(spawner: Any) -> bool:
    looked = await spawner._look(datetime.now(UTC))
    return bool(looked)
