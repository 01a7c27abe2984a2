"""What both kinds of files have in common: lines that may be wrong, moments, names, and sessions made of them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from ..mistakes import shown
from ..sessions import Session

if TYPE_CHECKING:
    from datetime import tzinfo

LONGEST_NAME = 255  # characters; what JupyterHub's database keeps

_IMPORTED = UUID("8a0f9a4e-5c3e-4ad1-9c38-3d2f0c3b7e11")
_EARLIEST = datetime(2010, 1, 1, tzinfo=UTC)


class UnusableError(Exception):
    """A line cannot be used; the message says why."""


@dataclass(frozen=True)
class BadLine:
    """A line that cannot be used: its number, counted from 1, and what is wrong with it."""

    number: int
    what: str


@dataclass(frozen=True)
class SessionKeys:
    """What sessions of files lack: the hub's name in the ledger, and the zone of times without one, if it is known.

    Nothing can have happened after ``now``.
    """

    hub: str
    now: datetime
    zone: tzinfo | None = None

    def moment(self, text: str, name: str) -> datetime:
        """Read a time as ISO 8601 has it; ``UnusableError`` for anything else."""
        try:
            # JupyterHub's own log has both an offset and a Z.
            moment = datetime.fromisoformat(text.strip().replace("+00:00Z", "+00:00"))
        except ValueError:
            raise UnusableError(f"{name} is {shown(text)}; expected a time such as 2026-01-31T14:05:00Z") from None
        if moment.tzinfo is None:
            moment = self._local(moment, text, name)
        try:
            moment = moment.astimezone(UTC)
        except OverflowError:
            raise UnusableError(f"{name} is {shown(text)}, which no calendar has in UTC") from None
        if not _EARLIEST <= moment <= self.now + timedelta(minutes=5):
            raise UnusableError(f"{name} is {shown(text)}, which is not between {_EARLIEST.year} and now")
        return moment

    def _local(self, moment: datetime, text: str, name: str) -> datetime:
        if self.zone is None:
            raise UnusableError(
                f"{name} is {shown(text)}, without a time zone; write 2026-01-31T14:05:00+01:00, or say --time-zone"
            )
        local = moment.replace(tzinfo=self.zone)
        if local.astimezone(UTC).astimezone(self.zone).replace(tzinfo=None) != moment:
            raise UnusableError(f"{name} is {shown(text)}, which clocks in {self.zone} skipped")
        return local

    def session(self, user_name: str, server_name: str, ready_at: datetime, **rest: Any) -> Session:
        """Return a session. The same server at the same moment has the same id, whichever file it is read from."""
        name = "\0".join((self.hub, user_name, server_name, ready_at.isoformat()))
        return Session(
            id=uuid5(_IMPORTED, name).hex,
            hub=self.hub,
            user_name=user_name,
            server_name=server_name,
            ready_at=ready_at,
            **rest,
        )


def name_in(value: Any, what: str, *, may_be_empty: bool = False, longest: int = LONGEST_NAME) -> str:
    """Return a text that the ledger can hold; ``UnusableError`` for anything else."""
    if not isinstance(value, str):
        raise UnusableError(f"{what} is {shown(value)}; expected text")
    if not (value or may_be_empty):
        raise UnusableError(f"{what} is empty")
    if len(value) > longest:
        raise UnusableError(f"{what} has {len(value)} characters; {longest} are the most")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in value):
        raise UnusableError(f"{what} is {shown(value)}, which has control characters in it")
    return value
