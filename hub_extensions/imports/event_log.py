"""Sessions from the events that JupyterHub logs when it has started or stopped a server.

The log does not tell all: a server that ended by itself, or with the hub, has a start and no stop. Nobody knows how
long it ran, so its session counts without hours.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..end_reasons import EndReason
from ..mistakes import shown
from .lines import BadLine, SessionKeys, UnusableError, name_in

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from ..sessions import Session

SCHEMAS = (
    "https://schema.jupyter.org/jupyterhub/events/server-action",
    "hub.jupyter.org/server-action",  # before JupyterHub 5
)


class EventLog:
    """Pairs starts and stops from any number of files: rotated ones, in any order, and lines that stand in two."""

    def __init__(self, keys: SessionKeys) -> None:
        self.keys = keys
        self.others = 0
        """Lines that are events of another kind."""
        self.unended = 0
        """Sessions without an end, known after ``sessions``."""
        self.unstarted = 0
        """Stops without a start, known after ``sessions``."""
        # A stop sorts before a start of the same moment, which is that of the next session.
        self._events: set[tuple[datetime, bool, str, str]] = set()

    def read(self, lines: Iterable[str]) -> list[BadLine]:
        """Take in the lines of a file; return those that cannot be used."""
        bad = []
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                self._take(line)
            except UnusableError as error:
                bad.append(BadLine(number, str(error)))
        return bad

    def sessions(self) -> list[Session]:
        """Return the sessions of all files that were read."""
        started: dict[tuple[str, str], datetime] = {}
        found = []
        self.unstarted = 0
        for moment, is_start, user_name, server_name in sorted(self._events):
            server = user_name, server_name
            before = started.pop(server, None)
            if is_start:
                if before:
                    found.append(self._unended(server, before))
                started[server] = moment
            elif before:
                found.append(self.keys.session(*server, before, ended_at=moment, end_reason=EndReason.STOPPED))
            else:
                self.unstarted += 1
        found += [self._unended(server, moment) for server, moment in started.items()]
        self.unended = sum(each.end_reason == EndReason.HUB_AWAY for each in found)
        return found

    def _unended(self, server: tuple[str, str], ready_at: datetime) -> Session:
        return self.keys.session(*server, ready_at, ended_at=ready_at, end_reason=EndReason.HUB_AWAY)

    def _take(self, line: str) -> None:
        event = _event(line)
        if event.get("__schema__") not in SCHEMAS:
            self.others += 1
            return
        action = event.get("action")
        if action not in ("start", "stop"):
            raise UnusableError(f"the action is {shown(action)}; expected start or stop")
        moment = event.get("__timestamp__")
        if not isinstance(moment, str):
            raise UnusableError(f"__timestamp__ is {shown(moment)}; expected a time such as 2026-01-31T14:05:00Z")
        self._events.add(
            (
                self.keys.moment(moment, "__timestamp__"),
                action == "start",
                name_in(event.get("username"), "username"),
                name_in(event.get("servername"), "servername", may_be_empty=True),
            )
        )


def _event(line: str) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        raise UnusableError(f"is not JSON: {shown(line.strip())}") from None
    if not isinstance(event, dict):
        raise UnusableError(f"is no event: {shown(line.strip())}")
    return event
