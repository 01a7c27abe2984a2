"""A real hub whose servers end in every way that there is: the ledger says why, once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from hub_extensions.end_reasons import EndReason
from hub_extensions.ledger import Ledger

from ..hub import InMemoryProxy, running_hub
from ..kube.access import kube_client
from ..kube.people import eventually, is_stopped
from ..small_server import SMALL_SERVER
from .test_doors import Place, place

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from hub_extensions.sessions import Session


@pytest.fixture(scope="module", params=["local", "kube"])
async def at(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    folder = tmp_path_factory.mktemp("homes")
    traits = {"profile_list": [], "cmd": [sys.executable, "-I", "-c", SMALL_SERVER], "poll_interval": 1}
    if request.param == "kube":
        traits["extra_pod_config"] = {"restartPolicy": "Never"}
    async with place(request.param, folder, f"sqlite:///{folder}/usage.sqlite", **traits) as running:
        running.hub.user("admin", admin=True)
        yield running


def rows(at: Place, user_name: str) -> list[Session]:
    ledger = Ledger(at.hub.app.config.UsageLedger.database)
    ledger.migrate()  # the hub does so with its first write
    far = timedelta(days=1)
    return ledger.sessions("hub", datetime.now(UTC) - far, datetime.now(UTC) + far, users=[user_name])


async def start(at: Place, name: str) -> None:
    reply = await at.hub.api("POST", f"users/{name}/server", user=name, json={})
    assert reply.status in (201, 202), reply.text

    async def is_recorded() -> bool:
        return [each.ended_at for each in rows(at, name)][:1] == [None]

    await eventually(is_recorded, "the server runs, and is in the ledger")


async def end_of(at: Place, name: str) -> str:
    await eventually(lambda: is_stopped(at.hub, name), f"the server of {name} stops")

    async def is_recorded() -> bool:
        return all(each.ended_at for each in rows(at, name))

    await eventually(is_recorded, "the end is in the ledger")
    [session] = rows(at, name)
    assert session.ready_at is not None
    assert session.ended_at is not None
    assert session.ready_at <= session.ended_at <= datetime.now(UTC)
    return session.end_reason


def process(at: Place, name: str) -> int:
    spawner = at.hub.app.users[name].spawners[""]
    home = spawner.pod_name if at.kube else name
    [file] = [file for file in at.folder.rglob("pid") if file.parent.name == home]
    return int(file.read_text())


async def test_who_stops_their_server_by_the_page_or_a_token_is_told_from_others(at: Place) -> None:
    for name, by in (("own-token", None), ("own-page", "page"), ("others", "admin")):
        await start(at, name)
        if by == "page":
            reply = await (await at.hub.login(name)).api("DELETE", f"users/{name}/server")
        else:
            reply = await at.hub.api("DELETE", f"users/{name}/server", user=by or name)
        assert reply.status in (202, 204), reply.text
        assert await end_of(at, name) == (EndReason.BY_ADMIN if by == "admin" else EndReason.BY_PERSON)


async def test_an_admin_who_deletes_a_person_stopped_their_server(at: Place) -> None:
    await start(at, "leaver")
    reply = await at.hub.api("DELETE", "users/leaver")
    assert reply.status == 204, reply.text
    await at.hub.api("POST", "users/leaver")
    assert await end_of(at, "leaver") == EndReason.BY_ADMIN


@pytest.mark.parametrize(("sent", "reason"), [(signal.SIGKILL, EndReason.CRASHED), (signal.SIGTERM, EndReason.ENDED)])
async def test_a_server_that_ends_by_itself(sent: signal.Signals, reason: EndReason, at: Place) -> None:
    name = f"by-itself-{sent}"
    await start(at, name)
    os.kill(process(at, name), sent)
    assert await end_of(at, name) == reason


async def test_who_stops_a_server_that_has_just_crashed_did_not_stop_it(at: Place) -> None:
    await start(at, "too-late")
    os.kill(process(at, "too-late"), signal.SIGKILL)
    spawner = at.hub.app.users["too-late"].spawners[""]

    async def is_told() -> bool:
        if not at.kube:
            return spawner.proc.poll() is not None
        pod = spawner.pod_reflector.pods.get(f"{spawner.namespace}/{spawner.pod_name}")
        return pod is None or pod["status"]["phase"] == "Failed"

    await eventually(is_told, "it can be known that it is gone")
    await at.hub.api("DELETE", "users/too-late/server", user="too-late")
    assert await end_of(at, "too-late") == EndReason.CRASHED


@pytest.mark.parametrize("at", ["kube"], indirect=True)
async def test_a_crash_is_a_crash_also_for_a_look_while_another_one_removes_the_pod(at: Place) -> None:
    await start(at, "looked-at-twice")
    spawner = at.hub.app.users["looked-at-twice"].spawners[""]
    spawner.stop_polling()

    def phase() -> str | None:
        pod = spawner.pod_reflector.pods.get(f"{spawner.namespace}/{spawner.pod_name}")
        return pod and pod["status"]["phase"]

    async def has_failed() -> bool:
        return phase() == "Failed"

    os.kill(process(at, "looked-at-twice"), signal.SIGKILL)
    await eventually(has_failed, "the hub can know of the crash")
    removing = asyncio.create_task(spawner.poll())
    while phase() and not removing.done():  # noqa: ASYNC110  # the first look waits for the same, more slowly
        await asyncio.sleep(0)
    await spawner.poll_and_notify()
    await removing
    assert await end_of(at, "looked-at-twice") == EndReason.CRASHED


@pytest.mark.parametrize("at", ["kube"], indirect=True)
async def test_a_pod_that_is_taken_away(at: Place) -> None:
    assert at.kube
    await start(at, "drained")
    async with kube_client(at.kube.admin) as admin:
        assert (await admin.call("DELETE", "pods/jupyter-drained")).status == 200
    assert await end_of(at, "drained") == EndReason.EVICTED


async def test_what_other_code_of_the_hub_stops_has_no_reason_but_that(at: Place) -> None:
    await start(at, "unknown")
    await at.hub.app.users["unknown"].stop()
    assert await end_of(at, "unknown") == EndReason.STOPPED


class BrokenProxy(InMemoryProxy):
    """Leads to the hub, and to nobody's server."""

    async def add_route(self, routespec: str, target: str, data: dict[str, Any]) -> None:
        if "user" in data:
            await asyncio.sleep(0.1)
            raise RuntimeError("this proxy is broken")
        await super().add_route(routespec, target, data)


async def test_a_server_to_which_the_proxy_does_not_lead_has_failed(tmp_path: Path) -> None:
    config = {
        "JupyterHub": {"spawner_class": "profile-local", "proxy_class": BrokenProxy},
        "UsageLedger": {"database": f"sqlite:///{tmp_path}/usage.sqlite"},
        "ProfileLocalSpawner": {
            "cmd": [sys.executable, "-I", "-c", SMALL_SERVER],
            "home_dir_template": f"{tmp_path}/{{username}}",
        },
    }
    async with running_hub(config) as hub:
        at = Place(hub, tmp_path, None, {}, {})
        await hub.api("POST", "users/ada/server", user="ada", json={})

        async def is_recorded() -> bool:
            return len(rows(at, "ada")) == 1

        await eventually(is_recorded, "the server was ready")
        assert await end_of(at, "ada") == EndReason.FAILED


@pytest.mark.parametrize(("service", "reason"), [("idle-culler", EndReason.CULLED), ("robot", EndReason.BY_ADMIN)])
async def test_what_services_stop(service: str, reason: EndReason, tmp_path: Path) -> None:
    config = {
        "JupyterHub": {
            "spawner_class": "profile-local",
            "services": [{"name": service, "api_token": "secret-of-a-service"}],
            "load_roles": [{"name": "stops", "scopes": ["delete:servers"], "services": [service]}],
        },
        "UsageLedger": {"database": f"sqlite:///{tmp_path}/usage.sqlite"},
        "ProfileLocalSpawner": {
            "cmd": [sys.executable, "-I", "-c", SMALL_SERVER],
            "home_dir_template": f"{tmp_path}/{{username}}",
        },
    }
    async with running_hub(config) as hub:
        at = Place(hub, tmp_path, None, {}, {})
        await start(at, "ada")
        reply = await hub.api("DELETE", "users/ada/server", token="secret-of-a-service")
        assert reply.status in (202, 204), reply.text
        assert await end_of(at, "ada") == reason
