"""The ledger as the hub's configuration knows it: ``c.UsageLedger.database = "sqlite:///usage.sqlite"``."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, TypeVar

from traitlets import TraitError, Unicode, validate
from traitlets.config import LoggingConfigurable
from traitlets.log import get_logger

from .engine import connect
from .lookup import Lookup
from .recorder import Recorder
from .store import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from traitlets import Bunch

    from ..sessions import Session

T = TypeVar("T")


@functools.cache
def _recorder(database: str) -> Recorder:
    # A hub builds a spawner, and with it a UsageLedger, for each server; they share one writer, and its order.
    return Recorder(Ledger(database), log=get_logger())


@functools.cache
def _lookup(database: str) -> Lookup:
    return Lookup(database, log=get_logger())


class UsageLedger(LoggingConfigurable):
    """Records when servers become ready and when they end. Off, and costing nothing, until ``database`` is set."""

    database = Unicode(
        "",
        config=True,
        help="""
        The database of the usage ledger, as SQLAlchemy writes it. Empty: no ledger.

        Examples: ``sqlite:///usage.sqlite`` (a file in the folder in which the hub starts; it must be on a local disk,
        as SQLite's write-ahead log does not work on NFS), ``sqlite:////srv/jupyterhub/usage.sqlite``,
        ``postgresql+psycopg://hub:secret@db.example.org/usage`` (needs the driver ``psycopg``). The tables are made
        and brought up to date by the hub. Several hubs may share one database, if each has its own ``hub_name``.

        A database that does not answer never stops or delays a server: starts and stops wait in memory, bounded, and
        what is lost is logged and counted in ``hub_extensions_ledger_lost_writes_total`` at ``/hub/metrics``.
        """,
    )
    hub_name = Unicode(
        "hub",
        config=True,
        help="""
        The name of this hub in the ledger. Set it when several hubs share one database, e.g. ``ocean-prod``. A hub that
        is given another name begins with no history.
        """,
    )

    @validate("database")
    def _valid_database(self, proposal: Bunch) -> str:
        database = str(proposal.value)
        if database:
            try:
                connect(database, timeout=1).dispose()
            except ValueError as error:
                raise TraitError(f"UsageLedger.database: {error}") from None
        return database

    @property
    def enabled(self) -> bool:
        """Whether a database is set."""
        return bool(self.database)

    def opened(self, session: Session) -> None:
        """Record a session whose server is ready. Returns at once and never raises."""
        if self.database:
            _recorder(self.database).opened(session)

    def closed(self, session_id: str, at: datetime, reason: str) -> None:
        """Record that it ended. Returns at once and never raises; of several ends the first is kept."""
        if self.database:
            _recorder(self.database).closed(session_id, at, reason)

    def closed_unseen(self, session_id: str, reason: str) -> None:
        """Record that it ended while nobody saw it: it counts until it was last seen. Returns at once, never raises."""
        if self.database:
            _recorder(self.database).closed_unseen(session_id, reason)

    def flush(self, timeout: float) -> bool:
        """Wait until what was recorded is in the database. Return whether it is. Blocks: not for an event loop."""
        return not self.database or _recorder(self.database).flush(timeout)

    async def count(
        self, user_name: str, start: datetime, end: datetime, counting: Callable[[list[Session]], T]
    ) -> T | None:
        """Return what ``counting``, called in a thread, makes of a person's sessions on this hub that touch the time.

        None without a ledger that answers in time.
        """
        if not self.database:
            return None
        return await _lookup(self.database).count(self.hub_name, user_name, start, end, counting)
