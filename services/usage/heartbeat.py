"""Once a minute: which servers run, by one call to the hub; then the ledger is made to agree, and counted."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from hub_extensions import session_json
from hub_extensions.announcements import Announcement
from hub_extensions.end_reasons import EndReason
from hub_extensions.ledger.counting import Counter
from hub_extensions.mistakes import SettingsError, validated
from hub_extensions.reconciliation import reconcile
from hub_extensions.usage_service import RUNNING_SERVERS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import tzinfo
    from ssl import SSLContext

    from hub_extensions.ledger import Ledger
    from hub_extensions.report_drop import ReportDrop
    from hub_extensions.sessions import Session

    from .kept_months import MonthKeeper

log = logging.getLogger(__name__)

_FIRST_SECONDS = 2.0
_TIMEOUT = 20.0
_MOST_BYTES = 64 * 2**20
_COUNTED_AT_ONCE = 1000


class HubAwayError(Exception):
    """The hub gave no complete answer, so that nothing is known of what runs."""


class Asks(Protocol):
    """What asks the ledger off the event loop, as `Reader.ask` does."""

    async def ask(self, read: Callable[[Ledger], Any]) -> Any:
        """Return what `read` returns; raises when the ledger does not answer."""


@dataclass(frozen=True)
class Running:
    """What ran at a moment, by the hub's clock, what the hub announced, and what its profiles were called."""

    at: datetime
    sessions: Mapping[str, Session]
    stopping: Mapping[str, datetime] = field(default_factory=dict)
    announcements: Sequence[Announcement] = ()
    profiles: Mapping[str, str] = field(default_factory=dict)

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
            stopping = {
                each: datetime.fromisoformat(moment).astimezone(UTC) for each, moment in told["stopping"].items()
            }
        except HTTPClientError as error:
            raise HubAwayError(f"it answered {error.code} {error.message}") from error
        except (OSError, ValueError, TypeError, KeyError, AttributeError, asyncio.IncompleteReadError) as error:
            raise HubAwayError(f"{type(error).__name__}: {str(error)[:200]}") from error
        if hub != self.hub or not records:
            raise HubAwayError(
                f"it writes the ledger of {str(hub)[:64]!r}, and this service reads that of {self.hub!r}"
            )
        found = {each.id: each for each in sessions if each.hub == hub and each.ready_at is not None}
        announced = _as(tuple[Announcement, ...], told.get("announcements", ()), ())
        return Running(at, found, stopping, announced, _as(dict[str, str], told.get("profiles", {}), {}))

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()


class Heartbeat:
    """Keeps one hub's rows in agreement with what runs on it, and its cells with its rows; not those of other hubs.

    Cells are of the days of ``zone``. ``every`` and ``first`` are seconds. Of what is counted, ``reports`` are made
    when a month has ended, and ``months`` are kept for pages. ``beat_at`` is when the ledger last agreed with the hub,
    ``late_rows`` how many sessions were missing in it, ``stopping`` when sessions are going to be stopped because a
    quota is spent, by their id, ``announcements`` what the hub announces on its pages, and ``profiles`` what people
    call each profile that there was since the service began, by its slug.
    """

    def __init__(
        self,
        watch: HubWatch,
        ledger: Asks,
        zone: tzinfo,
        *,
        every: float = 60.0,
        first: float = _FIRST_SECONDS,
        reports: ReportDrop | None = None,
        months: MonthKeeper | None = None,
    ) -> None:
        self.watch = watch
        self.ledger = ledger
        self.zone = zone
        self.every = every
        self.first = first
        self.reports = reports
        self.months = months
        self.beat_at: datetime | None = None
        self.late_rows = 0
        self.stopping: Mapping[str, datetime] = {}
        self.announcements: Sequence[Announcement] = ()
        self.profiles: dict[str, str] = {}
        self._absent: Mapping[str, int] = {}
        self._told: set[str] = set()
        self._failing: set[str] = set()

    async def run(self) -> None:
        """Beat until cancelled. Nothing else that happens ends it."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        due = loop.time() + self.first
        # Python 3.11 loses a cancellation that comes together with what `wait_for` waits for.
        while task is None or not task.cancelling():
            await asyncio.sleep(max(0.0, due - loop.time()))
            # A beat that took long is followed by the next due one, not by all that were missed.
            due = max(due + self.every, loop.time())
            await self._try("What runs is not known now, and the ledger is left as it is", self.beat)
            await self._try("What the ledger holds cannot be counted now", self.count)
            if self.months is not None:
                await self._try("What pages show of months cannot be made beforehand now", self.months.keep)
            if self.reports is not None:
                await self.reports.drop(self.ledger.ask)

    async def beat(self) -> None:
        """Ask what runs, and write it. Raises when the hub or the ledger does not answer."""
        running = await self.watch.running()
        self.announcements = running.announcements
        self.profiles.update(running.profiles)

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
        self.beat_at, self.stopping = running.at, running.stopping

    async def count(self) -> None:
        """Bring the cells up to date, for at most half of the time until the next beat. Raises as ``beat`` does."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self.every / 2

        def some(ledger: Ledger) -> int:
            return Counter(ledger, self.watch.hub, self.zone).count_up(datetime.now(UTC), limit=_COUNTED_AT_ONCE)

        while await self.ledger.ask(some) >= _COUNTED_AT_ONCE and loop.time() < until:
            pass

    async def _try(self, otherwise: str, step: Callable[[], Awaitable[object]]) -> None:
        """Take a step; when it fails, say so once, until it does not."""
        try:
            await step()
        except Exception as error:
            if otherwise not in self._failing:
                log.warning("%s: %s", otherwise, _sentence(error))
            self._failing.add(otherwise)
            return
        if otherwise in self._failing:
            self._failing.remove(otherwise)
            log.info("That is over: %s", otherwise)

    def _write_missing(self, ledger: Ledger, running: Running, ids: frozenset[str]) -> None:
        for each in sorted(ids - self._told):
            session = running.sessions[each]
            ledger.open(replace(session, last_seen_at=running.at))
            # Once: a row that is closed stays so, whatever the hub says of it.
            self.late_rows += 1
            log.warning("The server %s/%s runs and was not in the ledger.", session.user_name, session.server_name)
        self._told = set(ids)


def _as(kind: Any, told: object, otherwise: Any) -> Any:
    """What the hub tells for pages; nothing where another version tells it otherwise: the ledger matters more."""
    try:
        return validated(kind, told, "told")
    except SettingsError:
        return otherwise


def _sentence(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0][:300]}"


async def ended(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait for its end."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
