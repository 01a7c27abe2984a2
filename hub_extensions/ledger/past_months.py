"""What reports and pages need of months whose sessions are no longer kept, besides the totals: without names.

It is written when a month is put into the totals, and never changes. The people behind its parts are numbers that were
drawn for this month and this community alone, so that people can be counted, and figures of few of them kept back, as
long as nobody knows who they were or what they did in another month.
"""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from .. import user_names
from ..reports import Figures, Gap
from ..sums import Kept, Lengths
from ..usage_parts import Kind, Part, merged
from .tables import PAST_MONTHS, TOTALS_UNTIL

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import Connection, Row

    from ..report_settings import Without
    from ..sums import Dimension, Scope
    from .store import Ledger

KNOWN: tuple[Dimension, ...] = ("community", "group", "profile")
"""What months in the totals are still told apart by."""

_MICROSECOND = timedelta(microseconds=1)


class NotKeptError(ValueError):
    """Nobody can tell any more: sessions, and the names of their people, are not kept for so long."""


@dataclass(frozen=True)
class LeftOut:
    """Whom the hub's settings left out when the month was put into the totals: how many by name, and which groups."""

    users: int = 0
    groups: tuple[str, ...] = ()

    @classmethod
    def of(cls, without: Without) -> LeftOut:
        """Return whom settings leave out."""
        return cls(len(set(map(user_names.key, without.users))), without.groups)


NOBODY = LeftOut()


@dataclass(frozen=True)
class PastMonth:
    """The figures of a month, and whom they leave out."""

    figures: Figures
    without: LeftOut


class PastMonths:
    """Reads what is left of months of the hub that the ledger knows as ``hub``.

    Methods raise ``sqlalchemy.exc.SQLAlchemyError`` when the database does not answer.
    """

    def __init__(self, ledger: Ledger, hub: str) -> None:
        self.ledger = ledger
        self.hub = hub

    def until(self) -> date | None:
        """Return the first day whose sessions are kept: all before are in the totals. None if all are kept."""
        with self.ledger.engine.begin() as connection:
            return until(connection, self.hub)

    def has(self, day: date) -> bool:
        """Whether the month that begins with ``day`` is in the totals. Of those before the first there is nothing."""
        with self.ledger.engine.begin() as connection:
            end = until(connection, self.hub)
            if end is None or day >= end:
                return False
            first = connection.scalar(select(func.min(PAST_MONTHS.c.day)).where(PAST_MONTHS.c.hub == self.hub))
            return first is not None and day >= first

    def communities(self, day: date) -> list[str]:
        """Return the communities of which there are figures of the month that begins with ``day``."""
        of = [PAST_MONTHS.c.hub == self.hub, PAST_MONTHS.c.day == day, PAST_MONTHS.c.community != ""]
        with self.ledger.engine.begin() as connection:
            return sorted(connection.scalars(select(PAST_MONTHS.c.community).where(*of)))

    def first_ready_at(self) -> datetime | None:
        """Return when the first session in the totals was ready, None if there is none."""
        with self.ledger.engine.begin() as connection:
            found = connection.scalar(select(TOTALS_UNTIL.c.first_ready_at).where(TOTALS_UNTIL.c.hub == self.hub))
        first: datetime | None = found
        return first

    def read(self, day: date, scope: Scope) -> PastMonth:
        """Return the month that begins with ``day``, which is in the totals: of everybody, or of one community.

        Whom the scope leaves out was left out then, or not at all. Raises ``NotKeptError`` for anything else.
        """
        community = one_community(scope)
        if community == "":
            raise NotKeptError("of months that old nothing is known of sessions without a community alone")
        of_hub = self._row(day, "")
        if of_hub is None:
            raise NotKeptError("of that month there are no figures")
        row = self._row(day, community) if community else of_hub
        figures = _read(row.figures) if row else _of_nobody(_read(of_hub.figures))
        return PastMonth(figures, LeftOut(of_hub.without["users"], tuple(of_hub.without["groups"])))

    def people(self, day: date, communities: Collection[str] | None) -> int:
        """Return how many people were active in the month that begins with ``day``, in any of the communities."""
        row = self._row(day, "")
        parts = _read(row.figures).parts if row else ()
        return len({
            person
            for part in parts
            if communities is None or part.kind.community in communities
            for person in part.people
        })  # fmt: skip

    def _row(self, day: date, community: str) -> Row[Any] | None:
        of = [PAST_MONTHS.c.hub == self.hub, PAST_MONTHS.c.day == day, PAST_MONTHS.c.community == community]
        with self.ledger.engine.begin() as connection:
            return connection.execute(select(PAST_MONTHS).where(*of)).one_or_none()


def until(connection: Connection, hub: str) -> date | None:
    """Return the first day of a hub whose sessions are kept, None if all are."""
    found: date | None = connection.scalar(select(TOTALS_UNTIL.c.day).where(TOTALS_UNTIL.c.hub == hub))
    return found


def one_community(scope: Scope) -> str | None:
    """Return the community of a scope, None for all; ``NotKeptError`` for people, and for several communities."""
    if scope.users is not None:
        raise NotKeptError("sessions that old are kept without names")
    if scope.communities is None:
        return None
    if len(scope.communities) != 1:
        raise NotKeptError("of months that old one community is known at a time, or all")
    (community,) = scope.communities
    return community


def written(figures: Figures) -> dict[str, Any]:
    """Return figures as they are kept."""
    parts = merged(figures.parts, KNOWN)
    numbers = _numbered(parts)
    lengths = figures.lengths
    return {
        "parts": [
            [
                part.kind.community, part.kind.profile, list(part.kind.groups),
                sorted(numbers[person] for person in part.people), part.sessions, part.time, part.alone,
                part.gib_hours, part.cpu_hours, part.gpu_hours,
            ]
            for part in parts
        ],
        "kept": asdict(figures.kept),
        "active_before": figures.active_before,
        "active_per_day": {day.isoformat(): people for day, people in figures.active_per_day.items()},
        "active_per_week": dict(figures.active_per_week),
        "last_day": figures.last_day.isoformat(),
        "active_7": figures.active_7,
        "active_30": figures.active_30,
        "lengths": [lengths.count, lengths.median // _MICROSECOND, lengths.p90 // _MICROSECOND],
        "ended": figures.ended,
        "counted_until": None if figures.counted_until is None else figures.counted_until.isoformat(),
        "gaps": [
            [gap.kind, _text(gap.since), _text(gap.until), gap.sessions, gap.people] for gap in figures.gaps
        ],
    }  # fmt: skip


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _numbered(parts: Sequence[Part]) -> Mapping[int, int]:
    """Draw a number for each person. Those that the ledger knows them by would tell who they were."""
    people = sorted({person for part in parts for person in part.people})
    drawn = list(range(len(people)))
    secrets.SystemRandom().shuffle(drawn)
    return dict(zip(people, drawn, strict=True))


def _read(kept: Mapping[str, Any]) -> Figures:
    count, median, p90 = kept["lengths"]
    return Figures(
        parts=tuple(
            Part(Kind(community, profile, groups=tuple(groups)), frozenset(people), *amounts)
            for community, profile, groups, people, *amounts in kept["parts"]
        ),
        kept=Kept(**kept["kept"]),
        active_before=kept["active_before"],
        active_per_day={date.fromisoformat(day): people for day, people in sorted(kept["active_per_day"].items())},
        active_per_week=dict(sorted(kept["active_per_week"].items())),
        last_day=date.fromisoformat(kept["last_day"]),
        active_7=kept["active_7"],
        active_30=kept["active_30"],
        lengths=Lengths(count, median * _MICROSECOND, p90 * _MICROSECOND),
        ended=kept["ended"],
        counted_until=datetime.fromisoformat(kept["counted_until"]) if kept["counted_until"] else None,
        gaps=tuple(
            Gap(kind, since and date.fromisoformat(since), until and date.fromisoformat(until), sessions, people)
            for kind, since, until, sessions, people in kept["gaps"]
        ),
    )


def _of_nobody(hub: Figures) -> Figures:
    """Return the figures of a community that had nobody, in the month of which these are the hub's."""
    zero = timedelta()
    return replace(
        hub,
        parts=(),
        kept=Kept(0, 0, 0, 0),
        active_before=0,
        active_per_day={},
        active_per_week={},
        active_7=0,
        active_30=0,
        lengths=Lengths(0, zero, zero),
        ended=0,
        gaps=tuple(gap for gap in hub.gaps if not gap.people),
    )
