"""Keeps the cells of a hub up to date with its sessions, synchronous: the usage service calls it from a thread.

What cells show is always this: each session from when it was ready until its ``counted_until``. To count a session is
to move that moment to where the session ends now, and to count anew the days in between, for its person.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, case, delete, func, insert, literal, literal_column, null, or_, select, update
from sqlalchemy.exc import IntegrityError

from .. import user_names
from ..day_cells import MICROSECOND, Calendar, Stretch, day_cells
from ..sums import primary_group
from .engine import WRITE
from .tables import (
    DAY_CELLS,
    KIND_CHOICES,
    KIND_GROUPS,
    KINDS,
    LEDGER_ZONES,
    MONTH_CELLS,
    MONTH_FIGURES,
    PEOPLE,
    SESSION_GROUPS,
    SESSIONS,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from contextlib import AbstractContextManager
    from datetime import date, datetime, tzinfo

    from sqlalchemy import Connection, Row

    from .store import Ledger

# As it stands in the indexes, which no parameter may take the place of.
_UNCOUNTED = SESSIONS.c.uncounted == literal_column("1")
_SIZES = ("memory_guarantee", "memory_limit", "cpu_guarantee", "cpu_limit", "gpus")
_READ = [
    SESSIONS.c[name]
    for name in ("id", "user_name", "ready_at", "ended_at", "last_seen_at", "counted_until", "kind_id", *_SIZES)
]
_WHAT = [SESSIONS.c[name] for name in ("id", "community", "profile", "image", "choices")]
_AT_ONCE = 500  # databases bound the number of parameters of a statement; SQLite's was 999 for long
_MARKED_AT_ONCE = 5000


class Counter:
    """Counts the sessions of the hub that the ledger knows as ``hub``, by the days of ``zone``.

    ``batch`` bounds the sessions of one transaction. Several processes may count at once: they take turns. Methods
    raise ``sqlalchemy.exc.SQLAlchemyError`` when the database does not answer; what was counted until then stays.
    """

    def __init__(self, ledger: Ledger, hub: str, zone: tzinfo, *, batch: int = 500) -> None:
        self.ledger = ledger
        self.hub = hub
        self.batch = batch
        self._zone = str(zone)
        self._calendar = Calendar(zone)
        self._kinds: dict[str, int] = {}

    def count_up(self, now: datetime, *, limit: int = 50_000) -> int:
        """Bring the cells up to date; return how many sessions were counted.

        After ``limit`` of them, or a few more, it stops, so that one call has an end; the next goes on. Cells of
        another time zone are removed first.
        """
        # Of a call that failed nothing is kept: its transaction may have been taken back.
        self._kinds = {}
        self._begin()
        counted = 0
        while counted < limit:
            some = self._count_some()
            counted += some
            if some < self.batch:
                self._complete(now)
                break
        return counted

    def _begin(self) -> None:
        """See that the cells are those of this time zone, or of none yet."""
        mine = LEDGER_ZONES.c.hub == self.hub
        try:
            with self._write() as connection:
                if connection.scalar(select(LEDGER_ZONES.c.hub).where(mine)) is None:
                    connection.execute(insert(LEDGER_ZONES).values(hub=self.hub, time_zone=self._zone, stale=0))
        except IntegrityError:
            pass  # another process was first
        with self._write() as connection:
            connection.execute(
                update(LEDGER_ZONES)
                .where(mine, LEDGER_ZONES.c.time_zone != self._zone)
                .values(time_zone=self._zone, stale=1, counted_at=null())
            )
            if not self._is_stale(connection):
                return
        with self._write() as connection:
            connection.execute(delete(MONTH_FIGURES).where(MONTH_FIGURES.c.hub == self.hub))
        for cells in (DAY_CELLS, MONTH_CELLS):
            while self._remove_some(cells):
                pass
        last = ""
        while last := self._mark_some(last):
            pass
        with self._write() as connection:
            if self._is_stale(connection):
                connection.execute(update(LEDGER_ZONES).where(mine).values(stale=0))

    def _remove_some(self, cells: Any) -> bool:
        """Remove the cells of one day. Return whether there may be more."""
        with self._write() as connection:
            if not self._is_stale(connection):
                return False
            of_hub = cells.c.hub == self.hub
            day = connection.scalar(select(func.min(cells.c.day)).where(of_hub))
            if day is None:
                return False
            connection.execute(delete(cells).where(of_hub, cells.c.day == day))
            return True

    def _mark_some(self, after: str) -> str:
        """Let sessions with ids after ``after`` be counted from their beginning. Return the last, "" at the end."""
        with self._write() as connection:
            if not self._is_stale(connection):
                return ""
            ids = select(SESSIONS.c.id).where(SESSIONS.c.id > after).order_by(SESSIONS.c.id)
            last = connection.scalar(ids.offset(_MARKED_AT_ONCE - 1).limit(1))
            some = [SESSIONS.c.hub == self.hub, SESSIONS.c.id > after]
            if last is not None:
                some.append(SESSIONS.c.id <= last)
            connection.execute(update(SESSIONS).where(*some).values(uncounted=1, counted_until=null()))
            return last or ""

    def _is_stale(self, connection: Connection) -> bool:
        """Whether the cells of another time zone are being removed for this one. Others wait until the commit."""
        row = self._locked(connection)
        return row.time_zone == self._zone and bool(row.stale)

    def _locked(self, connection: Connection) -> Row[Any]:
        """Take the turn to change cells of this hub: with SQLite the whole database, with PostgreSQL this row."""
        return connection.execute(select(LEDGER_ZONES).where(LEDGER_ZONES.c.hub == self.hub).with_for_update()).one()

    def _complete(self, now: datetime) -> None:
        with self._write() as connection:
            connection.execute(
                update(LEDGER_ZONES)
                .where(
                    LEDGER_ZONES.c.hub == self.hub, LEDGER_ZONES.c.time_zone == self._zone, LEDGER_ZONES.c.stale == 0
                )
                .values(counted_at=now)
            )

    def _count_some(self) -> int:
        """Count a batch of sessions; return how many there were."""
        with self._write() as connection:
            zone = self._locked(connection)
            if zone.stale or zone.time_zone != self._zone:
                return 0
            # Rows that the hub is changing right now are left to the next time: nobody waits for one another in a ring.
            waiting = (
                select(*_READ)
                .where(SESSIONS.c.hub == self.hub, _UNCOUNTED)
                .order_by(SESSIONS.c.user_name, SESSIONS.c.ready_at)
                .limit(self.batch)
                .with_for_update(skip_locked=True)
            )
            rows = connection.execute(waiting).all()
            if rows:
                self._count(connection, rows)
            return len(rows)

    def _count(self, connection: Connection, rows: Collection[Row[Any]]) -> None:
        kinds = self._kinds_of(connection, rows)
        changes = [_Change(row, _end(row), kinds[row.id]) for row in rows]
        touched: dict[str, set[date]] = defaultdict(set)
        for each in changes:
            touched[each.row.user_name].update(each.days(self._calendar))
        stretches: dict[str, list[Stretch]] = defaultdict(list)
        for each in changes:
            stretches[each.row.user_name].append(_stretch(each.row, each.kind, each.end))
        people = self._people(connection, [name for name, days in touched.items() if days])
        self._add_others(connection, stretches, {name: days for name, days in touched.items() if days}, changes)
        cells = []
        for name, person in people.items():
            for (day, kind), cell in day_cells(stretches[name], touched[name], self._calendar).items():
                cells.append(
                    {
                        "hub": self.hub,
                        "day": day,
                        "person_id": person,
                        "kind_id": kind,
                        "started": cell.started,
                        "continued": cell.continued,
                        "seconds": cell.time,
                        "alone": cell.alone,
                        "memory": cell.memory,
                        "cpu": cell.cpu,
                        "gpu": cell.gpu,
                    }
                )
        self._replace(connection, {person: touched[name] for name, person in people.items()}, cells)
        self._outdate(connection, min(each.since() for each in changes))
        connection.execute(
            _COUNTED,
            [
                {
                    "of": each.row.id,
                    "until": each.end,
                    "kind": each.kind,
                    "took": (each.end - each.row.ready_at) // MICROSECOND if each.row.ended_at else None,
                    "month": self._calendar.day_of(each.row.ended_at).replace(day=1) if each.row.ended_at else None,
                }
                for each in changes
            ],
        )

    def _add_others(
        self,
        connection: Connection,
        stretches: Mapping[str, list[Stretch]],
        touched: Mapping[str, set[date]],
        changes: Iterable[_Change],
    ) -> None:
        """Add what else the same people did on these days, as far as it is counted."""
        if not touched:
            return
        mine = {each.row.id for each in changes}
        since = self._calendar.begin(min(min(days) for days in touched.values()))
        names = list(touched)
        for start in range(0, len(names), _AT_ONCE):
            others = select(*_READ).where(
                SESSIONS.c.hub == self.hub,
                SESSIONS.c.user_name.in_(names[start : start + _AT_ONCE]),
                SESSIONS.c.counted_until >= since,
            )
            for row in connection.execute(others):
                if row.id not in mine:
                    stretches[row.user_name].append(_stretch(row, row.kind_id, row.counted_until))

    def _outdate(self, connection: Connection, since: datetime) -> None:
        """Say that figures of the month of that moment, and of later ones, which tell who came back, are of before."""
        figures = MONTH_FIGURES.c
        connection.execute(
            update(MONTH_FIGURES)
            .where(
                figures.hub == self.hub,
                figures.day >= self._calendar.day_of(since).replace(day=1),
                or_(figures.stale == 0, figures.making != ""),
            )
            .values(stale=1, making="")
        )

    def _replace(
        self, connection: Connection, touched: Mapping[int, Collection[date]], cells: list[dict[str, Any]]
    ) -> None:
        """Put new cells of people in the place of what they have on those days, and add up their months."""
        days = [{"of_hub": self.hub, "on": day, "of": person} for person, some in touched.items() for day in some]
        if not days:
            return
        connection.execute(_REMOVE_DAYS, days)
        if cells:
            connection.execute(insert(DAY_CELLS), cells)
        months = [
            {"of_hub": self.hub, "on": first, "of": person, "before": _next_month(first)}
            for person, some in touched.items()
            for first in sorted({day.replace(day=1) for day in some})
        ]
        connection.execute(_REMOVE_MONTHS, months)
        connection.execute(_ADD_UP_MONTHS, months)

    def _people(self, connection: Connection, names: list[str]) -> dict[str, int]:
        """Return the numbers of people, of whom those who are new get one."""
        found: dict[str, int] = {}
        for missing in (True, False):
            for start in range(0, len(names), _AT_ONCE):
                some = names[start : start + _AT_ONCE]
                chosen = select(PEOPLE.c.user_name, PEOPLE.c.id).where(
                    PEOPLE.c.hub == self.hub, PEOPLE.c.user_name.in_(some)
                )
                found.update((name, person) for name, person in connection.execute(chosen))
            new = [{"hub": self.hub, "user_name": n, "folded": user_names.key(n)} for n in names if n not in found]
            if not (missing and new):
                break
            connection.execute(insert(PEOPLE), new)
        return found

    def _kinds_of(self, connection: Connection, rows: Iterable[Row[Any]]) -> dict[str, int]:
        """Return the number of each session's kind, by the session's id."""
        found = {row.id: row.kind_id for row in rows}
        unknown = [session_id for session_id, kind in found.items() if kind is None]
        for start in range(0, len(unknown), _AT_ONCE):
            some = unknown[start : start + _AT_ONCE]
            groups: dict[str, list[str]] = defaultdict(list)
            for session_id, group in connection.execute(
                select(SESSION_GROUPS.c.session_id, SESSION_GROUPS.c.group).where(SESSION_GROUPS.c.session_id.in_(some))
            ):
                groups[session_id].append(group)
            kinds, digests = {}, {}
            for row in connection.execute(select(*_WHAT).where(SESSIONS.c.id.in_(some))):
                kind = {"hub": self.hub, **row._mapping, "groups": sorted(groups[row.id])}
                session_id = kind.pop("id")
                digest = hashlib.sha256(json.dumps(kind, sort_keys=True).encode()).hexdigest()
                kinds[digest] = kind
                digests[session_id] = digest
            numbers = self._numbers(connection, kinds)
            found.update((session_id, numbers[digest]) for session_id, digest in digests.items())
        return found

    def _numbers(self, connection: Connection, kinds: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
        """Return the numbers of kinds by their digests; those that are new get one."""
        unknown = [digest for digest in kinds if digest not in self._kinds]
        wanted = select(KINDS.c.digest, KINDS.c.id).where(KINDS.c.digest.in_(unknown))
        self._kinds.update((row.digest, row.id) for row in connection.execute(wanted))
        new = [digest for digest in unknown if digest not in self._kinds]
        if new:
            connection.execute(insert(KINDS), [{**kinds[digest], "digest": digest} for digest in new])
            self._kinds.update((row.digest, row.id) for row in connection.execute(wanted))
            for table, parts in ((KIND_GROUPS, _groups_of), (KIND_CHOICES, _choices_of)):
                rows = [{"kind_id": self._kinds[digest], **part} for digest in new for part in parts(kinds[digest])]
                connection.execute(insert(table), rows)
        return self._kinds

    def _write(self) -> AbstractContextManager[Connection]:
        return self.ledger.engine.execution_options(**{WRITE: True}).begin()


def _groups_of(kind: Mapping[str, Any]) -> list[dict[str, Any]]:
    groups = kind["groups"] or [""]
    primary = primary_group(kind["community"], groups)
    return [{"group": group, "of": len(groups), "is_primary": int(group == primary)} for group in groups]


def _choices_of(kind: Mapping[str, Any]) -> list[dict[str, Any]]:
    choices = {f"{option}: {choice}" for option, choice in kind["choices"].items()}
    return [{"choice": choice} for choice in sorted(choices) or [""]]


def recount(connection: Connection, hub: str, user_name: str) -> None:
    """Take a person's cells away, and have their sessions counted again: after some were changed or removed."""
    person = select(PEOPLE.c.id).where(PEOPLE.c.hub == hub, PEOPLE.c.user_name == user_name).scalar_subquery()
    # The turn to change cells of this hub, as the counter takes it.
    connection.execute(select(LEDGER_ZONES.c.hub).where(LEDGER_ZONES.c.hub == hub).with_for_update())
    for cells in (DAY_CELLS, MONTH_CELLS):
        connection.execute(delete(cells).where(cells.c.person_id == person))
    connection.execute(delete(MONTH_FIGURES).where(MONTH_FIGURES.c.hub == hub))
    connection.execute(
        update(SESSIONS)
        .where(SESSIONS.c.hub == hub, SESSIONS.c.user_name == user_name)
        .values(uncounted=1, counted_until=null(), kind_id=null())
    )


@dataclass(frozen=True)
class _Change:
    """A session whose cells move to ``end``."""

    row: Row[Any]
    end: datetime
    kind: int

    def since(self) -> datetime:
        """Return the moment from which that may change anything: of a session that has ended, its length too."""
        was: datetime = self.row.counted_until or self.row.ready_at
        return min(was, self.end)

    def days(self, calendar: Calendar) -> Iterable[date]:
        """Return the days on which that changes anything."""
        was = self.row.counted_until
        if was is None:
            return calendar.days(self.row.ready_at, self.end)
        if was == self.end:
            return ()
        return calendar.days(min(was, self.end), max(was, self.end))


def _end(row: Row[Any]) -> datetime:
    """Until when a session counts: its end, or when it was last seen, but never before its beginning."""
    ready_at: datetime = row.ready_at
    return max(row.ended_at or row.last_seen_at or ready_at, ready_at)


def _stretch(row: Row[Any], kind: int, end: datetime) -> Stretch:
    return Stretch(
        id=row.id,
        kind=kind,
        ready_at=row.ready_at,
        end=end,
        memory=row.memory_guarantee or row.memory_limit or 0,
        cpu=row.cpu_guarantee or row.cpu_limit or 0.0,
        gpus=row.gpus,
    )


def _next_month(first: date) -> date:
    return first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)


_COUNTED = (
    update(SESSIONS)
    .where(SESSIONS.c.id == bindparam("of"))
    .values(
        uncounted=0,
        counted_until=bindparam("until"),
        kind_id=bindparam("kind"),
        length=bindparam("took"),
        ended_month=bindparam("month"),
    )
)


def _of_person(cells: Any) -> Any:
    return delete(cells).where(
        cells.c.hub == bindparam("of_hub"), cells.c.day == bindparam("on"), cells.c.person_id == bindparam("of")
    )


_REMOVE_DAYS = _of_person(DAY_CELLS)
_REMOVE_MONTHS = _of_person(MONTH_CELLS)

_SUMMED = ("seconds", "alone", "memory", "cpu", "gpu")
_ADD_UP_MONTHS = insert(MONTH_CELLS).from_select(
    ["hub", "day", "person_id", "kind_id", "started", "continued", *_SUMMED],
    select(
        DAY_CELLS.c.hub,
        func.min(bindparam("on", type_=DAY_CELLS.c.day.type)),
        DAY_CELLS.c.person_id,
        DAY_CELLS.c.kind_id,
        func.sum(DAY_CELLS.c.started),
        # Those that a later day of the month began with are in it already.
        func.sum(
            case(
                (DAY_CELLS.c.day == bindparam("on", type_=DAY_CELLS.c.day.type), DAY_CELLS.c.continued),
                else_=literal(0),
            )
        ),
        *(func.sum(DAY_CELLS.c[name]) for name in _SUMMED),
    )
    .where(
        # A person is of one hub. To name it would lead planners to the index of all people's days.
        DAY_CELLS.c.person_id == bindparam("of"),
        DAY_CELLS.c.day >= bindparam("on", type_=DAY_CELLS.c.day.type),
        DAY_CELLS.c.day < bindparam("before", type_=DAY_CELLS.c.day.type),
    )
    .group_by(DAY_CELLS.c.hub, DAY_CELLS.c.person_id, DAY_CELLS.c.kind_id),
)
