"""What becomes of sessions that are no longer kept: sums without names, and then nothing.

Whole months go, the oldest first, in three steps, each of which may be the last before a crash:

1. The sums of each of its days are written, and of the month as a whole. Nobody reads them yet.
2. If they are still what the cells come to, the month is said to be in the totals, and what reports need of it besides
   is written in the same moment: from now on they read those.
3. What is older than that goes: sessions with their groups, cells, and people and kinds that nothing uses any more. Of
   its last six days cells stay until the next month goes, since weeks and 30 days of that month reach into them.

Each run first does what an earlier one has left undone, since all it does is decided by what the database says. A
session that runs, or that ended in a later month, stays; only what it was in the month is then in the totals.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, delete, func, insert, literal, literal_column, or_, select, update

from .. import user_names
from ..sessions import Month
from ..sums import Days, Scope, midnight
from .counting import Counter
from .engine import WRITE
from .month_figures import MonthFigures
from .past_months import NOBODY, PastMonths, until, written
from .tables import (
    DAY_CELLS,
    KIND_GROUPS,
    KINDS,
    LEDGER_ZONES,
    MEASURES,
    MONTH_CELLS,
    MONTH_FIGURES,
    PAST_MONTHS,
    PAST_PEOPLE,
    PEOPLE,
    SESSION_GROUPS,
    SESSIONS,
    TOTALS,
    TOTALS_UNTIL,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from contextlib import AbstractContextManager
    from datetime import date, datetime, tzinfo

    from sqlalchemy import ColumnElement, Connection, FromClause, Select, Table

    from ..keeping import Keeping
    from .past_months import LeftOut
    from .store import Ledger

DIMENSIONS = ("community", "group", "profile")
DAY, MONTH = "day", "month"
REACH = timedelta(days=6)
"""So far figures of a month reach into the one before: its first week, and in February the last of 30 days."""
_ATTEMPTS = 3
# As it stands in the index, which no parameter may take the place of.
_UNCOUNTED = SESSIONS.c.uncounted == literal_column("1")


@dataclass(frozen=True)
class Gone:
    """What a run did: months that are now in the totals, and rows that went."""

    months: int = 0
    sessions: int = 0
    people: int = 0


class Retention:
    """Lets go of the old sessions of the hub that the ledger knows as ``hub``; its days are those of ``zone``.

    The totals of a month leave out the people whom ``left_out`` names for it, whatever the letter case, as its reports
    did; ``without`` says in few words who that is. ``batch`` bounds the rows of one transaction. Several processes may
    run it at once. Methods raise ``sqlalchemy.exc.SQLAlchemyError`` when the database does not answer: what was done
    until then stays, and is right.
    """

    def __init__(
        self,
        ledger: Ledger,
        hub: str,
        zone: tzinfo,
        *,
        left_out: Callable[[Month], Collection[str]] = lambda _month: (),
        without: LeftOut = NOBODY,
        batch: int = 500,
    ) -> None:
        self.ledger = ledger
        self.hub = hub
        self.zone = zone
        self.left_out = left_out
        self.without = without
        self.batch = batch

    def let_go(self, now: datetime, keeping: Keeping, *, stopped: Callable[[], bool] = lambda: False) -> Gone:
        """Put the months that need not be kept into the totals, and remove their sessions.

        Ends early, between two transactions, once ``stopped()`` says so.
        """
        first_kept = keeping.first_kept(now, self.zone)
        months = 0
        if first_kept is not None:
            Counter(self.ledger, self.hub, self.zone).count_up(now)
            while not stopped() and (month := self._next(first_kept)):
                if not self._to_totals(month, now, stopped):
                    break
                months += 1
        sessions = self._repeat(self._remove_sessions, stopped)
        for cells in _CELLS:
            self._repeat(partial(self._remove_cells, cells), stopped)
        people = self._repeat(self._remove_people, stopped)
        if not stopped():
            self._remove_kinds()
        return Gone(months, sessions, people)

    @staticmethod
    def _repeat(remove: Callable[[], int], stopped: Callable[[], bool]) -> int:
        removed = 0
        while not stopped() and (some := remove()):
            removed += some
        return removed

    def _next(self, first_kept: date) -> Days | None:
        """Return the oldest month that is not in the totals and need not be kept."""
        with self.ledger.engine.begin() as connection:
            first: date | None = until(connection, self.hub) or connection.scalar(
                select(func.min(MONTH_CELLS.c.day)).where(MONTH_CELLS.c.hub == self.hub)
            )
        return Days.month(Month(first.year, first.month)) if first and first < first_kept else None

    def _to_totals(self, days: Days, now: datetime, stopped: Callable[[], bool]) -> bool:
        """Put a month into the totals. Return whether it is there: not if its cells were changing all the time."""
        month = Month(days.start.year, days.start.month)
        names = self.left_out(month)
        folded = sorted(set(map(user_names.key, names)))
        for _ in range(_ATTEMPTS):
            for day in days:
                if stopped() or not self._write_totals(DAY, day, DAY_CELLS, folded):
                    return False
            if not self._write_totals(MONTH, days.start, MONTH_CELLS, folded):
                return False
            if stopped():
                return False
            if self._settle(days, folded, self._figures(month, now, frozenset(names))):
                return True
        return False

    def _figures(self, month: Month, now: datetime, names: frozenset[str]) -> list[dict[str, Any]]:
        """Return the rows of what reports need of a month: of the hub, and of each community that had somebody."""
        figures = MonthFigures(self.ledger, self.hub)
        of = {"hub": self.hub, "day": Days.month(month).start, "without": asdict(self.without)}
        found = figures.read(month, self.zone, now, scope=Scope(without=names))
        rows = [{**of, "community": "", "figures": written(found)}]
        # Of those of the month before, all may have gone already.
        before = PastMonths(self.ledger, self.hub).communities(Days.month(month.plus(-1)).start)
        for community in sorted({*figures.communities(), *before}):
            scope = Scope(communities=frozenset({community}), without=names)
            found = figures.read(month, self.zone, now, scope=scope)
            if found.parts or found.kept.lost or found.ended or any(gap.people for gap in found.gaps):
                rows.append({**of, "community": community, "figures": written(found)})
        return rows

    def _write_totals(self, span: str, day: date, cells: Table, without: list[str]) -> bool:
        """Write the sums of a day, or of the month that begins with it, by each combination of dimensions."""
        with self._write() as connection:
            if not self._may_change(connection, day):
                return False
            connection.execute(
                delete(TOTALS).where(TOTALS.c.hub == self.hub, TOTALS.c.span == span, TOTALS.c.day == day)
            )
            if not connection.scalar(select(select(cells).where(cells.c.hub == self.hub, cells.c.day == day).exists())):
                return True
            for count in range(len(DIMENSIONS) + 1):
                for by in combinations(DIMENSIONS, count):
                    self._add_up(connection, span, day, cells, without, by)
            return True

    def _add_up(
        self, connection: Connection, span: str, day: date, cells: Table, without: list[str], by: tuple[str, ...]
    ) -> None:
        columns: dict[str, ColumnElement[str]] = {
            "community": KINDS.c.community,
            "group": KIND_GROUPS.c.group,
            "profile": KINDS.c.profile,
        }
        joined: FromClause = cells
        if {"community", "profile"}.intersection(by):
            joined = joined.join(KINDS, KINDS.c.id == cells.c.kind_id)
        if "group" in by:
            joined = joined.join(KIND_GROUPS, KIND_GROUPS.c.kind_id == cells.c.kind_id)
        found = (
            select(
                literal(self.hub),
                literal(span),
                literal(day, TOTALS.c.day.type),
                literal(",".join(by)),
                *(columns[name] if name in by else literal("") for name in DIMENSIONS),
                func.count(cells.c.person_id.distinct()),
                *(func.sum(cells.c[name]) for name in MEASURES),
            )
            .select_from(joined)
            .where(*self._counted(cells, without), cells.c.day == day)
            .group_by(*(columns[name] for name in by))
            # Without a dimension there would be a row also where there is nothing.
            .having(func.count() > 0)
        )
        names = ["hub", "span", "day", "by", *DIMENSIONS, "people", *MEASURES]
        connection.execute(insert(TOTALS).from_select(names, found))

    def _settle(self, month: Days, without: list[str], figures: list[dict[str, Any]]) -> bool:
        """Say that a month is in the totals, unless its cells changed meanwhile. Return whether that was said."""
        with self._write() as connection:
            if not self._may_change(connection, month.start):
                return False
            end = midnight(month.end, self.zone)
            behind = select(func.count()).where(
                SESSIONS.c.hub == self.hub,
                _UNCOUNTED,
                SESSIONS.c.ready_at < end,
                or_(SESSIONS.c.counted_until.is_(None), SESSIONS.c.counted_until < end),
            )
            if connection.scalar(behind):
                return False
            columns = ("started", "continued", "seconds", "alone")
            written = select(*(func.coalesce(func.sum(TOTALS.c[name]), 0) for name in columns)).where(
                TOTALS.c.hub == self.hub, TOTALS.c.by == "", TOTALS.c.span == DAY,
                TOTALS.c.day >= month.start, TOTALS.c.day < month.end,
            )  # fmt: skip
            present = select(*(func.coalesce(func.sum(DAY_CELLS.c[name]), 0) for name in columns)).where(
                *self._counted(DAY_CELLS, without), DAY_CELLS.c.day >= month.start, DAY_CELLS.c.day < month.end
            )
            if connection.execute(written).one() != connection.execute(present).one():
                return False
            connection.execute(insert(PAST_MONTHS), figures)
            self._remember(connection, month.start)
            moved = {"day": month.end, "moment": end}
            mine = TOTALS_UNTIL.c.hub == self.hub
            if not connection.execute(update(TOTALS_UNTIL).where(mine).values(moved)).rowcount:
                first = connection.scalar(select(func.min(SESSIONS.c.ready_at)).where(SESSIONS.c.hub == self.hub))
                connection.execute(insert(TOTALS_UNTIL).values(hub=self.hub, **moved, first_ready_at=first))
            return True

    def _remember(self, connection: Connection, month: date) -> None:
        """Write of each person and community that this was the last month, as far as nothing later is in the totals."""
        used = [MONTH_CELLS.c.hub == self.hub, MONTH_CELLS.c.day == month]
        of = MONTH_CELLS.join(KINDS, KINDS.c.id == MONTH_CELLS.c.kind_id)
        pair = [PAST_PEOPLE.c.person_id == MONTH_CELLS.c.person_id, PAST_PEOPLE.c.community == KINDS.c.community]
        connection.execute(delete(PAST_PEOPLE).where(select(KINDS.c.id).select_from(of).where(*used, *pair).exists()))
        kinds = MonthFigures(self.ledger, self.hub).kinds_of_groups(connection, self.without.groups)
        left_out = case((MONTH_CELLS.c.kind_id.in_(kinds), 1), else_=0)
        pairs = (
            select(
                MONTH_CELLS.c.person_id, KINDS.c.community, literal(month, PAST_PEOPLE.c.day.type), func.max(left_out)
            )
            .select_from(of)
            .where(*used)
            .group_by(MONTH_CELLS.c.person_id, KINDS.c.community)
        )
        columns = ["person_id", "community", "day", "left_out"]
        connection.execute(insert(PAST_PEOPLE).from_select(columns, pairs))

    def _people(self, folded: list[str]) -> Select[Any]:
        return select(PEOPLE.c.id).where(PEOPLE.c.hub == self.hub, PEOPLE.c.folded.in_(folded))

    def _counted(self, cells: Table, without: list[str]) -> list[ColumnElement[bool]]:
        chosen: list[ColumnElement[bool]] = [cells.c.hub == self.hub]
        if without:
            chosen.append(cells.c.person_id.not_in(self._people(without)))
        return chosen

    def _remove_sessions(self) -> int:
        """Remove a batch of sessions of which nothing is in a month that is kept. One that runs has no end."""
        with self._write() as connection:
            self._locked(connection)
            moment = connection.scalar(select(TOTALS_UNTIL.c.moment).where(TOTALS_UNTIL.c.hub == self.hub))
            if moment is None:
                return 0
            over = select(SESSIONS.c.id).where(
                # Whose end is the first moment that is kept is among those that ended in that month.
                SESSIONS.c.hub == self.hub,
                SESSIONS.c.ended_at < moment,
                SESSIONS.c.ready_at < moment,
            )
            ids = connection.execute(over.limit(self.batch)).scalars().all()
            connection.execute(delete(SESSION_GROUPS).where(SESSION_GROUPS.c.session_id.in_(ids)))
            connection.execute(delete(SESSIONS).where(SESSIONS.c.id.in_(ids)))
            return len(ids)

    def _remove_cells(self, cells: Table) -> int:
        """Remove the cells of one day, or month, that is in the totals and that nothing reaches into any more."""
        with self._write() as connection:
            self._locked(connection)
            first_kept = until(connection, self.hub)
            if first_kept is None:
                return 0
            mine = cells.c.hub == self.hub
            gone_until = first_kept - REACH if cells is DAY_CELLS else first_kept
            first = connection.scalar(select(func.min(cells.c.day)).where(mine, cells.c.day < gone_until))
            if first is None:
                return 0
            connection.execute(
                delete(MONTH_FIGURES).where(MONTH_FIGURES.c.hub == self.hub, MONTH_FIGURES.c.day < first_kept)
            )
            return connection.execute(delete(cells).where(mine, cells.c.day == first)).rowcount

    def _remove_people(self) -> int:
        """Remove a batch of people of whom nothing is left."""
        with self._write() as connection:
            self._locked(connection)
            if until(connection, self.hub) is None:
                return 0
            sessions = select(SESSIONS.c.id).where(
                SESSIONS.c.hub == PEOPLE.c.hub, SESSIONS.c.user_name == PEOPLE.c.user_name
            )
            unused = select(PEOPLE.c.id).where(
                PEOPLE.c.hub == self.hub, ~sessions.exists(), *(~_used(cells, "person_id", PEOPLE) for cells in _CELLS)
            )
            ids = connection.execute(unused.limit(self.batch)).scalars().all()
            connection.execute(delete(PEOPLE).where(PEOPLE.c.id.in_(ids)))
            return len(ids)

    def _remove_kinds(self) -> None:
        """Remove the kinds that no session and no cell is of."""
        with self._write() as connection:
            self._locked(connection)
            moment = connection.scalar(select(TOTALS_UNTIL.c.moment).where(TOTALS_UNTIL.c.hub == self.hub))
            if moment is None:
                return
            # Neither cells nor sessions are found by their kind: one list beside the other, once, instead of searches.
            # Of sessions these are enough, as all others have cells.
            is_without_cells = or_(SESSIONS.c.ready_at < moment, _UNCOUNTED)
            used = [
                select(SESSIONS.c.kind_id).where(
                    SESSIONS.c.hub == self.hub, SESSIONS.c.kind_id.is_not(None), is_without_cells
                ),
                *(select(cells.c.kind_id).where(cells.c.hub == self.hub) for cells in _CELLS),
            ]
            connection.execute(
                delete(KINDS).where(KINDS.c.hub == self.hub, *(KINDS.c.id.not_in(each) for each in used))
            )

    def _may_change(self, connection: Connection, day: date) -> bool:
        """Take the turn; whether the cells are of this time zone, and the totals of the day are not settled."""
        zone = self._locked(connection)
        first_kept = until(connection, self.hub)
        is_settled = first_kept is not None and day < first_kept
        return bool(zone and not zone.stale and zone.time_zone == str(self.zone)) and not is_settled

    def _locked(self, connection: Connection) -> Any:
        """Take the turn to change cells of this hub, as the counter does: nobody counts what is being removed."""
        mine = select(LEDGER_ZONES).where(LEDGER_ZONES.c.hub == self.hub)
        return connection.execute(mine.with_for_update()).one_or_none()

    def _write(self) -> AbstractContextManager[Connection]:
        return self.ledger.engine.execution_options(**{WRITE: True}).begin()


_CELLS = (DAY_CELLS, MONTH_CELLS)


def _used(cells: Table, column: str, table: Table) -> Any:
    return select(cells.c.hub).where(and_(cells.c[column] == table.c.id)).exists()
