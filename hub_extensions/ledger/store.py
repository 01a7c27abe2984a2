"""The ledger's reads and writes, synchronous: the hub writes through ``recorder``, the usage service from threads."""

from __future__ import annotations

import threading
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import alembic.command
from alembic.config import Config
from sqlalchemy import ColumnElement, and_, exists, func, insert, or_, select, text, update
from sqlalchemy.exc import OperationalError

from ..end_reasons import EndReason
from ..sessions import Session
from .engine import WRITE, connect
from .tables import SESSION_GROUPS, SESSIONS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from contextlib import AbstractContextManager
    from datetime import datetime

    from sqlalchemy import Connection

_COLUMNS = [each.name for each in fields(Session) if each.name != "groups"]
_OF_SESSION = [SESSIONS.c[name] for name in _COLUMNS]
_MIGRATIONS = Path(__file__).with_name("migrations")
# Any number will do, if every hub that shares a PostgreSQL database takes the same one.
_MIGRATION_LOCK = 0x4855_4245
# Rows of each index; SQLite advises 100 to 1000.
_SAMPLE = 1000
# Alembic keeps the connection it works on in module globals.
_alembic = threading.Lock()


class Ledger:
    """The table of sessions in the database at ``url``: ``sqlite:///usage.sqlite`` or ``postgresql://…``.

    ``timeout`` in seconds bounds each wait for a lock and each statement. Methods raise
    ``sqlalchemy.exc.SQLAlchemyError`` when the database does not answer; a wrong URL raises ``ValueError`` here.
    Threads may share one ledger.
    """

    def __init__(self, url: str, *, timeout: float = 10.0) -> None:
        self.engine = connect(url, timeout)

    def __repr__(self) -> str:
        return f"Ledger({self.engine.url.render_as_string(hide_password=True)!r})"

    def migrate(self) -> None:
        """Bring the tables to this version's shape. Processes that do so at once wait for one another."""
        if self.engine.dialect.name == "sqlite":
            self._write_ahead()
        with _alembic, self._write() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
            config = Config()
            # ConfigParser would read a percent sign in a folder's name as its own.
            config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
            config.attributes["connection"] = connection
            alembic.command.upgrade(config, "head")

    def open(self, session: Session) -> None:
        """Write a session that has become ready. Writing it twice changes nothing.

        Whatever is still open for the same server can no longer run: it is closed at the moment it was last seen.
        Raises ``ValueError`` for a session that was never ready.
        """
        row = session_row(session)
        server = [SESSIONS.c[name] == row[name] for name in ("hub", "user_name", "server_name")]
        seen = func.coalesce(SESSIONS.c.last_seen_at, SESSIONS.c.ready_at)
        with self._write() as connection:
            if connection.scalar(select(exists().where(SESSIONS.c.id == session.id))):
                return
            connection.execute(
                update(SESSIONS)
                .where(*server, SESSIONS.c.ended_at.is_(None), SESSIONS.c.ready_at <= row["ready_at"])
                .values(ended_at=seen, end_reason=EndReason.HUB_AWAY, uncounted=1)
            )
            connection.execute(insert(SESSIONS), row)
            if session.groups:
                connection.execute(insert(SESSION_GROUPS), groups_rows(session))

    def close(self, session_id: str, at: datetime, reason: str) -> bool:
        """Write that a session ended. Return whether it was open: the first call decides, later ones change nothing."""
        with self._write() as connection:
            closed = connection.execute(
                update(SESSIONS)
                .where(SESSIONS.c.id == session_id, SESSIONS.c.ended_at.is_(None))
                .values(ended_at=at, last_seen_at=at, end_reason=reason, uncounted=1)
            )
            return bool(closed.rowcount)

    def close_unseen(self, ids: Iterable[str], reason: str) -> int:
        """Write that sessions ended whose end nobody saw: at the moment at which each was seen last.

        Return how many were open.
        """
        seen = func.coalesce(SESSIONS.c.last_seen_at, SESSIONS.c.ready_at)
        return self._update(ids, {"ended_at": seen, "end_reason": reason})

    def seen(self, ids: Iterable[str], at: datetime) -> None:
        """Write that these sessions were running at that moment. Closed and unknown ones are left as they are."""
        self._update(ids, {"last_seen_at": at})

    def _update(self, ids: Iterable[str], values: Mapping[str, Any]) -> int:
        """Change those of the sessions that have no end. Return how many there were."""
        wanted, changed = list(ids), 0
        with self._write() as connection:
            # Databases bound the number of parameters of a statement; SQLite's was 999 for long.
            for start in range(0, len(wanted), 500):
                these = SESSIONS.c.id.in_(wanted[start : start + 500])
                statement = update(SESSIONS).where(these, SESSIONS.c.ended_at.is_(None)).values(**values, uncounted=1)
                changed += connection.execute(statement).rowcount
        return changed

    def without_end(self, hub: str) -> dict[str, datetime]:
        """Return the sessions of a hub that have no end yet, with the moment at which each was ready."""
        found = select(SESSIONS.c.id, SESSIONS.c.ready_at).where(SESSIONS.c.hub == hub, SESSIONS.c.ended_at.is_(None))
        with self.engine.begin() as connection:
            return {row.id: row.ready_at for row in connection.execute(found)}

    def sessions(
        self,
        hub: str,
        start: datetime,
        end: datetime,
        *,
        users: Collection[str] | None = None,
        groups: Collection[str] | None = None,
        communities: Collection[str] | None = None,
        limit: int | None = None,
    ) -> list[Session]:
        """Return the sessions of a hub that touch the time from ``start`` to ``end``, the newest first.

        ``users``, ``groups`` (at the time of the session) and ``communities`` narrow them; an empty collection
        matches nothing. ``limit`` keeps the newest.
        """
        chosen: list[ColumnElement[bool]] = [
            SESSIONS.c.hub == hub,
            SESSIONS.c.ready_at < end,
            or_(SESSIONS.c.ended_at.is_(None), SESSIONS.c.ended_at > start),
        ]
        if users is not None:
            chosen.append(SESSIONS.c.user_name.in_(list(users)))
        if communities is not None:
            chosen.append(SESSIONS.c.community.in_(list(communities)))
        if groups is not None:
            member = and_(SESSION_GROUPS.c.session_id == SESSIONS.c.id, SESSION_GROUPS.c.group.in_(list(groups)))
            chosen.append(exists().where(member))
        # id makes the order, and with it what a limit keeps, the same each time.
        found = select(*_OF_SESSION).where(*chosen).order_by(SESSIONS.c.ready_at.desc(), SESSIONS.c.id).limit(limit)
        with self.engine.begin() as connection:
            rows = connection.execute(found).mappings().all()
            groups_of = _groups(connection, [row["id"] for row in rows])
        return [Session(**row, groups=frozenset(groups_of.get(row["id"], ()))) for row in rows]

    def analyze(self) -> None:
        """Have SQLite look how its indexes are filled, in samples, which takes milliseconds; PostgreSQL does it itself.

        Without it SQLite cannot tell which index leads to few rows, and walks through those of a month for a handful.
        """
        if self.engine.dialect.name != "sqlite":
            return
        with self._write() as connection:
            connection.execute(text(f"PRAGMA analysis_limit={_SAMPLE}"))
            connection.execute(text("ANALYZE"))

    def dispose(self) -> None:
        """Close the connections. The ledger can still be used, and opens new ones."""
        self.engine.dispose()

    def _write(self) -> AbstractContextManager[Connection]:
        return self.engine.execution_options(**{WRITE: True}).begin()

    def _write_ahead(self) -> None:
        """Switch the file to the write-ahead log, so that pages are read while the hub writes. The file remembers."""
        with self.engine.connect() as connection:
            driver: Any = connection.connection.dbapi_connection
            try:
                driver.execute("PRAGMA journal_mode=WAL")
            except self.engine.dialect.dbapi.OperationalError as error:  # type: ignore[union-attr]
                # Another process may be switching right now; SQLite then refuses without waiting.
                if "locked" not in str(error):
                    raise OperationalError("PRAGMA journal_mode=WAL", None, error) from None


def session_row(session: Session) -> dict[str, Any]:
    """Return a session as its table has it; ``ValueError`` for one that was never ready."""
    if session.ready_at is None:
        raise ValueError(f"session {session.id} is not ready, and only what was ready is in the ledger")
    row = {name: getattr(session, name) for name in _COLUMNS}
    seen = session.last_seen_at or session.ended_at or session.ready_at
    return {**row, "choices": dict(session.choices), "last_seen_at": seen}


def groups_rows(session: Session) -> list[dict[str, str]]:
    """Return the groups of a session as their table has them."""
    return [{"session_id": session.id, "group": group} for group in sorted(session.groups)]


def _groups(connection: Connection, ids: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for start in range(0, len(ids), 500):
        chosen = select(SESSION_GROUPS).where(SESSION_GROUPS.c.session_id.in_(ids[start : start + 500]))
        for session_id, group in connection.execute(chosen):
            found.setdefault(session_id, []).append(group)
    return found
