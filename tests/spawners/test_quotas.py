"""A real hub whose ledger holds what people have used: who may still start a server, and what the page tells them."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from traitlets import TraitError
from traitlets.config import Config

from hub_extensions.end_reasons import EndReason
from hub_extensions.ledger import Ledger, UsageLedger
from hub_extensions.ledger.lookup import Lookup
from hub_extensions.ledger.metrics import UNCOUNTED_STARTS
from hub_extensions.sessions import GIB, HOUR, Session
from hub_extensions.spawners.local import ProfileLocalSpawner

from ..hub import running_hub
from ..kube.people import eventually
from .test_doors import COMMAND, DOORS, Place, named, place, sentence, server_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from ..hub import Reply
    from .test_doors import Door

LARGE = {"mem_limit": "32G", "mem_guarantee": "16G", "cpu_limit": 4}
PROFILES = [
    {
        "display_name": "Ocean analysis",
        "slug": "ocean",
        "kubespawner_override": {"mem_limit": "2G"},
        "profile_options": {
            "size": {
                "display_name": "Size",
                "choices": {
                    "small": {"display_name": "Small", "kubespawner_override": {"mem_limit": "4G"}},
                    "large": {"display_name": "Large", "kubespawner_override": LARGE},
                },
            },
            "image": {"display_name": "Image", "choices": {"py": {"display_name": "Python"}}},
        },
    },
    {"display_name": "Tiny", "slug": "tiny", "kubespawner_override": {"mem_limit": "512M"}},
    {"display_name": "Computed", "slug": "computed", "kubespawner_override": {"mem_limit": lambda spawner: "1G"}},
    {"display_name": "Unlimited", "slug": "unlimited"},
    {
        "display_name": "GPU",
        "slug": "gpu",
        "kubespawner_override": {"extra_resource_limits": {"nvidia.com/gpu": "1"}},
    },
]
QUOTAS = [
    {"groups": ["ocean-lab"], "resource": "memory", "limit": "100 GiB-hours", "window": "7 days"},
    {"communities": ["desert-lab"], "resource": "hours", "limit": "5 hours", "window": "30 days"},
    {"users": ["gus"], "resource": "gpu", "limit": "10 GPU-hours", "window": "30 days"},
]


def used(ledger: Ledger, user_name: str, hours: float, *, ended: float = 1, **given: Any) -> None:
    """Put a server of 10 GiB into the ledger, which ended so many hours ago."""
    end = datetime.now(UTC) - ended * HOUR
    values = {"hub": "hub", "user_name": user_name, "memory_guarantee": 10 * GIB, **given}
    session = Session(id=uuid4().hex, ready_at=end - hours * HOUR, **values)
    ledger.open(session)
    ledger.close(session.id, end, "stopped")


@pytest.fixture(scope="module")
async def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    found = Ledger(f"sqlite:///{tmp_path_factory.mktemp('ledger')}/usage.sqlite")
    found.migrate()
    used(found, "ada", 12)
    used(found, "ada@example.org", 12)
    used(found, "Bo", 12)
    used(found, "other", 12, hub="another")
    used(found, "low", 9, server_name="second")
    used(found, "gus", 12, gpus=1)
    used(found, "two", 6, community="desert-lab", memory_guarantee=GIB)
    return found


@pytest.fixture(scope="module", params=["local", "kube"])
async def at(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, ledger: Ledger
) -> AsyncIterator[Place]:
    folder = tmp_path_factory.mktemp("homes")
    traits = {"profile_list": PROFILES, "quotas": QUOTAS, "service_users": ["Robot"]}
    async with place(request.param, folder, str(ledger.engine.url), **traits) as running:
        for name in ("ada", "ad", "ada2", "ada@example.org", "bo", "other", "low", "robot"):
            running.hub.user(name, groups=("Ocean-Lab",))
        running.hub.user("gus")
        running.hub.user("two", groups=("ocean-lab", "desert-lab"))
        running.hub.user("admin", admin=True)
        used(ledger, "robot", 12)
        yield running


async def start(at: Place, name: str, options: dict[str, str]) -> Reply:
    return await at.hub.api("POST", f"users/{name}/server", user=name, json=options)


@pytest.mark.parametrize("door", DOORS, ids=named)
async def test_who_has_used_all_is_refused_at_every_door(door: Door, at: Place) -> None:
    before = at.started()
    reply = await door(at, {"profile": "ocean", "size": "small"})
    assert reply.status < 500
    assert re.fullmatch(
        r"(Error: )?You have used 120 of the 100 GiB-hours of memory that you may use, counted over the last 7 days\. "
        r"There will be some again from \d+ \w+ \d{4}, \d\d:\d\d \(UTC\)\.",
        sentence(reply),
    ), reply.text[:2000]
    assert at.started() == before
    assert at.hub.app.tornado_settings.get("failure_count", 0) <= 0
    # What was asked for is allowed in itself, and is kept for when there is something left.
    assert at.saved("ada", server_of(door)) == {"profile": "ocean", "size": "small", **at.saved("ada", server_of(door))}


async def test_the_refusal_by_rest_says_that_it_is_one(at: Place) -> None:
    reply = await start(at, "ada", {"profile": "ocean"})
    assert reply.status == 403


async def test_names_that_begin_alike_or_differ_in_case_are_other_people(at: Place) -> None:
    for name in ("ad", "ada2", "bo", "other"):
        reply = await start(at, name, {"profile": "tiny"})
        assert reply.status in (201, 202), reply.text
        await at.stop(name)
    assert (await start(at, "ada@example.org", {"profile": "tiny"})).status == 403


async def test_service_users_and_people_without_a_quota_are_not_counted(at: Place) -> None:
    for name in ("robot", "admin"):
        assert (await start(at, name, {"profile": "tiny"})).status in (201, 202)
        await at.stop(name)


async def test_only_what_the_server_would_use_refuses_it(at: Place) -> None:
    # gus has no GPU-hours left, and a server without a GPU needs none.
    reply = await start(at, "gus", {"profile": "tiny"})
    assert reply.status in (201, 202), reply.text
    await at.stop("gus")
    if at.kube:  # where servers are pods, and can have a GPU
        assert "12 of the 10 GPU-hours" in (await start(at, "gus", {"profile": "gpu"})).text
        assert "Uses 1 GPU-hour an hour" in await page(at, "gus")
    # A server that is given no memory of its own is not counted in GiB-hours.
    if at.kube is None:
        assert (await start(at, "ada", {"profile": "unlimited"})).status == 201
        await at.stop("ada")


async def test_a_limit_of_a_community_holds_for_servers_that_count_for_it(at: Place) -> None:
    refused = await start(at, "two", {"profile": "tiny", "community": "desert-lab"})
    assert "6 of the 5 hours of running servers for Desert Lab" in refused.text
    reply = await start(at, "two", {"profile": "tiny", "community": "ocean-lab"})
    assert reply.status in (201, 202), reply.text
    await at.stop("two")


async def test_a_running_server_counts_and_one_whose_end_nobody_saw_does_not(at: Place, ledger: Ledger) -> None:
    running, killed = (f"{name}-{at.kube is None}" for name in ("running", "killed"))
    at.hub.user(running, groups=("ocean-lab",))
    assert (await start(at, running, {"profile": "tiny"})).status in (201, 202)
    spawner = at.hub.app.users[running].spawners[""]

    async def is_recorded() -> bool:
        return spawner.session.id in {s.id for s in ledger.sessions("hub", long_ago(), datetime.now(UTC))}

    await eventually(is_recorded, "the start is in the ledger")
    with sqlite3.connect(ledger.engine.url.database or "") as database:
        database.execute(
            "UPDATE sessions SET ready_at = datetime('now', '-30 hours'), memory_guarantee = ? WHERE id = ?",
            (10 * GIB, spawner.session.id),
        )
    second = await at.hub.api("POST", f"users/{running}/servers/second", user=running, json={"profile": "tiny"})
    assert second.status == 403
    assert "300 of the 100 GiB-hours" in second.text
    # As after the hub was killed together with the server: the row stays open.
    at.hub.user(killed, groups=("ocean-lab",))
    ledger.open(
        Session(id=uuid4().hex, hub="hub", user_name=killed, memory_guarantee=10 * GIB, ready_at=long_ago(),
                last_seen_at=long_ago() + HOUR)
    )  # fmt: skip
    assert (await start(at, killed, {"profile": "tiny"})).status in (201, 202)
    await at.stop(killed)
    await at.stop(running)


def long_ago() -> datetime:
    return datetime.now(UTC) - 40 * HOUR


async def page(at: Place, name: str) -> str:
    text = (await (await at.browser(name)).get("spawn")).text
    return re.sub(r"\s+", " ", text)


async def test_the_page_says_what_is_left_and_what_a_choice_uses(at: Place) -> None:
    text = await page(at, "low")
    assert (
        '<p class="hub-quota alert alert-warning">'
        "10 of 100 GiB-hours of memory left, counted over the last 7 days.</p>" in text
    )
    assert "Uses 4 GiB-hours an hour" in text
    assert "Uses 16 GiB-hours an hour" in text
    assert "Uses 0.5 GiB-hours an hour" in text
    assert text.count("GiB-hours an hour") == 3  # none beside images, nor where the size is not known yet


async def test_the_page_of_people_without_a_quota_says_nothing_of_it(at: Place) -> None:
    for name in ("admin", "robot"):
        text = await page(at, name)
        assert "Ocean analysis" in text
        assert "hub-quota" not in text
        assert "an hour" not in text


async def test_a_ledger_that_is_away_refuses_nobody_and_is_counted_and_the_page_says_so(tmp_path: Path) -> None:
    (tmp_path / "usage.sqlite").mkdir()
    before_start = datetime.now(UTC)
    before = UNCOUNTED_STARTS._value.get()
    config = {
        "JupyterHub": {"spawner_class": "profile-local"},
        "UsageLedger": {"database": f"sqlite:///{tmp_path}/usage.sqlite"},
        "ProfileLocalSpawner": {
            "profile_list": PROFILES,
            "quotas": QUOTAS,
            "cmd": COMMAND,
            "home_dir_template": str(tmp_path / "{username}"),
        },
    }
    async with running_hub(config) as hub:
        hub.user("ada", groups=("ocean-lab",))
        text = (await (await hub.login("ada")).get("spawn")).text
        assert "How much is left is not known just now" in text
        assert "Uses 4 GiB-hours an hour" in text
        assert (await hub.api("POST", "users/ada/server", user="ada", json={"profile": "tiny"})).status == 201
        assert UNCOUNTED_STARTS._value.get() == before + 1
        assert "hub_extensions_quota_uncounted_starts_total" in (await hub.api("GET", "../metrics")).text
        await hub.api("DELETE", "users/ada/server")
    # The database comes back; start and stop have waited for it.
    (tmp_path / "usage.sqlite").rmdir()
    assert await asyncio.to_thread(UsageLedger(config=Config(config)).flush, 30)
    [session] = Ledger(config["UsageLedger"]["database"]).sessions("hub", before_start, datetime.now(UTC))
    assert (session.user_name, session.end_reason) == ("ada", EndReason.BY_ADMIN)


async def test_without_profiles_quotas_hold_too_by_what_the_operator_s_hooks_have_set(
    tmp_path: Path, ledger: Ledger
) -> None:
    async def sized(spawner: Any) -> None:
        if spawner.user.name == "small":
            spawner.mem_limit = "1G"

    config = {
        "JupyterHub": {"spawner_class": "profile-local"},
        "UsageLedger": {"database": str(ledger.engine.url)},
        "ProfileLocalSpawner": {
            "quotas": [{"resource": "memory", "limit": "0.5 GiB-hours", "window": "7 days"}],
            "pre_spawn_hook": sized,
            "cmd": COMMAND,
            "home_dir_template": str(tmp_path / "{username}"),
        },
    }
    for name in ("small", "sizeless"):
        used(ledger, name, 1, ended=0)
    async with running_hub(config) as hub:
        reply = await hub.api("POST", "users/small/server", user="small")
        assert (reply.status, "0.5 GiB-hours" in reply.text) == (403, True)
        assert (await hub.api("POST", "users/sizeless/server", user="sizeless")).status == 201
        await hub.api("DELETE", "users/sizeless/server")


async def test_a_ledger_that_hangs_holds_up_nobody_for_long_and_the_hub_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "usage.sqlite"
    ledger = Ledger(f"sqlite:///{file}")
    ledger.migrate()
    lookup = Lookup(str(ledger.engine.url), timeout=0.5, rest=0.3)
    ticks = 0

    async def ask(counting: Callable[[list[Session]], int]) -> int | None:
        return await lookup.count("hub", "ada", long_ago(), datetime.now(UTC), counting)

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    ticking = asyncio.create_task(tick())
    blocker = sqlite3.connect(file, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")  # migrating asks for the lock that this holds
    began = time.monotonic()
    assert await ask(len) is None
    assert ticks > 5
    blocker.rollback()
    assert await ask(len) is None  # it is left alone for a while
    await asyncio.sleep(0.3)
    assert await ask(len) == 0
    assert time.monotonic() - began < 30
    assert await ask(lambda sessions: 1 // len(sessions)) is None  # nor is a mistake in the counting
    ticking.cancel()
    blocker.close()


async def test_sessions_of_a_person_are_found_by_an_index(ledger: Ledger) -> None:
    with sqlite3.connect(ledger.engine.url.database or "") as database:
        plan = database.execute(
            "EXPLAIN QUERY PLAN SELECT * FROM sessions WHERE hub = 'hub' AND ready_at < '2027' AND "
            "(ended_at IS NULL OR ended_at > '2026') AND user_name IN ('ada') ORDER BY ready_at DESC, id LIMIT 100"
        ).fetchall()
    assert "sessions_by_user" in str(plan)


@pytest.mark.parametrize(
    ("trait", "value", "words"),
    [
        ("quotas", [{"resource": "memory", "limit": "5 apples", "window": "day"}], r"\[0\]\.limit: expected an amount"),
        ("quotas", [{"resource": "cpu", "limit": "5 CPU-hours"}], r"\[0\]\.window: is required"),
    ],
)
def test_wrong_quotas_stop_the_start_in_words(trait: str, value: Any, words: str) -> None:
    with pytest.raises(TraitError, match=words):
        ProfileLocalSpawner(config=Config({"ProfileSpawner": {trait: value}}))


async def test_the_server_of_a_program_is_counted_nowhere(at: Place, ledger: Ledger) -> None:
    begin = datetime.now(UTC)
    for name in ("robot", "ad"):
        assert (await start(at, name, {"profile": "tiny"})).status in (201, 202)
        await at.stop(name)
    recent = [session for session in ledger.sessions("hub", begin, begin + HOUR) if session.ready_at >= begin]
    assert {session.user_name for session in recent} == {"ad"}
