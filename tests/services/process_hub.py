"""A hub in a process of its own, and people who visit it over HTTP."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@dataclass(frozen=True)
class Hub:
    """Where the hub and its service answer; ``log`` is what both wrote."""

    url: str
    service: str
    service_port: int
    process: subprocess.Popen[bytes]
    log: Path

    def visitor(self, name: str) -> requests.Session:
        """Log in, and return the session of that browser."""
        visitor = requests.Session()
        page = visitor.get(f"{self.url}hub/login", timeout=20)
        xsrf = visitor.cookies.get_dict(path=f"{page.request.path_url.split('hub/')[0]}hub/")["_xsrf"]
        answer = visitor.post(
            f"{self.url}hub/login?next=",
            data={"username": name, "password": "x", "_xsrf": xsrf},
            timeout=20,
            allow_redirects=False,
        )
        assert answer.status_code == 302, answer.text
        return visitor


@contextlib.contextmanager
def run_hub(
    folder: Path,
    people: dict[str, Any],
    *,
    config: str = "hub_config.py",
    has_service: bool = True,
    within: Sequence[str] = (),
    **settings: Any,
) -> Iterator[Hub]:
    """Run a hub of a configuration, named from here, until the block ends; `within` goes before its command."""
    ports = free_ports(4)
    names = ("port", "hub_port", "proxy_port", "service_port")
    given = {"base_url": "/", "hub": "hub", "people": people, **dict(zip(names, ports, strict=True)), **settings}
    environment = {**os.environ, "TEST_HUB": json.dumps(given), "CONFIGPROXY_AUTH_TOKEN": "test"}
    log = folder / "hub.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*within, sys.executable, "-m", "jupyterhub", "-f", str(Path(__file__).parent / config)],
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{given['port']}{given['base_url']}"
    hub = Hub(url, f"{url}services/usage/", given["service_port"], process, log)
    try:
        _wait(hub, f"{url}hub/health")
        if has_service:
            _wait(hub, f"{hub.service}static/usage.css")
        yield hub
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
        _end_proxy(folder)


def _end_proxy(folder: Path) -> None:
    """End the proxy that a killed hub left for a next one to take over."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        os.kill(int((folder / "jupyterhub-proxy.pid").read_text().split()[0]), signal.SIGTERM)


def _wait(hub: Hub, url: str) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if hub.process.poll() is not None:
            break
        with contextlib.suppress(requests.RequestException):
            if requests.get(url, timeout=5).ok:
                return
        time.sleep(0.3)
    raise AssertionError(f"{url} does not answer:\n{hub.log.read_text()[-5000:]}")
