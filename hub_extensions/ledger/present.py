"""What is so now, read from the rows of sessions: what runs, and why sessions ended of late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from .tables import SESSIONS

if TYPE_CHECKING:
    from ..sessions import Window
    from .store import Ledger


class Present:
    """Reads the rows of the hub that the ledger knows as ``hub``.

    Methods raise ``sqlalchemy.exc.SQLAlchemyError`` when the database does not answer.
    """

    def __init__(self, ledger: Ledger, hub: str) -> None:
        self.ledger = ledger
        self.hub = hub

    def running(self) -> dict[tuple[str, ...], float]:
        """Return how many sessions have no end yet, by community and profile."""
        by = (SESSIONS.c.community, SESSIONS.c.profile)
        found = select(*by, func.count()).where(SESSIONS.c.hub == self.hub, SESSIONS.c.ended_at.is_(None)).group_by(*by)
        with self.ledger.engine.begin() as connection:
            return {(community, profile): count for community, profile, count in connection.execute(found)}

    def ended(self, window: Window) -> dict[str, int]:
        """Return how many sessions ended in the window, by the reason."""
        found = (
            select(SESSIONS.c.end_reason, func.count())
            .where(SESSIONS.c.hub == self.hub, SESSIONS.c.ended_at >= window.start, SESSIONS.c.ended_at < window.end)
            .group_by(SESSIONS.c.end_reason)
        )
        with self.ledger.engine.begin() as connection:
            return {row[0]: row[1] for row in connection.execute(found)}
