"""The session of a server: told to the ledger when the server is ready and when it is gone."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from weakref import WeakValueDictionary

from hub_extensions import sizes
from hub_extensions.ledger import UsageLedger
from hub_extensions.sessions import Session

# The hub's own event that says that a server of a user is ready, or was stopped.
SERVER_ACTION = "https://schema.jupyter.org/jupyterhub/events/server-action"
_STARTING = "hub_extensions_starting"  # key in the hub's settings


class SessionRecord:
    """The row of one server in the ledger; does nothing while no ledger is configured.

    It is requested when the profile is applied, opened at the hub's event that the server is ready (with what the
    server was given by then), and closed after it stopped. The id is part of the spawner's state, so that a hub which
    was restarted still closes the row.
    """

    def __init__(self, spawner: Any):
        self.spawner = spawner
        self.ledger = UsageLedger(config=spawner.config)
        self.id = ""
        self._requested_at: datetime | None = None

    def request(self) -> None:
        """Begin a session that counts from when its server is ready; the servers of programs have none."""
        if not self.ledger.enabled or self.spawner.is_of_program:
            return
        self.id = uuid.uuid4().hex
        self._requested_at = datetime.now(UTC)
        _starting(self.spawner.user.settings)[self.spawner.user.name, self.spawner.name] = self

    def open(self) -> None:
        """Record that the server is ready, with what it was given."""
        if self.id:
            self.ledger.opened(replace(self.snapshot(), ready_at=datetime.now(UTC)))

    def close(self, reason: str) -> None:
        """Record that the server is gone; a server that never became ready has no row, and gets none."""
        if self.id:
            self.ledger.closed(self.id, datetime.now(UTC), reason)
        self.id = ""

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


def _starting(hub_settings: dict[str, Any]) -> WeakValueDictionary[tuple[str, str], SessionRecord]:
    """The sessions of this hub whose servers are not ready yet, by user and server name."""
    if _STARTING not in hub_settings:
        hub_settings[_STARTING] = WeakValueDictionary()

        async def on_server_action(logger: Any, schema_id: str, data: dict[str, Any]) -> None:  # noqa: ARG001
            if data["action"] == "start":
                record = hub_settings[_STARTING].pop((data["username"], data["servername"]), None)
                if record:
                    record.open()

        hub_settings["eventlog"].add_listener(schema_id=SERVER_ACTION, listener=on_server_action)
    starting: WeakValueDictionary[tuple[str, str], SessionRecord] = hub_settings[_STARTING]
    return starting
