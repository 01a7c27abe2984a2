"""Once a minute: which servers run, by one call to the hub; then the ledger is made to agree, and counted."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from hub_extensions import session_json
from hub_extensions.end_reasons import EndReason
from hub_extensions.reconciliation import reconcile
from hub_extensions.usage_service import RUNNING_SERVERS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from ssl import SSLContext

    from hub_extensions.ledger import Ledger
    from hub_extensions.sessions import Session

log = logging.getLogger(__name__)

BEAT_SECONDS = 60.0
_FIRST_SECONDS = 2.0
_TIMEOUT = 20.0
_MOST_BYTES = 64 * 2**20


class HubAwayError(Exception):
    """The hub gave no complete answer, so that nothing is known of what runs."""


class Asks(Protocol):
    """What asks the ledger off the event loop, as `Reader.ask` does."""

    async def ask(self, read: Callable[[Ledger], Any]) -> Any:
        """Return what `read` returns; raises when the ledger does not answer."""


@dataclass(frozen=True)
class Running:
    """What ran at a moment, by the hub's clock."""

    at: datetime
    sessions: Mapping[str, Session]

    @property
    def ready_at(self) -> dict[str, datetime]:
        """When each session began."""
        return {each.id: each.ready_at for each in self.sessions.values() if each.ready_at is not None}


class HubWatch:
    """Asks the hub what runs. `timeout` in seconds and `most_bytes` bound an answer."""

    def __init__(
        self,
        api_url: str,
        token: str,
        hub: str,
        *,
        ssl: SSLContext | None = None,
        timeout: float = _TIMEOUT,
        most_bytes: int = _MOST_BYTES,
    ) -> None:
        self.hub = hub
        self._request = HTTPRequest(
            f"{api_url.rstrip('/')}/{RUNNING_SERVERS}",
            headers={"Authorization": f"token {token}"},
            request_timeout=timeout,
            connect_timeout=timeout,
            ssl_options=ssl,
            follow_redirects=False,
        )
        self._client = SimpleAsyncHTTPClient(force_instance=True, max_body_size=most_bytes)

    async def running(self) -> Running:
        """Ask. Raises ``HubAwayError`` for anything but a complete answer of this hub, which says that it records."""
        try:
            answer = await self._client.fetch(self._request)
            told = json.loads(answer.body)
            sessions = [session_json.read(row) for row in told["servers"]]
            at = datetime.fromisoformat(told["at"]).astimezone(UTC)
            hub, records = told["hub"], told["ledger"]
        except HTTPClientError as error:
            raise HubAwayError(f"it answered {error.code} {error.message}") from error
        except (OSError, ValueError, TypeError, KeyError, AttributeError, asyncio.IncompleteReadError) as error:
            raise HubAwayError(f"{type(error).__name__}: {str(error)[:200]}") from error
        if hub != self.hub or not records:
            raise HubAwayError(
                f"it writes the ledger of {str(hub)[:64]!r}, and this service reads that of {self.hub!r}"
            )
        return Running(at, {each.id: each for each in sessions if each.hub == hub and each.ready_at is not None})

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()


class Heartbeat:
    """Keeps one hub's rows in agreement with what runs on it; other hubs' rows are left alone.

    ``count`` is awaited after each beat with the moment of it; what it raises is logged.
    """

    def __init__(
        self,
        watch: HubWatch,
        ledger: Asks,
        *,
        count: Callable[[datetime], Awaitable[None]] | None = None,
        every: float = BEAT_SECONDS,
        first: float = _FIRST_SECONDS,
    ) -> None:
        self.watch = watch
        self.ledger = ledger
        self.count = count
        self.every = every
        self.first = first
        self._absent: Mapping[str, int] = {}
        self._told: set[str] = set()
        self._away = False

    async def run(self) -> None:
        """Beat until cancelled. Nothing that happens ends it."""
        loop = asyncio.get_running_loop()
        due = loop.time() + self.first
        while True:
            await asyncio.sleep(max(0.0, due - loop.time()))
            # A beat that took long is followed by the next due one, not by all that were missed.
            due = max(due + self.every, loop.time())
            await self.try_beat()

    async def try_beat(self) -> bool:
        """Beat once. Return whether hub and ledger answered."""
        try:
            await self.beat()
        except Exception as error:  # noqa: BLE001 - told, and tried again at the next beat
            if not self._away:
                log.warning("What runs is not known now, and the ledger is left as it is: %s", _sentence(error))
            self._away = True
            return False
        if self._away:
            log.info("Hub and ledger answer again.")
        self._away = False
        return True

    async def beat(self) -> None:
        """Ask what runs, write it, and count. Raises when the hub or the ledger does not answer."""
        running = await self.watch.running()

        def agree(ledger: Ledger) -> None:
            ledger.seen(running.sessions, running.at)
            rows = ledger.without_end(self.watch.hub)
            found = reconcile(running.ready_at, rows, self._absent, running.at, 2 * timedelta(seconds=self.every))
            self._write_missing(ledger, running, found.without_row)
            if found.gone:
                closed = ledger.close_unseen(found.gone, EndReason.HUB_AWAY)
                log.info("%d sessions ended while nobody saw it; they count until they were last seen.", closed)
            self._absent = found.absent

        await self.ledger.ask(agree)
        if self.count is not None:
            await self.count(running.at)

    def _write_missing(self, ledger: Ledger, running: Running, ids: frozenset[str]) -> None:
        for each in sorted(ids - self._told):
            session = running.sessions[each]
            ledger.open(replace(session, last_seen_at=running.at))
            # Once: a row that is closed stays so, whatever the hub says of it.
            log.warning("The server %s/%s runs and was not in the ledger.", session.user_name, session.server_name)
        self._told = set(ids)


def _sentence(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0][:300]}"


async def ended(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait for its end."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
