"""Figures of months that are kept once they were made, until what they were made of changes.

They hold no name. Whoever makes some calls `begin` before the first read, so that a change meanwhile is not missed.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError

from .engine import WRITE
from .tables import MONTH_CELLS, MONTH_FIGURES, PEOPLE

if TYPE_CHECKING:
    from collections.abc import Collection
    from contextlib import AbstractContextManager
    from datetime import date, datetime

    from sqlalchemy import ColumnElement, Connection

    from .store import Ledger

_TABLE = MONTH_FIGURES.c


@dataclass(frozen=True)
class Kept:
    """That figures were made: with what was ``asked``, and when. ``stale``: something has changed since."""

    asked: str
    made_at: datetime | None
    stale: bool


class KeptFigures:
    """Keeps figures of the hub that the ledger knows as ``hub``, as JSON.

    They are of the month that begins with ``day``, and of a community, or of the hub as a whole, which is "". Methods
    raise ``sqlalchemy.exc.SQLAlchemyError`` when the database does not answer.
    """

    def __init__(self, ledger: Ledger, hub: str) -> None:
        self.ledger = ledger
        self.hub = hub

    def read(self, day: date, community: str) -> tuple[Kept, Any] | None:
        """Return the figures with what is known of them, None if there are none."""
        found = select(_TABLE.asked, _TABLE.made_at, _TABLE.stale, _TABLE.figures).where(*self._of(day, community))
        with self.ledger.engine.begin() as connection:
            row = connection.execute(found).one_or_none()
        return row and (Kept(row.asked, row.made_at, bool(row.stale)), row.figures)

    def all(self) -> dict[tuple[date, str], Kept]:
        """Return what is known of all figures, by month and community."""
        found = select(_TABLE.day, _TABLE.community, _TABLE.asked, _TABLE.made_at, _TABLE.stale)
        with self.ledger.engine.begin() as connection:
            rows = connection.execute(found.where(_TABLE.hub == self.hub)).all()
        return {(row.day, row.community): Kept(row.asked, row.made_at, bool(row.stale)) for row in rows}

    def begin(self, day: date, community: str) -> str:
        """Say that figures are going to be made. Return what `write` is to be told."""
        making = uuid.uuid4().hex
        row = {"hub": self.hub, "day": day, "community": community, "asked": "", "figures": None, "stale": 1}
        if self._update(self._of(day, community), making=making):
            return making
        try:
            with self._write() as connection:
                connection.execute(insert(MONTH_FIGURES).values(**row, making=making))
        except IntegrityError:  # another process was first
            self._update(self._of(day, community), making=making)
        return making

    def write(self, day: date, community: str, making: str, asked: str, figures: Any, now: datetime) -> None:
        """Keep figures. If something has changed since they were begun, they are stale."""
        mine, made = self._of(day, community), {"asked": asked, "figures": figures, "made_at": now}
        if not self._update([*mine, _TABLE.making == making], **made, stale=0, making=""):
            self._update(mine, **made, stale=1)

    def first_day(self) -> date | None:
        """Return the first day of the first month of which there is anything."""
        with self.ledger.engine.begin() as connection:
            found = connection.scalar(select(func.min(MONTH_CELLS.c.day)).where(MONTH_CELLS.c.hub == self.hub))
        first: date | None = found
        return first

    def cells(self, day: date) -> int:
        """Return how many cells there are of a month of the hub: as much is added up for figures of it."""
        chosen = (MONTH_CELLS.c.hub == self.hub, MONTH_CELLS.c.day == day)
        with self.ledger.engine.begin() as connection:
            return connection.scalar(select(func.count()).select_from(MONTH_CELLS).where(*chosen)) or 0

    def people(self, names: Collection[str]) -> dict[str, int]:
        """Return the numbers of a few hundred people."""
        return {name: number for number, name in self._people(PEOPLE.c.user_name.in_(sorted(names)))}

    def names(self, people: Collection[int]) -> dict[int, str]:
        """Return the names of a few hundred people."""
        return dict(self._people(PEOPLE.c.id.in_(sorted(people))))

    def _people(self, chosen: ColumnElement[bool]) -> list[tuple[int, str]]:
        with self.ledger.engine.begin() as connection:
            found = connection.execute(select(PEOPLE.c.id, PEOPLE.c.user_name).where(PEOPLE.c.hub == self.hub, chosen))
            return [(row.id, row.user_name) for row in found]

    def _of(self, day: date, community: str) -> list[ColumnElement[bool]]:
        return [_TABLE.hub == self.hub, _TABLE.day == day, _TABLE.community == community]

    def _update(self, chosen: list[ColumnElement[bool]], **values: Any) -> int:
        with self._write() as connection:
            return connection.execute(update(MONTH_FIGURES).where(*chosen).values(values)).rowcount

    def _write(self) -> AbstractContextManager[Connection]:
        return self.ledger.engine.execution_options(**{WRITE: True}).begin()
