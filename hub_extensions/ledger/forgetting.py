"""Forgets one person of a hub, everywhere in the ledger's database: without a trace, or without the name."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, delete, func, insert, literal, or_, select, tuple_, update

from .. import user_names
from .counting import recount
from .engine import WRITE
from .tables import DAY_CELLS, INVITATION_USES, INVITATIONS, LEDGER_ZONES, MONTH_CELLS, PEOPLE, SESSION_GROUPS, SESSIONS

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from sqlalchemy import ColumnElement, Connection

    from .store import Ledger

NAMELESS = "forgotten-"
"""What the names begin with that take the place of those of people."""

_AT_ONCE = 500  # databases bound the number of parameters of a statement; SQLite's was 999 for long


@dataclass(frozen=True)
class Rows:
    """What the database holds of a person, in rows; ``running`` of the sessions have not ended.

    ``written_in`` are sessions in whose image, choices or groups the person's name stands, and ``notes`` invitations in
    whose note it does.
    """

    sessions: int
    running: int
    days: int
    invitations_made: int
    invitations_withdrawn: int
    invitations_used: int
    written_in: int
    notes: int

    def __bool__(self) -> bool:
        return bool(
            self.sessions or self.days or self.invitations_made or self.invitations_withdrawn or self.invitations_used
        )


@dataclass(frozen=True)
class Forgotten:
    """What was done: rows that there were, and the name that now stands there, "" if none does.

    ``overwritten``: nothing of it is left in SQLite's files. A database server does that in its own time: always false.
    """

    rows: Rows
    name: str
    overwritten: bool


class Forgetting:
    """Forgets people of the hub that the ledger knows as ``hub``. Names are exact, to the letter case.

    All of it is done, or nothing. Methods raise ``sqlalchemy.exc.SQLAlchemyError`` when the database does not answer.
    """

    def __init__(self, ledger: Ledger, hub: str) -> None:
        self.ledger = ledger
        self.hub = hub

    def rows(self, user_name: str) -> Rows:
        """Return what there is of a person."""
        with self.ledger.engine.begin() as connection:
            return self._rows(connection, user_name)

    def alike(self, user_name: str) -> list[str]:
        """Return the names that differ from this one in letter case alone."""
        folded = user_names.key(user_name)
        with self.ledger.engine.begin() as connection:
            people = select(PEOPLE.c.user_name).where(PEOPLE.c.hub == self.hub, PEOPLE.c.folded == folded)
            return sorted(name for name in connection.execute(people).scalars() if name != user_name)

    def erase(self, user_name: str) -> Forgotten:
        """Remove a person's sessions, and what was made of them.

        Of the invitations that they used the place stays taken, by nobody; those that they made stay, by nobody.
        """
        with self._write() as connection:
            found = self._rows(connection, user_name)
            recount(connection, self.hub, user_name)
            ids = select(SESSIONS.c.id).where(*self._theirs(user_name))
            connection.execute(delete(SESSION_GROUPS).where(SESSION_GROUPS.c.session_id.in_(ids)))
            connection.execute(delete(SESSIONS).where(*self._theirs(user_name)))
            connection.execute(delete(PEOPLE).where(PEOPLE.c.hub == self.hub, PEOPLE.c.user_name == user_name))
            self._forget_invitations(connection, user_name)
        return Forgotten(found, "", self._overwrite())

    def unname(self, user_name: str) -> Forgotten:
        """Put a random name in the place of a person's.

        Sums stay what they are. Servers lose their names, and sessions get new numbers: by those of before the logs of
        the hub, or whoever knows when a server started, could tell whose they are.
        """
        nameless = NAMELESS + secrets.token_hex(8)
        with self._write() as connection:
            found = self._rows(connection, user_name)
            # The turn to change cells of this hub, as the counter takes it: it knows people by their names.
            connection.execute(select(LEDGER_ZONES.c.hub).where(LEDGER_ZONES.c.hub == self.hub).with_for_update())
            ids = connection.execute(select(SESSIONS.c.id).where(*self._theirs(user_name))).scalars().all()
            for old in ids:
                self._rename(connection, old, nameless)
            connection.execute(
                update(PEOPLE)
                .where(PEOPLE.c.hub == self.hub, PEOPLE.c.user_name == user_name)
                .values(user_name=nameless, folded=user_names.key(nameless))
            )
            self._forget_invitations(connection, user_name)
        return Forgotten(found, nameless, self._overwrite())

    @staticmethod
    def _rename(connection: Connection, old: str, nameless: str) -> None:
        """Put a session under a new number and name: the groups of the old one refer to it, so it goes last."""
        new = uuid.uuid4().hex
        changed = {"id": new, "user_name": nameless, "server_name": ""}
        columns: list[ColumnElement[Any]] = [
            literal(changed[column.name]) if column.name in changed else column for column in SESSIONS.c
        ]
        copied = select(*columns).where(SESSIONS.c.id == old)
        connection.execute(insert(SESSIONS).from_select([column.name for column in SESSIONS.c], copied))
        connection.execute(update(SESSION_GROUPS).where(SESSION_GROUPS.c.session_id == old).values(session_id=new))
        connection.execute(delete(SESSIONS).where(SESSIONS.c.id == old))

    def _forget_invitations(self, connection: Connection, user_name: str) -> None:
        by = {name: case((INVITATIONS.c[name] == user_name, ""), else_=INVITATIONS.c[name]) for name in _BY}
        connection.execute(
            update(INVITATIONS)
            .where(INVITATIONS.c.hub == self.hub, or_(*(INVITATIONS.c[name] == user_name for name in _BY)))
            .values(by)
        )
        # One by one: whoever is nobody is a different nobody each time, or an invitation would seem to be used once.
        for use in connection.execute(select(INVITATION_USES).where(self._uses(connection, user_name))).all():
            mine = and_(*(INVITATION_USES.c[name] == getattr(use, name) for name in _OF_USE))
            nobody = {"provider": "", "subject": secrets.token_hex(8), "user_name": ""}
            connection.execute(update(INVITATION_USES).where(mine).values(nobody))

    def _rows(self, connection: Connection, user_name: str) -> Rows:
        def count(chosen: Any) -> int:
            return connection.scalar(select(func.count()).select_from(chosen.subquery())) or 0

        theirs = select(SESSIONS).where(*self._theirs(user_name))
        people = select(PEOPLE.c.id).where(PEOPLE.c.hub == self.hub, PEOPLE.c.user_name == user_name)
        mine = select(INVITATIONS.c.id).where(INVITATIONS.c.hub == self.hub)
        return Rows(
            sessions=count(theirs),
            running=count(theirs.where(SESSIONS.c.ended_at.is_(None))),
            days=sum(
                count(select(cells.c.day).where(cells.c.person_id.in_(people))) for cells in (DAY_CELLS, MONTH_CELLS)
            ),
            invitations_made=count(mine.where(INVITATIONS.c.made_by == user_name)),
            invitations_withdrawn=count(mine.where(INVITATIONS.c.revoked_by == user_name)),
            invitations_used=count(select(INVITATION_USES).where(self._uses(connection, user_name))),
            written_in=self._written_in(connection, user_name),
            notes=sum(
                user_name.casefold() in note.casefold()
                for note in connection.execute(mine.with_only_columns(INVITATIONS.c.note)).scalars()
            ),
        )

    def _written_in(self, connection: Connection, user_name: str) -> int:
        """Count the sessions in whose image, choices or groups the name stands, as in ``ghcr.io/ada/image``."""
        folded = user_name.casefold()
        columns = select(SESSIONS.c.id, SESSIONS.c.image, SESSIONS.c.choices).where(*self._theirs(user_name))
        named = {row.id for row in connection.execute(columns) if folded in f"{row.image}\n{row.choices}".casefold()}
        groups = select(SESSION_GROUPS).join(SESSIONS).where(*self._theirs(user_name))
        named |= {row.session_id for row in connection.execute(groups) if folded in row.group.casefold()}
        return len(named)

    def _theirs(self, user_name: str) -> list[ColumnElement[bool]]:
        return [SESSIONS.c.hub == self.hub, SESSIONS.c.user_name == user_name]

    def _uses(self, connection: Connection, user_name: str) -> ColumnElement[bool]:
        """Choose the uses of this hub's invitations by the person: by the name, and by who had the name."""
        here = INVITATION_USES.c.invitation_id.in_(select(INVITATIONS.c.id).where(INVITATIONS.c.hub == self.hub))
        identities = (
            select(INVITATION_USES.c.provider, INVITATION_USES.c.subject)
            .where(here, INVITATION_USES.c.user_name == user_name, INVITATION_USES.c.provider != "")
            .distinct()
        )
        known = [tuple(row) for row in connection.execute(identities)]
        identity = tuple_(INVITATION_USES.c.provider, INVITATION_USES.c.subject)
        return and_(here, or_(INVITATION_USES.c.user_name == user_name, identity.in_(known)))

    def _overwrite(self) -> bool:
        """Write SQLite's file anew, and empty its log: both hold what was removed. Return whether that could be done.

        Others may read and write meanwhile, but one that does so all the time keeps it from its end.
        """
        if self.ledger.engine.dialect.name != "sqlite":
            return False
        with self.ledger.engine.connect() as connection:
            driver: Any = connection.connection.dbapi_connection
            # The bound on the time of a transaction, which no transaction began.
            driver.set_progress_handler(None, 0)
            try:
                driver.execute("VACUUM")
                busy, *_ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            except self.ledger.engine.dialect.dbapi.OperationalError:  # type: ignore[union-attr]
                return False  # somebody writes, or the disk has no room for a second file
        return not busy

    def _write(self) -> AbstractContextManager[Connection]:
        return self.ledger.engine.execution_options(**{WRITE: True}).begin()


_BY = ("made_by", "revoked_by")
_OF_USE = ("invitation_id", "provider", "subject")
