"""Starts jupyterhub-idle-culler with limits by profile and by group.

The culler looks at all servers again and again and asks, for each, whether it is to be stopped. What it knows of a
server is when it started and was last active; profile and groups are told by the hub, in one answer each time.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from jupyterhub_idle_culler import IdleCuller
from tornado.httpclient import AsyncHTTPClient

from hub_extensions.idle import Idle, Limits
from hub_extensions.idle_service import IDLE_VARIABLE, check_seconds
from hub_extensions.usage_service import RUNNING_SERVERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

log = logging.getLogger(__name__)

_TIMEOUT = 30.0


class Arbiter:
    """What the culler asks of each server; see `IdleCuller.cull_arbiter_hook`.

    `fresh` in seconds: for so long the hub's answer holds. While profiles and groups matter and the hub does not tell
    them, nothing is stopped.
    """

    def __init__(self, idle: Idle, api_url: str, token: str, *, fresh: float) -> None:
        self.idle = idle
        self.fresh = fresh
        self._url = f"{api_url.rstrip('/')}/{RUNNING_SERVERS}"
        self._headers = {"Authorization": f"token {token}"}
        self._limits: Mapping[str, Limits] | None = None
        self._asked_at = float("-inf")
        self._asking = asyncio.Lock()

    async def __call__(self, *, inactive: timedelta | None, inactive_limit: int, server: Mapping[str, Any]) -> bool:  # noqa: ARG002
        """Whether this server is to be stopped."""
        found = await self._limits_of(str(server.get("full_name")))
        return found is not None and found.exceeded_by(inactive, _age(server, datetime.now(UTC)))

    async def _limits_of(self, full_name: str) -> Limits | None:
        if not self.idle.rules:
            return self.idle.limits()
        async with self._asking:
            if time.monotonic() - self._asked_at > self.fresh:
                self._limits = await self._ask()
                self._asked_at = time.monotonic()
        # Servers of programs, and such as became ready since, have no session there.
        return None if self._limits is None else self._limits.get(full_name, self.idle.limits())

    async def _ask(self) -> Mapping[str, Limits] | None:
        try:
            answer = await AsyncHTTPClient().fetch(self._url, headers=self._headers, request_timeout=_TIMEOUT)
            rows = json.loads(answer.body)["servers"]
            return {
                f"{row['user_name']}/{row['server_name']}": self.idle.limits(row["profile"], row["groups"])
                for row in rows
            }
        except Exception as error:
            log.warning("The hub does not tell of which profile servers are; none is stopped until it does: %s", error)
            return None


def _age(server: Mapping[str, Any], now: datetime) -> timedelta | None:
    try:
        started = datetime.fromisoformat(str(server.get("started")))
    except ValueError:
        return None
    return now - (started if started.tzinfo else started.replace(tzinfo=UTC))


def run(environment: Mapping[str, str] = os.environ) -> None:
    """Cull until the hub ends this process."""
    idle = Idle.model_validate_json(environment[IDLE_VARIABLE])
    every = check_seconds(idle)
    arbiter = Arbiter(
        idle, environment["JUPYTERHUB_API_URL"], environment["JUPYTERHUB_API_TOKEN"], fresh=min(30.0, every / 2)
    )
    with _certificates(environment) as certificates:
        # Its configuration file would be looked for in the folder in which the hub runs.
        IdleCuller.launch_instance(argv=[], config_file="", cull_every=every, cull_arbiter_hook=arbiter, **certificates)


@contextlib.contextmanager
def _certificates(environment: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """What the culler needs where the hub and its services know each other by certificates (`internal_ssl`).

    The hub names this service's own; the culler looks for the hub's, in a folder of a certain form.
    """
    key = environment.get("JUPYTERHUB_SSL_KEYFILE")
    if not key:
        yield {}
        return
    # The hub ends its services by this signal; the folder goes with them.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with TemporaryDirectory(prefix="idle-culler-") as folder:
        for place, file in (
            ("hub-internal/hub-internal.key", key),
            ("hub-internal/hub-internal.crt", environment["JUPYTERHUB_SSL_CERTFILE"]),
            ("hub-ca/hub-ca.crt", environment["JUPYTERHUB_SSL_CLIENT_CA"]),
        ):
            link = Path(folder, place)
            link.parent.mkdir(exist_ok=True)
            link.symlink_to(Path(file).resolve())
        yield {"ssl_enabled": True, "internal_certs_location": folder}


if __name__ == "__main__":
    run()
