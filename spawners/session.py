"""The session of a server: told to the ledger when the server is ready and when it is gone."""

import json
import uuid
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from weakref import WeakValueDictionary

from sqlalchemy.orm import object_session

from hub_extensions import session_json, sizes
from hub_extensions.end_reasons import EndReason
from hub_extensions.ledger import UsageLedger
from hub_extensions.sessions import Session

# The hub's own event that says that a server of a user is ready, or was stopped.
SERVER_ACTION = "https://schema.jupyter.org/jupyterhub/events/server-action"
# Keys in the hub's settings.
_STARTING = "hub_extensions_starting"
_RUNNING = "hub_extensions_running"


class SessionRecord:
    """The row of one server in the ledger.

    It is requested when the profile is applied, opened at the hub's event that the server is ready (with what the
    server was given by then), and closed after it stopped, for the reason that was found first. The session is part of
    the spawner's state, so that a hub which was restarted knows all of it. What runs is known to the hub also without a
    ledger.
    """

    def __init__(self, spawner: Any):
        self.spawner = spawner
        self.ledger = UsageLedger(config=spawner.config)
        self.id = ""
        self.session: Session | None = None
        self._as_json = ""
        self._requested_at: datetime | None = None
        self._end: tuple[EndReason, datetime | None] | None = None
        self._unseen_since_restart = False

    # From its request to its end

    def request(self) -> None:
        """Begin a session that counts from when its server is ready; the servers of programs have none."""
        self._forget()
        if self.spawner.is_of_program:
            return
        self.id = uuid.uuid4().hex
        self._requested_at = datetime.now(UTC)
        _starting(self.spawner.user.settings)[self.spawner.user.name, self.spawner.name] = self

    def open(self) -> None:
        """Record that the server is ready, with what it was given."""
        if self.id:
            self._open(replace(self.session or self.snapshot(), ready_at=datetime.now(UTC)))
            self._save()

    def runs(self) -> None:
        """Note that the server was seen running."""
        self._unseen_since_restart = False
        if self.session is not None and self.session.ready_at is None:
            self.open()  # the hub was killed before it said that the server is ready

    def ends(self, reason: EndReason, at: datetime | None = None) -> None:
        """Note why the server ends, or has ended, and when if that is known. The first reason is kept."""
        if self._end or self.session is None or self.session.ready_at is None:
            return
        if self._unseen_since_restart and at is None:
            reason = EndReason.HUB_AWAY
        self._end = reason, at

    def close(self) -> None:
        """Record that the server is gone; a server that never became ready has no row, and gets none."""
        session, now = self.session, datetime.now(UTC)
        if session is not None and session.ready_at is not None:
            away = EndReason.HUB_AWAY if self._unseen_since_restart else EndReason.STOPPED
            reason, at = self._end or (away, None)
            if reason is EndReason.HUB_AWAY:
                self.ledger.closed_unseen(self.id, reason)
            else:
                # The clock of a node may differ from ours.
                self.ledger.closed(self.id, max(session.ready_at, min(at or now, now)), reason)
        self._forget()

    # In the state of the spawner

    def state(self) -> dict[str, Any]:
        """What is kept of the session, as plain values."""
        if not self.id:
            return {}
        return session_json.written(self.session or self.snapshot())

    def resume(self, state: Any) -> None:
        """Find the session again after the hub was restarted; its server may have ended meanwhile."""
        self._forget()
        try:
            session = session_json.read(state)
        except ValueError:
            return
        self.id = session.id
        self._unseen_since_restart = True
        if session.ready_at is None:
            self.session = session
        else:
            self._open(session)  # again: a hub that was killed may not have written it

    def as_json(self) -> str:
        """The session as services of the hub read it."""
        return self._as_json

    # What it holds

    def snapshot(self) -> Session:
        """What the server was given, read from the spawner after everything that may change it."""
        spawner = self.spawner
        resolved = spawner.resolved
        return Session(
            id=self.id,
            hub=self.ledger.hub_name,
            user_name=spawner.user.name,
            server_name=spawner.name,
            community=spawner.community(),
            profile=resolved.profile if resolved else "",
            choices=dict(resolved.choices) if resolved else {},
            image=getattr(spawner, "image", ""),
            memory_limit=spawner.mem_limit,
            memory_guarantee=spawner.mem_guarantee,
            cpu_limit=spawner.cpu_limit,
            cpu_guarantee=spawner.cpu_guarantee,
            gpus=sizes.gpus(getattr(spawner, "extra_resource_limits", {})),
            requested_at=self._requested_at,
            groups=frozenset(group.name for group in spawner.user.groups),
        )

    def _open(self, session: Session) -> None:
        self.session = session
        self._as_json = json.dumps(session_json.written(session))
        _kept(self.spawner.user.settings, _RUNNING)[self.id] = self
        self.ledger.opened(session)

    def _save(self) -> None:
        """Keep the moment at which the server was ready: JupyterHub saves the state before that."""
        kept = self.spawner.orm_spawner
        database = object_session(kept) if kept is not None else None
        if database:
            kept.state = self.spawner.get_state()
            database.commit()

    def _forget(self) -> None:
        if self.id:
            _kept(self.spawner.user.settings, _RUNNING).pop(self.id, None)
        self.id, self.session, self._as_json = "", None, ""
        self._end, self._unseen_since_restart = None, False


def running(hub_settings: Mapping[str, Any]) -> Collection[SessionRecord]:
    """The sessions of this hub that have no end yet; `hub_settings` are those that its users have."""
    return list(hub_settings.get(_RUNNING, {}).values())


def records(hub_settings: dict[str, Any]) -> Mapping[str, SessionRecord]:
    """The same by session id, as a mapping that changes with what runs."""
    return _kept(hub_settings, _RUNNING)


def _kept(hub_settings: dict[str, Any], key: str) -> WeakValueDictionary[Any, SessionRecord]:
    kept: WeakValueDictionary[Any, SessionRecord] = hub_settings.setdefault(key, WeakValueDictionary())
    return kept


def _starting(hub_settings: dict[str, Any]) -> WeakValueDictionary[Any, SessionRecord]:
    """The sessions of this hub whose servers are not ready yet, by user and server name."""
    if _STARTING not in hub_settings and "eventlog" in hub_settings:  # what only renders a pod has no events

        async def on_server_action(logger: Any, schema_id: str, data: dict[str, Any]) -> None:  # noqa: ARG001
            if data["action"] == "start":
                record = hub_settings[_STARTING].pop((data["username"], data["servername"]), None)
                if record:
                    record.open()

        if "eventlog" in hub_settings:  # a pod is also rendered without a hub
            hub_settings["eventlog"].add_listener(schema_id=SERVER_ACTION, listener=on_server_action)
    return _kept(hub_settings, _STARTING)
