"""Puts sessions from elsewhere into the ledger: all of them or none, each once, and none beside one that is there."""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from ..end_reasons import EndReason
from .engine import WRITE
from .store import groups_rows, session_row
from .tables import SESSION_GROUPS, SESSIONS, TOTALS_UNTIL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy import Connection

    from ..sessions import Session
    from .store import Ledger

_PEOPLE = 200  # at a time; databases bound the number of parameters of a statement
_NEVER = datetime.max.replace(tzinfo=UTC)

# Two sources that saw the same start do not agree to the second on when it was.
_SAME_START = timedelta(minutes=1)


@dataclass
class Imported:
    """What became of sessions: how many were ``added``, and how many not.

    ``known`` were there by the same id; ``completed`` as well, without an end, which they now have. ``overlapping`` are
    those of a server of which another session of the same time is there, which cannot be; ``too_old`` those of a time
    of which only totals are kept.
    """

    added: int = 0
    known: int = 0
    completed: int = 0
    too_old: int = 0
    overlapping: list[Session] = field(default_factory=list)


@dataclass(frozen=True, order=True)
class _Taken:
    """The time that a server of a person is known to have run."""

    ready_at: datetime
    ended_at: datetime
    id: str
    end_reason: str = ""


def add(
    ledger: Ledger,
    hub: str,
    sessions: Iterable[Session],
    *,
    dry_run: bool = False,
    progress: Callable[[int], object] = lambda _done: None,
) -> Imported:
    """Write sessions that have ended into the ledger of a hub, in one transaction; ``dry_run`` only tells.

    ``progress`` is told how many are done. Raises ``SQLAlchemyError``, and nothing is written, when the database does
    not answer.
    """
    of_people = groupby(sorted(sessions, key=lambda each: (each.user_name, each.server_name, each.ready_at)), _user)
    people = [(name, list(theirs)) for name, theirs in of_people]
    imported = Imported()
    done = 0
    with ledger.engine.execution_options(**{WRITE: True}).connect() as connection, connection.begin() as transaction:
        gone_until = connection.scalar(select(TOTALS_UNTIL.c.moment).where(TOTALS_UNTIL.c.hub == hub))
        for start in range(0, len(people), _PEOPLE):
            some = people[start : start + _PEOPLE]
            taken = _taken(connection, hub, [name for name, _ in some])
            new = [each for _, theirs in some for each in theirs]
            chosen = [each for each in new if _is_new(connection, each, taken, gone_until, imported)]
            _insert(connection, chosen)
            imported.added += len(chosen)
            done += len(new)
            progress(done)
        if dry_run:
            transaction.rollback()
    return imported


def _user(session: Session) -> str:
    return session.user_name


def _taken(connection: Connection, hub: str, users: Sequence[str]) -> dict[tuple[str, str], list[_Taken]]:
    columns = [SESSIONS.c[name] for name in ("user_name", "server_name", "ready_at", "ended_at", "id", "end_reason")]
    found: dict[tuple[str, str], list[_Taken]] = {}
    for row in connection.execute(select(*columns).where(SESSIONS.c.hub == hub, SESSIONS.c.user_name.in_(users))):
        times = found.setdefault((row.user_name, row.server_name), [])
        times.append(_Taken(row.ready_at, row.ended_at or _NEVER, row.id, row.end_reason))
    for times in found.values():
        times.sort()
    return found


def _is_new(
    connection: Connection,
    session: Session,
    taken: dict[tuple[str, str], list[_Taken]],
    gone_until: datetime | None,
    imported: Imported,
) -> bool:
    """Whether the session is to be added; notes in ``imported`` why not, and in ``taken`` if it is."""
    assert session.ready_at  # noqa: S101 - for mypy: files have no session without
    assert session.ended_at  # noqa: S101
    mine = _Taken(session.ready_at, session.ended_at, session.id)
    times = taken.setdefault((session.user_name, session.server_name), [])
    place = bisect_left(times, mine.ready_at, key=lambda each: each.ready_at)
    # The same id is the same moment, and that moment is the server's alone.
    same = next((each for each in times[place : place + 1] if each.id == mine.id), None)
    if same and not (same.end_reason == EndReason.HUB_AWAY and same.ended_at == same.ready_at < mine.ended_at):
        imported.known += 1
        return False
    others = [each for each in times[max(place - 1, 0) : place + 2] if each is not same]
    if any(_overlap(mine, each) for each in others):
        imported.overlapping.append(session)
        return False
    if gone_until and mine.ended_at < gone_until:
        imported.too_old += 1
        return False
    if same is None:
        insort(times, mine)
        return True
    times[times.index(same)] = mine
    connection.execute(
        update(SESSIONS)
        .where(SESSIONS.c.id == session.id)
        .values(ended_at=session.ended_at, last_seen_at=session.ended_at, end_reason=session.end_reason, uncounted=1)
    )
    imported.completed += 1
    return False


def _overlap(one: _Taken, other: _Taken) -> bool:
    together = one.ready_at < other.ended_at and other.ready_at < one.ended_at
    return together or abs(one.ready_at - other.ready_at) < _SAME_START


def _insert(connection: Connection, sessions: list[Session]) -> None:
    if not sessions:
        return
    connection.execute(insert(SESSIONS), [session_row(each) for each in sessions])
    groups = [row for each in sessions for row in groups_rows(each)]
    if groups:
        connection.execute(insert(SESSION_GROUPS), groups)
