"""A usage service that the operator starts, not the hub: it keeps the ledger in agreement all the same."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from .test_heartbeat import Place, is_recorded, seen_from_now_on, start, until

if TYPE_CHECKING:
    from pathlib import Path


def test_a_service_that_is_started_elsewhere_does_the_same(tmp_path: Path) -> None:
    place = Place(tmp_path)
    service = {"name": "usage", "url": place.settings["usage"]["url"], "api_token": "token-of-the-usage-service"}
    environment = {
        **os.environ,
        "JUPYTERHUB_API_URL": f"http://127.0.0.1:{place.given['hub_port']}/deep/hub-a/hub/api",
        "JUPYTERHUB_API_TOKEN": "token-of-the-usage-service",
        "JUPYTERHUB_CLIENT_ID": "service-usage",
        "JUPYTERHUB_SERVICE_PREFIX": "/deep/hub-a/services/usage/",
        "JUPYTERHUB_SERVICE_URL": place.settings["usage"]["url"],
        "HUB_EXTENSIONS_USAGE": '{"beat_seconds": 1}',
    }
    command = [sys.executable, "-P", "-m", "hub_extensions.commands", "usage", "--database", place.url]
    process = subprocess.Popen(command, env=environment, cwd=tmp_path)
    try:
        with place.hub(services=[service]) as hub:
            start(hub, "ada")
            until(lambda: is_recorded(place, "ada"), "the start is in the ledger")
            seen_from_now_on(place, "ada")
        assert process.poll() is None  # it waits for the hub to come back
    finally:
        place.end_servers()
        process.terminate()
        process.wait(20)
