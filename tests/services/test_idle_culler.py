"""A real hub and a real culler: idle and old servers are stopped, by profile and group, and the ledger says so."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from certipy import Certipy

from hub_extensions.end_reasons import EndReason
from hub_extensions.idle import Idle
from hub_extensions.idle_service import service

from .test_heartbeat import Place, api, is_recorded, start, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .process_hub import Hub

PROFILES = [{"display_name": "Small", "slug": "small"}, {"display_name": "Large", "slug": "large"}]
IDLE = {
    "timeout": "1 hour",
    "rules": [
        {"profiles": ["large"], "groups": ["patient"], "timeout": "never"},
        {"profiles": ["large"], "timeout": "3 seconds"},
        {"groups": ["short-*"], "max_age": "3 seconds"},
    ],
}


@pytest.fixture(scope="module", params=["with a ledger", "without"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Place, Hub]]:
    found = Place(tmp_path_factory.mktemp("hub"), profiles=PROFILES, idle=IDLE)
    if request.param == "without":
        del found.settings["usage"]
    try:
        with found.hub() as hub:
            yield found, hub
    finally:
        found.end_servers()


def begin(hub: Hub, name: str, profile: str, *groups: str) -> None:
    api(hub, "POST", f"users/{name}")
    for group in groups:
        api(hub, "POST", f"groups/{group}")
        assert api(hub, "POST", f"groups/{group}/users", json={"users": [name]}).ok
    start(hub, name, {"profile": profile})


def runs(hub: Hub, name: str) -> bool:
    return "" in api(hub, "GET", f"users/{name}").json()["servers"]


def test_servers_are_stopped_by_what_holds_for_their_profile_and_groups(place: tuple[Place, Hub]) -> None:
    where, hub = place
    begin(hub, "kept", "small")
    begin(hub, "patient", "large", "patient")
    begin(hub, "old", "small", "short-course")
    begin(hub, "idle", "large")
    for name in ("idle", "old"):
        until(lambda name=name: not runs(hub, name), f"the server of {name} is stopped")
    time.sleep(2)
    assert runs(hub, "kept")
    assert runs(hub, "patient")
    if "usage" not in where.settings:
        return
    for name in ("idle", "old"):
        until(lambda name=name: is_recorded(where, name) and where.row(name).ended_at, "the end is in the ledger")
        row = where.row(name)
        assert row.end_reason == EndReason.CULLED
        assert row.ready_at is not None
        assert row.ended_at is not None
        assert row.ended_at - row.ready_at < timedelta(minutes=1)
    assert [where.row(name).ended_at for name in ("kept", "patient")] == [None, None]


LONG_AGO = (datetime.now(UTC) - timedelta(hours=9)).isoformat()
IDLE_SERVER = {"name": "", "ready": True, "url": "/", "last_activity": LONG_AGO, "started": LONG_AGO}


class SecretiveHub(BaseHTTPRequestHandler):
    """The API of a hub with one idle server; it talks to nobody without a certificate."""

    stopped = threading.Event()

    def do_GET(self) -> None:
        known = {"/hub/api/": {"version": "6.0.0"}, "/hub/api/users": [{"name": "ada", "servers": {"": IDLE_SERVER}}]}
        self._answer(known.get(self.path.partition("?")[0], {"servers": []}))

    def do_DELETE(self) -> None:
        self.stopped.set()
        self._answer({})

    def _answer(self, told: object) -> None:
        content = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def certified(tmp_path: Path) -> Iterator[dict[str, str]]:
    """What a hub tells a service whom it knows by its certificate."""
    store = Certipy(store_dir=str(tmp_path))
    store.create_ca("hub-ca")
    known = {
        name: store.create_signed_pair(name, "hub-ca", alt_names=["DNS:localhost"])["files"]
        for name in ("hub-internal", "service")
    }
    authority = str(tmp_path / "hub-ca/hub-ca.crt")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(known["hub-internal"]["cert"], known["hub-internal"]["key"])
    with ThreadingHTTPServer(("127.0.0.1", 0), SecretiveHub) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield {
            "JUPYTERHUB_API_URL": f"https://localhost:{server.server_port}/hub/api",
            "JUPYTERHUB_API_TOKEN": "token",
            "JUPYTERHUB_SSL_KEYFILE": known["service"]["key"],
            "JUPYTERHUB_SSL_CERTFILE": known["service"]["cert"],
            "JUPYTERHUB_SSL_CLIENT_CA": authority,
        }
        server.shutdown()


@pytest.mark.parametrize("rules", [(), ({"groups": ["patient"], "timeout": "never"},)], ids=["one rule", "several"])
def test_a_hub_that_talks_only_to_those_with_a_certificate_has_a_culler_too(
    tmp_path: Path, certified: dict[str, str], rules: tuple[dict[str, object], ...]
) -> None:
    environment = {**os.environ, **certified, "TMPDIR": str(tmp_path / "tmp")}
    wired = service(Idle.model_validate({"timeout": "1 hour", "rules": rules}))
    SecretiveHub.stopped.clear()
    (tmp_path / "tmp").mkdir()
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(
            wired["command"],
            env={**environment, **wired["environment"]},
            stderr=log,
        ) as process,
    ):
        stopped = SecretiveHub.stopped.wait(20)
        process.terminate()
    assert stopped, (tmp_path / "log").read_text()
    assert not list((tmp_path / "tmp").iterdir())  # nothing is left behind
