"""What a report of a month needs, read from the ledger."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, distinct, func, literal_column, or_, select

from .. import groups as group_names
from .. import user_names
from ..end_reasons import EndReason
from ..reports import Figures, Gap
from ..sums import EVERYBODY, Days
from ..usage_parts import Kind, Part
from .cells import Cells
from .past_months import PastMonths
from .tables import KIND_GROUPS, KINDS, MONTH_CELLS, PAST_PEOPLE, PEOPLE, SESSIONS

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date, datetime, tzinfo

    from sqlalchemy import ColumnElement, Connection, Select

    from ..sessions import Month, Window
    from ..sums import Scope
    from .past_months import PastMonth

# As they stand in indexes, which no parameter may take the place of.
_UNCOUNTED = SESSIONS.c.uncounted == literal_column("1")
_UNSEEN = SESSIONS.c.end_reason == literal_column(f"'{EndReason.HUB_AWAY}'")
LATE = timedelta(minutes=10)
"""Heartbeats and counts come each minute; what is older than this is missing."""


class MonthFigures(Cells):
    """Reads the figures of months of the hub that the ledger knows as ``hub``, whose days begin in ``zone``.

    Methods raise ``sqlalchemy.exc.SQLAlchemyError`` when the database does not answer.
    """

    def read(self, month: Month, zone: tzinfo, now: datetime, *, scope: Scope = EVERYBODY) -> Figures:
        """Return the figures of a month, which may not be over yet, or whose sessions may not be kept any more.

        Raises ``NotKeptError`` for people, or several communities, of a month whose sessions are not kept.
        """
        past = self.past(month, scope)
        if past is None:
            found = self._of_sessions(month, zone, now, scope)
            # They may have gone meanwhile.
            past = self.past(month, scope)
        return found if past is None else past.figures

    def past(self, month: Month, scope: Scope = EVERYBODY) -> PastMonth | None:
        """Return what is left of a month whose sessions are no longer kept; None while they are.

        Raises ``NotKeptError`` for people, and for several communities.
        """
        past, day = PastMonths(self.ledger, self.hub), Days.month(month).start
        if not past.has(day):
            return None
        found = past.read(day, scope)
        gaps = (*found.figures.gaps, Gap("not_kept", until=found.figures.last_day))
        return replace(found, figures=replace(found.figures, gaps=gaps))

    def _of_sessions(self, month: Month, zone: tzinfo, now: datetime, scope: Scope) -> Figures:
        days, before = Days.month(month), Days.month(month.plus(-1))
        today = now.astimezone(zone).date()
        last_day = max(days.start, min(days.end - timedelta(days=1), today))
        window = days.window(zone)
        return Figures(
            parts=self._parts(days, scope),
            kept=self.kept(month, scope=scope),
            active_before=self.active_in(before, scope),
            active_per_day=self.active_per_day(days, scope=scope),
            active_per_week=self.active_per_week(days, last_day, scope=scope),
            last_day=last_day,
            active_7=self.active(Days.until(last_day, 7), scope=scope),
            active_30=self.active(Days.until(last_day, 30), scope=scope),
            lengths=self.lengths(days, scope=scope),
            ended=self._people_ended(window, scope),
            counted_until=self.counted_until(),
            gaps=self.gaps(month, zone, now, scope=scope),
        )

    def hubs(self) -> list[str]:
        """Return the names of the hubs of which there are sessions."""
        with self.ledger.engine.begin() as connection:
            return sorted(connection.scalars(select(SESSIONS.c.hub).distinct()))

    def communities(self) -> list[str]:
        """Return the communities of which there are sessions."""
        found = select(KINDS.c.community).distinct().where(KINDS.c.hub == self.hub, KINDS.c.community != "")
        with self.ledger.engine.begin() as connection:
            return sorted(connection.scalars(found))

    def time_zone(self) -> str | None:
        """Return the name of the time zone in which the hub's days are counted, None before the first count."""
        with self.ledger.engine.begin() as connection:
            zone = self._zone(connection)
        return zone.time_zone if zone else None

    def without(self, scope: Scope, groups: Collection[str], month: Month) -> Scope:
        """Leave out, too, whoever was in one of the groups (or patterns) at a session of this or the month before."""
        if not groups:
            return scope
        before = Days.month(month.plus(-1)).start
        days = [before, Days.month(month).start]
        with self.ledger.engine.begin() as connection:
            kinds = self.kinds_of_groups(connection, groups)
            names = connection.scalars(
                select(PEOPLE.c.user_name)
                .distinct()
                .join(MONTH_CELLS, MONTH_CELLS.c.person_id == PEOPLE.c.id)
                .where(MONTH_CELLS.c.hub == self.hub, MONTH_CELLS.c.day.in_(days), MONTH_CELLS.c.kind_id.in_(kinds))
            )
            # Of the month before there may be no cells any more.
            past = connection.scalars(
                select(PEOPLE.c.user_name)
                .distinct()
                .join(PAST_PEOPLE, PAST_PEOPLE.c.person_id == PEOPLE.c.id)
                .where(PEOPLE.c.hub == self.hub, PAST_PEOPLE.c.day == before, PAST_PEOPLE.c.left_out == 1)
            )
            return replace(scope, without=scope.without | frozenset(names) | frozenset(past))

    def kinds_of_groups(self, connection: Connection, groups: Collection[str]) -> Select[Any]:
        """Choose the kinds of sessions of people who were in one of the groups (or patterns)."""
        of_hub = select(KIND_GROUPS.c.group).join(KINDS, KINDS.c.id == KIND_GROUPS.c.kind_id)
        known = connection.scalars(of_hub.distinct().where(KINDS.c.hub == self.hub))
        meant = [name for name in known if any(group_names.matches(group, name) for group in groups)]
        return of_hub.with_only_columns(KIND_GROUPS.c.kind_id).where(
            KINDS.c.hub == self.hub, KIND_GROUPS.c.group.in_(meant)
        )

    def _parts(self, days: Days, scope: Scope) -> tuple[Part, ...]:
        cells = MONTH_CELLS
        found = select(
            cells.c.kind_id,
            cells.c.person_id,
            *(cells.c[name] for name in ("started", "continued", "seconds", "alone", "memory", "cpu", "gpu")),
        ).where(*self._chosen(cells, days, scope))
        people: dict[int, set[int]] = defaultdict(set)
        amounts: dict[int, list[Any]] = defaultdict(lambda: [0, 0, 0, 0.0, 0.0, 0.0])
        with self.ledger.engine.begin() as connection:
            for kind, person, started, continued, *rest in connection.execute(found):
                people[kind].add(person)
                of_kind = amounts[kind]
                of_kind[0] += started + continued
                for at, amount in enumerate(rest, start=1):
                    of_kind[at] += amount
            kinds = self._kinds(connection, people.keys())
        return tuple(Part(kinds[kind], frozenset(people[kind]), *of_kind) for kind, of_kind in sorted(amounts.items()))

    def _kinds(self, connection: Connection, wanted: Collection[int]) -> dict[int, Kind]:
        found = {}
        ids = sorted(wanted)
        for start in range(0, len(ids), 500):  # databases bound the number of parameters of a statement
            chosen = select(KINDS).where(KINDS.c.id.in_(ids[start : start + 500]))
            for row in connection.execute(chosen).mappings():
                choices = sorted({f"{option}: {choice}" for option, choice in row["choices"].items()})
                found[row["id"]] = Kind(
                    row["community"], row["profile"], row["image"], tuple(choices), tuple(row["groups"])
                )
        return found

    def _sessions(self, scope: Scope) -> list[ColumnElement[bool]]:
        """What sessions of a scope are chosen by."""
        chosen = [SESSIONS.c.hub == self.hub]
        if scope.communities is not None:
            chosen.append(SESSIONS.c.community.in_(sorted(scope.communities)))
        if scope.users is not None:
            chosen.append(SESSIONS.c.user_name.in_(sorted(scope.users)))
        if scope.without:
            folded = sorted(set(map(user_names.key, scope.without)))
            names = select(PEOPLE.c.user_name).where(PEOPLE.c.hub == self.hub, PEOPLE.c.folded.in_(folded))
            chosen.append(SESSIONS.c.user_name.not_in(names))
        return chosen

    def _people_ended(self, window: Window, scope: Scope) -> int:
        """How many people's sessions ended."""
        ended = and_(SESSIONS.c.ended_at >= window.start, SESSIONS.c.ended_at < window.end)
        with self.ledger.engine.begin() as connection:
            found = select(func.count(distinct(SESSIONS.c.user_name))).where(*self._sessions(scope), ended)
            return connection.scalar(found) or 0

    def gaps(self, month: Month, zone: tzinfo, now: datetime, *, scope: Scope = EVERYBODY) -> tuple[Gap, ...]:
        """Return what is missing in a month."""
        window, before = Days.month(month).window(zone), Days.month(month.plus(-1)).window(zone).start

        def day(moment: datetime) -> date:
            return moment.astimezone(zone).date()

        mine = self._sessions(replace(scope, communities=None))
        if scope.communities is not None:
            # What is missing is little, and has indexes of its own, which that of communities is not to replace.
            mine.append(SESSIONS.c.community.concat("").in_(sorted(scope.communities)))
        of = (func.count(), func.count(distinct(SESSIONS.c.user_name)))
        running_until = func.coalesce(SESSIONS.c.last_seen_at, SESSIONS.c.ready_at)
        until = func.coalesce(SESSIONS.c.ended_at, running_until)
        # Nearly all began before the end: an index of that, which this keeps from being used, leads nowhere.
        began = func.coalesce(SESSIONS.c.ready_at, SESSIONS.c.requested_at)
        in_month = and_(began < window.end, or_(SESSIONS.c.ended_at.is_(None), until >= window.start))
        gaps = []
        if now < window.end:
            gaps.append(Gap("not_over", until=day(now)))
        oldest = PastMonths(self.ledger, self.hub).first_ready_at()
        with self.ledger.engine.begin() as connection:
            # Of the whole hub: when a community had its first session says nothing of records.
            first = connection.scalar(select(func.min(SESSIONS.c.ready_at)).where(SESSIONS.c.hub == self.hub))
            first = oldest or first
            if first is None or first > before:
                gaps.append(Gap("before_records", until=day(first or now)))
            waiting = select(*of, func.min(SESSIONS.c.ready_at)).where(*mine, in_month, _UNCOUNTED, until < now - LATE)
            count, people, since = connection.execute(waiting).one()
            if count:
                gaps.append(Gap("not_counted", since=max(day(since), day(window.start)), sessions=count, people=people))
            ended = SESSIONS.c.ended_at
            unseen = select(*of, func.min(ended), func.max(ended)).where(
                *mine, ended >= window.start, ended < window.end, _UNSEEN
            )
            count, people, since, last = connection.execute(unseen).one()
            if count:
                gaps.append(Gap("end_not_seen", since=day(since), until=day(last), sessions=count, people=people))
            silent = select(*of, func.min(running_until)).where(
                *mine, in_month, SESSIONS.c.ended_at.is_(None), running_until < min(now - LATE, window.end - LATE)
            )
            count, people, since = connection.execute(silent).one()
            if count:
                gaps.append(Gap("not_seen_running", since=day(since), sessions=count, people=people))
        counted = self.counted_until()
        if counted is None or counted < min(window.end, now - LATE):
            gaps.append(Gap("not_counted", since=day(max(counted, window.start) if counted else window.start)))
        return tuple(gaps)
