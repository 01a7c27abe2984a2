"""The REST API of a hub that starts servers: what it says of one that is going to be stopped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from .test_heartbeat import Place, is_recorded, start, until


def test_a_server_reads_when_it_is_going_to_be_stopped(tmp_path: Path) -> None:
    limit = {"users": ["ada"], "resource": "hours", "limit": "0.001 hours", "window": "30 days"}
    stop = {"when_spent": "stop", "grace": "2 minutes"}
    grant = {"to": "server", "scopes": ["access:services!service=usage"]}
    small = {"display_name": "Small", "slug": "small"}
    place = Place(tmp_path, grants=[grant], quotas=[limit | stop], profiles=[small])
    with place.hub() as hub:
        start(hub, "ada", {"profile": "small"})
        until(lambda: is_recorded(place, "ada"), "the start is in the ledger")
        pid = (tmp_path / "homes/ada/pid").read_text()
        inside = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
        token = next(each.partition("=")[2] for each in inside if each.startswith("JUPYTERHUB_API_TOKEN="))

        def me() -> Any:
            headers = {"Authorization": f"token {token}"}
            return requests.get(f"{hub.service}api/v1/me", headers=headers, timeout=20).json()

        until(lambda: me()["running"][0]["stops_at"], "it is known when", 60)
        found = me()
        [notice] = found["notices"]
        at = datetime.fromisoformat(found["running"][0]["stops_at"])
        assert datetime.now(UTC) < at < datetime.now(UTC) + timedelta(minutes=2)
        assert (notice["kind"], notice["servers"]) == ("stops", [""])
        assert notice["text"].startswith(f"Your server stops at {at:%H:%M} (UTC): save your work.")
        assert found["quotas"][0]["spent"] is True
    place.end_servers()
