"""A real hub, its usage service and its servers, of which any may be killed: the ledger tells what ran, once."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests

from hub_extensions.end_reasons import EndReason
from hub_extensions.ledger import Ledger

from ..small_server import SMALL_SERVER
from .process_hub import Hub, free_ports, run_hub

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hub_extensions.sessions import Session

BEAT = 1.0


class Place:
    """Where a hub has its files, from one start of it to the next."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder = folder
        self.url = f"sqlite:///{folder}/usage.sqlite"
        self.ledger = Ledger(self.url)
        self.ledger.migrate()
        names = ("port", "hub_port", "proxy_port", "service_port")
        self.given: dict[str, Any] = {
            **dict(zip(names, free_ports(4), strict=True)),
            "base_url": "/deep/hub-a/",
            "cmd": [sys.executable, "-I", "-c", SMALL_SERVER],
            "beat_seconds": BEAT,
        }
        self.settings = {
            "usage": {"database": self.url, "url": f"http://127.0.0.1:{self.given['service_port']}"},
            **settings,
        }

    @contextlib.contextmanager
    def hub(self, **given: Any) -> Iterator[Hub]:
        all_given = {**self.given, "settings": self.settings, **given}
        with run_hub(
            self.folder, {}, config="watched_hub_config.py", has_service="usage" in self.settings, **all_given
        ) as hub:
            yield hub

    def rows(self, hub: str = "hub") -> list[Session]:
        now = datetime.now(UTC)
        return self.ledger.sessions(hub, now - timedelta(days=2), now + timedelta(days=2))

    def row(self, user_name: str) -> Session:
        [row] = [row for row in self.rows() if row.user_name == user_name]
        return row

    def end_servers(self) -> None:
        for file in self.folder.glob("homes/*/pid"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(file.read_text()), signal.SIGKILL)

    def kill_server(self, user_name: str) -> None:
        os.kill(int((self.folder / f"homes/{user_name}/pid").read_text()), signal.SIGKILL)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = Place(tmp_path)
    yield found
    found.end_servers()


def api(hub: Hub, method: str, path: str, token: str = "token-of-the-test", json: Any = None) -> requests.Response:
    return requests.request(
        method, f"{hub.url}hub/api/{path}", headers={"Authorization": f"token {token}"}, json=json, timeout=20
    )


def start(hub: Hub, name: str, options: Any = None) -> None:
    api(hub, "POST", f"users/{name}")
    assert api(hub, "POST", f"users/{name}/server", json=options or {}).status_code in (201, 202)
    until(lambda: "" in api(hub, "GET", f"users/{name}").json()["servers"], "the server runs")


def until(is_so: Callable[[], object], what: str, seconds: float = 25) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if is_so():
            return
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {seconds} seconds")


def is_recorded(place: Place, name: str) -> bool:
    return any(row.user_name == name for row in place.rows())


def seen_after(place: Place, name: str, moment: datetime) -> bool:
    seen = place.row(name).last_seen_at
    return seen is not None and seen > moment


def seen_from_now_on(place: Place, name: str) -> None:
    now = datetime.now(UTC)
    until(lambda: seen_after(place, name, now), f"the server of {name} is seen")


def test_a_running_server_is_seen_again_and_again(place: Place) -> None:
    with place.hub() as hub:
        start(hub, "ada")
        until(lambda: is_recorded(place, "ada"), "the start is in the ledger")
        seen_from_now_on(place, "ada")
        assert place.row("ada").ended_at is None


def test_only_who_may_read_all_of_it_is_told_what_runs(place: Place) -> None:
    with place.hub() as hub:
        start(hub, "ada")
        told = api(hub, "GET", "hub-extensions/servers").json()
        assert [(each["user_name"], each["server_name"]) for each in told["servers"]] == [("ada", "")]
        assert (told["hub"], told["ledger"]) == ("hub", True)
        assert told["servers"][0]["id"] == place.row("ada").id
        assert api(hub, "GET", "hub-extensions/servers", token="token-of-the-curious").status_code == 403
        assert requests.get(f"{hub.url}hub/api/hub-extensions/servers", timeout=20).status_code == 403
        assert hub.visitor("ada").get(f"{hub.url}hub/api/hub-extensions/servers", timeout=20).status_code == 403
        assert api(hub, "POST", "hub-extensions/servers").status_code in (403, 405)


def test_pages_of_usage_show_what_the_hub_announces_everywhere_and_follow_it(tmp_path: Path) -> None:
    """So they do with the names of profiles."""
    live = tmp_path / "live.yaml"
    before = "profiles: [{display_name: Land use, slug: land}]\n"
    live.write_text(f"{before}announcements: [{{text: Down on Tuesday}}, {{text: For the door, pages: [login]}}]")
    place = Place(tmp_path, live_file=str(live))
    with place.hub() as hub:
        ada = hub.visitor("ada")
        until(lambda: "Down on Tuesday" in ada.get(hub.service, timeout=20).text, "the announcement is shown")
        assert "For the door" not in ada.get(hub.service, timeout=20).text
        start(hub, "ada", {"profile": "land"})
        after = "profiles: [{display_name: Ice cores, slug: ice, aliases: [land]}, {display_name: Land, slug: soil}]\n"
        live.write_text(f"{after}announcements: [{{text: All is well}}]")
        until(lambda: "All is well" in ada.get(hub.service, timeout=20).text, "the new announcement is shown")
        assert "Down on Tuesday" not in ada.get(hub.service, timeout=20).text
        assert "Land use" in ada.get(hub.service, timeout=20).text  # her server keeps its profile, which is gone
        start(hub, "bo", {"profile": "ice"})
        bo = hub.visitor("bo")
        until(lambda: "Ice cores" in bo.get(hub.service, timeout=20).text, "the new profile is shown by its name")
    place.end_servers()


def test_a_hub_that_is_killed_and_comes_back_continues_the_rows_of_what_still_runs(place: Place) -> None:
    with place.hub() as hub:
        for name in ("stays", "dies"):
            start(hub, name)
        for name in ("stays", "dies"):
            until(lambda name=name: is_recorded(place, name), "the start is in the ledger")
        seen_from_now_on(place, "dies")
        before = {row.id for row in place.rows()}
        hub.process.kill()
        killed_at = datetime.now(UTC)
        hub.process.wait()
    place.kill_server("dies")
    time.sleep(3 * BEAT)
    with place.hub() as hub:
        until(lambda: place.row("dies").ended_at, "the one that died has an end")
        died = place.row("dies")
        assert died.end_reason == EndReason.HUB_AWAY
        assert died.ended_at is not None
        assert killed_at - timedelta(seconds=BEAT + 1) <= died.ended_at <= killed_at
        back_at = datetime.now(UTC)
        until(lambda: seen_after(place, "stays", back_at), "the other one is seen again")
        assert place.row("stays").ended_at is None
        assert api(hub, "DELETE", "users/stays/server").status_code in (202, 204)
        until(lambda: place.row("stays").ended_at, "it has an end")
        stayed = place.row("stays")
        assert stayed.end_reason == EndReason.BY_ADMIN
        assert stayed.ended_at is not None
        assert stayed.ended_at >= back_at
        assert {row.id for row in place.rows()} == before


def test_a_service_that_is_killed_is_started_again_and_goes_on(place: Place) -> None:
    with place.hub() as hub:
        start(hub, "ada")
        until(lambda: is_recorded(place, "ada"), "the start is in the ledger")
        [pid] = children_that_serve_usage(hub)
        os.kill(pid, signal.SIGKILL)
        killed_at = datetime.now(UTC)
        until(lambda: seen_after(place, "ada", killed_at + timedelta(seconds=1)), "it is seen again", seconds=60)
        assert [row.ended_at for row in place.rows()] == [None]


def test_a_server_without_a_row_gets_one_and_a_row_without_a_server_an_end(place: Place) -> None:
    from ..ledger.made import made

    now = datetime.now(UTC)
    ghost = made(user_name="ghost", ready_at=now - timedelta(hours=3))
    of_another = made(user_name="other", hub="other", ready_at=now - timedelta(hours=3))
    for each in (ghost, of_another):
        place.ledger.open(each)
        place.ledger.seen([each.id], now - timedelta(hours=2))
    with place.hub() as hub:
        start(hub, "ada")
        until(lambda: is_recorded(place, "ada"), "the start is in the ledger")
        kept = place.row("ada")
        until(lambda: place.row("ghost").ended_at, "the row without a server is closed")
        assert place.row("ghost").ended_at == now - timedelta(hours=2)
        assert place.row("ghost").end_reason == EndReason.HUB_AWAY
        forget(place, kept.id)
        until(lambda: is_recorded(place, "ada"), "the server without a row has one again")
        again = place.row("ada")
        assert (again.id, again.ready_at, again.requested_at, again.groups) == (
            kept.id, kept.ready_at, kept.requested_at, kept.groups
        )  # fmt: skip
        assert [row.ended_at for row in place.rows("other")] == [None]


def test_a_ledger_that_is_away_for_a_while_loses_nothing(place: Place) -> None:
    file, away = place.folder / "usage.sqlite", place.folder / "away"
    with place.hub() as hub:
        start(hub, "before")
        until(lambda: is_recorded(place, "before"), "the start is in the ledger")
        # What is where the database was cannot be opened.
        place.ledger.dispose()
        away.mkdir()
        for part in place.folder.glob("usage.sqlite*"):
            part.rename(away / part.name)
        file.mkdir()
        start(hub, "meanwhile")
        assert api(hub, "DELETE", "users/before/server").status_code in (202, 204)
        time.sleep(4 * BEAT)
        file.rmdir()
        for part in away.iterdir():
            part.rename(place.folder / part.name)
        until(lambda: is_recorded(place, "meanwhile"), "the start meanwhile is in the ledger", seconds=70)
        until(lambda: place.row("before").ended_at, "the end meanwhile is in the ledger", seconds=70)
        assert place.row("before").end_reason == EndReason.BY_ADMIN
        seen_from_now_on(place, "meanwhile")
        assert place.row("meanwhile").ended_at is None


def children_that_serve_usage(hub: Hub) -> list[int]:
    import psutil

    return [each.pid for each in psutil.Process(hub.process.pid).children() if each.cmdline()[-1:] == ["usage"]]


def forget(place: Place, session_id: str) -> None:
    from sqlalchemy import delete

    from hub_extensions.ledger.tables import SESSIONS

    with place.ledger.engine.begin() as connection:
        connection.execute(delete(SESSIONS).where(SESSIONS.c.id == session_id))
