"""What usage comes to, read from the cells of days and months: sums by the database, few rows out."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import Float, and_, case, cast, distinct, func, literal, or_, select

from .. import user_names
from ..sessions import Month
from ..sums import EVERYBODY, Days, Kept, Lengths, Sums, iso_week_name
from .past_months import PastMonths
from .tables import (
    DAY_CELLS,
    KIND_CHOICES,
    KIND_GROUPS,
    KINDS,
    LEDGER_ZONES,
    MONTH_CELLS,
    PAST_PEOPLE,
    PEOPLE,
    SESSIONS,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import date, datetime

    from sqlalchemy import ColumnElement, Connection, FromClause, Row, Select, Table

    from ..sums import Attribution, Dimension, Scope
    from .store import Ledger

_COLUMNS: dict[Dimension, ColumnElement[str]] = {
    "community": KINDS.c.community,
    "profile": KINDS.c.profile,
    "image": KINDS.c.image,
    "group": KIND_GROUPS.c.group,
    "choice": KIND_CHOICES.c.choice,
}
_OF_KIND = {"community", "profile", "image"}
_SIX_DAYS = timedelta(days=6)


class Cells:
    """Reads the cells of the hub that the ledger knows as ``hub``, as they were last counted.

    Methods raise ``sqlalchemy.exc.SQLAlchemyError`` when the database does not answer. Threads may share one.
    """

    def __init__(self, ledger: Ledger, hub: str) -> None:
        self.ledger = ledger
        self.hub = hub

    def total(self, days: Days, *, scope: Scope = EVERYBODY) -> Sums:
        """Return what all of it adds up to."""
        return self.by(days, (), scope=scope).get((), Sums())

    def by(
        self,
        days: Days,
        dimensions: Sequence[Dimension],
        *,
        scope: Scope = EVERYBODY,
        attribution: Attribution = "full",
    ) -> dict[tuple[str, ...], Sums]:
        """Return what each combination of values of the dimensions adds up to, those with most time first."""
        cells = _cells_of(days)
        columns: list[Any] = [_COLUMNS[each] for each in dimensions]
        joined: FromClause = cells
        share: ColumnElement[Any] | None = None
        if _OF_KIND.intersection(dimensions):
            joined = joined.join(KINDS, KINDS.c.id == cells.c.kind_id)
        if "choice" in dimensions:
            joined = joined.join(KIND_CHOICES, KIND_CHOICES.c.kind_id == cells.c.kind_id)
        if "group" in dimensions:
            member = KIND_GROUPS.c.kind_id == cells.c.kind_id
            if attribution == "primary":
                member = and_(member, KIND_GROUPS.c.is_primary == 1)
            joined = joined.join(KIND_GROUPS, member)
            share = cast(KIND_GROUPS.c.of, Float) if attribution == "split" else None
        found = (
            select(*columns, func.count(distinct(cells.c.person_id)), *_summed(cells, days, share))
            .select_from(joined)
            .where(*self._chosen(cells, days, scope))
            .group_by(*columns)
        )
        width = len(columns)
        with self.ledger.engine.begin() as connection:
            rows = connection.execute(found).all()
        # Without dimensions there is a row even where there is nothing.
        sums = {tuple(row[:width]): _sums(*row[width:]) for row in rows if row[width]}
        return dict(sorted(sums.items(), key=lambda item: (-item[1].time, item[0])))

    def by_person(self, days: Days, *, scope: Scope = EVERYBODY, limit: int) -> list[tuple[str, Sums]]:
        """Return what each person's usage adds up to, those with most time first, up to ``limit`` of them."""
        cells = _cells_of(days)
        each = (
            select(cells.c.person_id, *_summed(cells, days, None))
            .where(*self._chosen(cells, days, scope))
            .group_by(cells.c.person_id)
            .subquery()
        )
        found = (
            select(PEOPLE.c.user_name, literal(1), *[each.c[name] for name in _SUMMED])
            .join(each, PEOPLE.c.id == each.c.person_id)
            .order_by(each.c.seconds.desc(), PEOPLE.c.user_name)
            .limit(limit)
        )
        with self.ledger.engine.begin() as connection:
            return [(row[0], _sums(*row[1:])) for row in connection.execute(found)]

    def active_per_day(self, days: Days, *, scope: Scope = EVERYBODY) -> dict[date, int]:
        """Return how many people were active on each day; days without any are absent."""
        found = (
            select(DAY_CELLS.c.day, func.count(distinct(DAY_CELLS.c.person_id)))
            .where(*self._chosen(DAY_CELLS, days, scope))
            .group_by(DAY_CELLS.c.day)
            .order_by(DAY_CELLS.c.day)
        )
        with self.ledger.engine.begin() as connection:
            return {row[0]: row[1] for row in connection.execute(found)}

    def active(self, days: Days, *, scope: Scope = EVERYBODY) -> int:
        """Return how many people were active on any of the days."""
        cells = _cells_of(days)
        found = select(func.count(distinct(cells.c.person_id))).where(*self._chosen(cells, days, scope))
        with self.ledger.engine.begin() as connection:
            return connection.scalar(found) or 0

    def active_per_week(self, days: Days, last_day: date, *, scope: Scope = EVERYBODY) -> dict[str, int]:
        """Return how many people were active in each ISO week that ends on the days, all of its seven days counted.

        They are named as in ``2026-W40``. Those that begin after ``last_day``, and those without anybody, are absent.
        """
        sundays = [day for day in days if day.isoweekday() == 7 and day - _SIX_DAYS <= last_day]
        weeks = {iso_week_name(day): Days.iso_week(*day.isocalendar()[:2]) for day in sundays}
        active = {name: self.active(week, scope=scope) for name, week in weeks.items()}
        return {name: people for name, people in active.items() if people}

    def active_in(self, month: Days, scope: Scope = EVERYBODY) -> int:
        """Return how many people were active in a month, of which there may be no cells any more."""
        past = PastMonths(self.ledger, self.hub)
        found = self.active(month, scope=scope)
        return past.people(month.start, scope.communities) if past.has(month.start) else found

    def kept(self, month: Month, *, scope: Scope = EVERYBODY) -> Kept:
        """Return how the people of a month relate to those of the months before.

        That is as far back as the ledger knows people: whose last session is not kept any more is forgotten.
        """
        this, last = Days.month(month), Days.month(month.plus(-1))
        now = select(MONTH_CELLS.c.person_id).where(*self._chosen(MONTH_CELLS, this, scope)).distinct().subquery("now")
        # Looked up person by person, by an index that has them in order of time.
        cells = MONTH_CELLS.alias()
        of_person = [cells.c.person_id == now.c.person_id, cells.c.hub == self.hub]
        if scope.communities is not None:
            # Not by the column itself: a person has few kinds, and the index would be searched for each of thousands.
            of_person.append((cells.c.kind_id + 0).in_(self._kinds_in(scope.communities)))
        # Of months in the totals, cells may be there or gone already; whoever is left of them is known anyway.
        past = [PAST_PEOPLE.c.person_id == now.c.person_id]
        if scope.communities is not None:
            past.append(PAST_PEOPLE.c.community.in_(sorted(scope.communities)))

        def was_active(in_cells: Any, in_past: Any) -> ColumnElement[bool]:
            return or_(
                select(cells.c.day).where(*of_person, in_cells).exists(),
                select(PAST_PEOPLE.c.day).where(*past, in_past).exists(),
            )

        before = was_active(cells.c.day == last.start, PAST_PEOPLE.c.day == last.start)
        ever = was_active(cells.c.day < last.start, PAST_PEOPLE.c.day < last.start)
        found = select(
            func.count(),
            func.coalesce(func.sum(case((before, 1), else_=0)), 0),
            func.coalesce(func.sum(case((before, 0), (ever, 1), else_=0)), 0),
        ).select_from(now)
        with self.ledger.engine.begin() as connection:
            people, retained, returning = connection.execute(found).one()
        active_before = self.active_in(last, scope)
        return Kept(people - retained - returning, returning, retained, active_before - retained)

    def lengths(self, days: Days, *, scope: Scope = EVERYBODY) -> Lengths:
        """Return how long the sessions were that ended on the days."""
        with self.ledger.engine.begin() as connection:
            zone = self._zone(connection)
            if zone is None:
                return Lengths(0, timedelta(), timedelta())
            chosen = self._ended(days, ZoneInfo(zone.time_zone), scope)
            count = connection.scalar(select(func.count()).select_from(SESSIONS).where(*chosen)) or 0
            if not count:
                return Lengths(0, timedelta(), timedelta())
            found = select(SESSIONS.c.length).where(*chosen).limit(1)
            # Nearest rank: the first that half, or nine of ten, do not exceed; the second is near the other end.
            median = connection.scalar(found.order_by(SESSIONS.c.length).offset((count + 1) // 2 - 1)) or 0
            p90 = connection.scalar(found.order_by(SESSIONS.c.length.desc()).offset(count - (9 * count + 9) // 10)) or 0
        return Lengths(count, timedelta(microseconds=median), timedelta(microseconds=p90))

    def _ended(self, days: Days, zone: ZoneInfo, scope: Scope) -> list[ColumnElement[bool]]:
        """Return what chooses the sessions that ended on the days."""
        chosen: list[ColumnElement[bool]] = [SESSIONS.c.hub == self.hub, SESSIONS.c.length.is_not(None)]
        if _is_one(MONTH_CELLS, days):
            chosen.append(SESSIONS.c.ended_month == days.start)
        else:
            window = days.window(zone)
            chosen += [SESSIONS.c.ended_at >= window.start, SESSIONS.c.ended_at < window.end]
        if scope.communities is not None:
            chosen.append(SESSIONS.c.community.in_(sorted(scope.communities)))
        if scope.users is not None:
            chosen.append(SESSIONS.c.user_name.in_(sorted(scope.users)))
        if scope.without:
            folded = PEOPLE.c.folded.in_(_folded(scope.without))
            chosen.append(
                SESSIONS.c.user_name.not_in(select(PEOPLE.c.user_name).where(PEOPLE.c.hub == self.hub, folded))
            )
        return chosen

    def last_active(self, *, scope: Scope = EVERYBODY) -> dict[str, date]:
        """Return the last day on which each person was active."""
        month = (
            select(MONTH_CELLS.c.person_id, func.max(MONTH_CELLS.c.day).label("day"))
            .where(*self._in_scope(MONTH_CELLS, scope))
            .group_by(MONTH_CELLS.c.person_id)
            .subquery()
        )
        found = (
            select(PEOPLE.c.user_name, func.max(DAY_CELLS.c.day))
            .select_from(
                month.join(
                    DAY_CELLS, and_(DAY_CELLS.c.person_id == month.c.person_id, DAY_CELLS.c.day >= month.c.day)
                ).join(PEOPLE, PEOPLE.c.id == month.c.person_id)
            )
            .where(*self._in_scope(DAY_CELLS, scope, people=False))
            .group_by(PEOPLE.c.id, PEOPLE.c.user_name)
        )
        with self.ledger.engine.begin() as connection:
            return {row[0]: row[1] for row in connection.execute(found)}

    def counted_until(self) -> datetime | None:
        """Return when all sessions were last counted; None before the first time, and while all are counted anew."""
        with self.ledger.engine.begin() as connection:
            zone = self._zone(connection)
        return zone.counted_at if zone else None

    def _zone(self, connection: Connection) -> Row[Any] | None:
        return connection.execute(select(LEDGER_ZONES).where(LEDGER_ZONES.c.hub == self.hub)).one_or_none()

    def _chosen(self, cells: Table, days: Days, scope: Scope) -> list[ColumnElement[bool]]:
        chosen = self._in_scope(cells, scope)
        if _is_one(cells, days):
            # The same, but then the rows come in the order of people, who need no sorting to be counted.
            return [*chosen, cells.c.day == days.start]
        return [*chosen, cells.c.day >= days.start, cells.c.day < days.end]

    def _in_scope(self, cells: FromClause, scope: Scope, *, people: bool = True) -> list[ColumnElement[bool]]:
        chosen: list[ColumnElement[bool]] = [cells.c.hub == self.hub]
        if scope.communities is not None:
            chosen.append(cells.c.kind_id.in_(self._kinds_in(scope.communities)))
        if people and scope.users is not None:
            chosen.append(cells.c.person_id.in_(self._people(PEOPLE.c.user_name.in_(sorted(scope.users)))))
        if people and scope.without:
            chosen.append(cells.c.person_id.not_in(self._people(PEOPLE.c.folded.in_(_folded(scope.without)))))
        return chosen

    def _kinds_in(self, communities: Collection[str]) -> Select[Any]:
        return select(KINDS.c.id).where(KINDS.c.hub == self.hub, KINDS.c.community.in_(sorted(communities)))

    def _people(self, chosen: ColumnElement[bool]) -> Select[Any]:
        return select(PEOPLE.c.id).where(PEOPLE.c.hub == self.hub, chosen)


_SUMMED = ("sessions", "seconds", "alone", "memory", "cpu", "gpu")


def _cells_of(days: Days) -> Table:
    return MONTH_CELLS if days.are_months else DAY_CELLS


def _is_one(cells: Table, days: Days) -> bool:
    """Whether all that is asked for is one month of cells of months, or one day of cells of days."""
    return len(days) == 1 if cells is DAY_CELLS else days == Days.month(Month(days.start.year, days.start.month))


def _summed(cells: Table, days: Days, share: ColumnElement[Any] | None) -> list[ColumnElement[Any]]:
    """Return the sums of cells, where ``share`` says among how many what is used is divided."""
    # Whoever ran as another day began is counted since the first.
    continued: ColumnElement[int] = cells.c.continued
    if not _is_one(cells, days):
        continued = case((cells.c.day == days.start, continued), else_=0)
    sessions = func.sum(cells.c.started + continued)
    amounts: dict[str, ColumnElement[Any]] = {name: cells.c[name] for name in _SUMMED[1:]}
    if share is not None:
        amounts = {name: cast(column, Float) / share for name, column in amounts.items()}
    return [sessions.label("sessions"), *(func.sum(column).label(name) for name, column in amounts.items())]


def _sums(people: int, sessions: int, time: float, alone: float, memory: float, cpu: float, gpu: float) -> Sums:
    return Sums(
        people=people,
        sessions=int(sessions),
        time=timedelta(microseconds=round(time)),
        alone=timedelta(microseconds=round(alone)),
        gib_hours=float(memory),
        cpu_hours=float(cpu),
        gpu_hours=float(gpu),
    )


def _folded(names: frozenset[str]) -> list[str]:
    return sorted(set(map(user_names.key, names)))
