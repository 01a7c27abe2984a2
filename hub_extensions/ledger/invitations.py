"""The invitations of a hub in the database, synchronous: the hub and the usage service call it from threads."""

from __future__ import annotations

import hmac
import secrets
import threading
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from .. import invitations
from ..invitations import NOT_OURS, Invitation, Person, Use
from .engine import WRITE
from .tables import INVITATION_SECRETS, INVITATION_USES, INVITATIONS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import datetime

    from sqlalchemy import Connection, RowMapping

    from .store import Ledger

_COLUMNS = [column for column in INVITATIONS.c if column.name != "token_digest"]


class InvitationStore:
    """The invitations of the hub that the ledger knows as ``hub``.

    The key that signs them is derived from ``secret``, of at least 32 bytes (``ValueError``), or else from one that the
    database keeps: it is all that the hub, the usage service and the command line are sure to share. Whoever can only
    read the database gains nothing by it, as a token counts only if its digest is stored; against somebody who can
    write there, a secret that is kept elsewhere protects. Methods raise ``sqlalchemy.exc.SQLAlchemyError`` when the
    database does not answer. Threads may share one.
    """

    def __init__(self, ledger: Ledger, hub: str, secret: str = "") -> None:
        self.ledger = ledger
        self.hub = hub
        self._given = invitations.signing_key(secret) if secret else None
        self._kept: bytes | None = None
        self._migrated = False
        self._migrating = threading.Lock()

    def make(self, invitation: Invitation) -> tuple[Invitation, str]:
        """Store a new invitation; return it with its number, and the token of its link, which nobody can read again."""
        token = invitations.new_token(self._key(), self.hub)
        row = {column.name: getattr(invitation, column.name) for column in _COLUMNS if column.name != "id"}
        row |= {"hub": self.hub, "token_digest": invitations.digest_of(token)}
        with self._connection(write=True) as connection:
            stored = connection.execute(insert(INVITATIONS).values(row))
            (number,) = stored.inserted_primary_key or (0,)
        return replace(invitation, id=number, hub=self.hub), token

    def look_up(self, token: str) -> Invitation | None:
        """Return the invitation of a link; None for a token that was not made for this hub."""
        if not invitations.is_genuine(token, self._key(), self.hub):
            return None
        digest = invitations.digest_of(token)
        with self._connection() as connection:
            rows = connection.execute(select(INVITATIONS).where(INVITATIONS.c.token_digest == digest)).mappings().all()
            found = _with_uses(connection, [row for row in rows if hmac.compare_digest(row["token_digest"], digest)])
        return next((each for each in found if each.hub == self.hub), None)

    def redeem(self, number: int, person: Person, now: datetime) -> str:
        """Write that a person joins by an invitation; return why they cannot, or "".

        Of those who come at once for the last place one gets it. Whoever comes again has joined already.
        """
        chosen = select(INVITATIONS).where(INVITATIONS.c.id == number, INVITATIONS.c.hub == self.hub)
        with self._connection(write=True) as connection:
            # SQLite has the whole database to itself here, PostgreSQL the row.
            found = _with_uses(connection, connection.execute(chosen.with_for_update()).mappings().all())
            if not found:
                return NOT_OURS
            [invitation] = found
            refusal = invitation.refusal_of(person, now)
            if refusal or invitation.used_by(person):
                return refusal
            connection.execute(
                insert(INVITATION_USES).values(
                    invitation_id=number,
                    provider=person.provider,
                    subject=person.subject,
                    user_name=person.user_name,
                    used_at=now,
                )
            )
            return ""

    def joined(self, person: Person) -> frozenset[str]:
        """Return the communities that the person has joined by an invitation that holds."""
        by = [INVITATION_USES.c.provider == person.provider, INVITATION_USES.c.subject == person.subject]
        return frozenset(community for community, revoked_at in self._uses(by) if revoked_at is None)

    def withdrawn(self, user_name: str) -> Mapping[str, datetime]:
        """Return the communities that a user had joined by invitations which no longer hold, and since when."""
        holding: set[str] = set()
        gone: dict[str, datetime] = {}
        for community, revoked_at in self._uses([INVITATION_USES.c.user_name == user_name]):
            if revoked_at is None:
                holding.add(community)
            else:
                gone[community] = max(revoked_at, gone.get(community, revoked_at))
        return {community: since for community, since in gone.items() if community not in holding}

    def listed(self, community: str) -> list[Invitation]:
        """Return the invitations to a community, with who came by each, the newest first."""
        chosen = [INVITATIONS.c.hub == self.hub, INVITATIONS.c.community == community]
        with self._connection() as connection:
            found = select(INVITATIONS).where(*chosen).order_by(INVITATIONS.c.id.desc())
            return _with_uses(connection, connection.execute(found).mappings().all())

    def revoke(self, number: int, community: str, by: str, now: datetime) -> bool:
        """Withdraw an invitation to a community, and so what people have by it. Return whether there is such a one.

        Of several calls the first is kept.
        """
        chosen = [INVITATIONS.c.id == number, INVITATIONS.c.hub == self.hub, INVITATIONS.c.community == community]
        with self._connection(write=True) as connection:
            connection.execute(
                update(INVITATIONS)
                .where(*chosen, INVITATIONS.c.revoked_at.is_(None))
                .values(revoked_at=now, revoked_by=by)
            )
            return connection.scalar(select(INVITATIONS.c.id).where(*chosen)) is not None

    def _uses(self, chosen: Collection[ColumnElement[bool]]) -> list[tuple[str, datetime | None]]:
        found = (
            select(INVITATIONS.c.community, INVITATIONS.c.revoked_at)
            .join(INVITATION_USES, INVITATION_USES.c.invitation_id == INVITATIONS.c.id)
            .where(INVITATIONS.c.hub == self.hub, *chosen)
        )
        with self._connection() as connection:
            return [(row.community, row.revoked_at) for row in connection.execute(found)]

    def _key(self) -> bytes:
        if self._given:
            return self._given
        if self._kept is None:
            self._kept = invitations.signing_key(self._kept_secret())
        return self._kept

    def _kept_secret(self) -> str:
        kept = select(INVITATION_SECRETS.c.secret).where(INVITATION_SECRETS.c.hub == self.hub)
        with self._connection() as connection:
            found = connection.scalar(kept)
        if found is None:
            try:
                with self._connection(write=True) as connection:
                    connection.execute(insert(INVITATION_SECRETS).values(hub=self.hub, secret=secrets.token_hex(32)))
            except IntegrityError:
                pass  # another process was first
            with self._connection() as connection:
                found = connection.scalar(kept)
        return str(found)

    @contextmanager
    def _connection(self, *, write: bool = False) -> Iterator[Connection]:
        """Connect, and make the tables before the first time."""
        with self._migrating:
            if not self._migrated:
                self.ledger.migrate()
                self._migrated = True
        try:
            with self.ledger.engine.execution_options(**{WRITE: write}).begin() as connection:
                yield connection
        except SQLAlchemyError:
            self._migrated = False  # the database may come back empty, as a file that was removed does
            raise


def _with_uses(connection: Connection, rows: Collection[RowMapping]) -> list[Invitation]:
    uses: dict[int, list[Use]] = {}
    numbers = [row["id"] for row in rows]
    # Databases bound the number of parameters of a statement; SQLite's was 999 for long.
    for start in range(0, len(numbers), 500):
        chosen = (
            select(INVITATION_USES)
            .where(INVITATION_USES.c.invitation_id.in_(numbers[start : start + 500]))
            .order_by(INVITATION_USES.c.used_at, INVITATION_USES.c.user_name)
        )
        for use in connection.execute(chosen):
            person = Person(use.provider, use.subject, use.user_name)
            uses.setdefault(use.invitation_id, []).append(Use(person, use.used_at))
    return [
        Invitation(**{column.name: row[column.name] for column in _COLUMNS}, uses=tuple(uses.get(row["id"], ())))
        for row in rows
    ]
