"""Sessions and the arithmetic of their hours.

A session is one server from ready to gone, with what it was given. Hours are integrals over real time: both ends are
compared in UTC, so a day on which clocks change counts 23 or 25 hours, and nothing is sampled or rounded. Durations are
added as ``timedelta``, which is exact to the microsecond, and become hours only when they are shown.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import tzinfo

GIB = 2**30
HOUR = timedelta(hours=1)


def _utc(moment: datetime, name: str) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"{name} has no time zone: {moment.isoformat()}")
    return moment.astimezone(UTC)


@dataclass(frozen=True, kw_only=True)
class Session:
    """One server from ready to gone, with what it was given at that time.

    ``id`` is the hex form of a UUID 4. Memory is in bytes, CPU in cores; ``None`` means that nothing was set.
    Moments are aware and are kept in UTC; ``ended_at`` is ``None`` while the server runs. ``groups`` are those of the
    person when the server started; later changes of membership do not change history.
    A moment without a time zone raises ``ValueError``.
    """

    id: str
    hub: str
    user_name: str
    server_name: str = ""
    community: str = ""
    profile: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    image: str = ""
    memory_limit: int | None = None
    memory_guarantee: int | None = None
    cpu_limit: float | None = None
    cpu_guarantee: float | None = None
    gpus: int = 0
    requested_at: datetime | None = None
    ready_at: datetime | None = None
    last_seen_at: datetime | None = None
    ended_at: datetime | None = None
    end_reason: str = ""
    groups: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, datetime):
                object.__setattr__(self, each.name, _utc(value, each.name))

    @property
    def memory(self) -> int:
        """Bytes of memory allocated: the guarantee, or the limit where nothing is guaranteed, as Kubernetes has it."""
        return self.memory_guarantee or self.memory_limit or 0

    @property
    def cpu(self) -> float:
        """Cores allocated: the guarantee, or the limit where nothing is guaranteed."""
        return self.cpu_guarantee or self.cpu_limit or 0.0

    @property
    def running(self) -> bool:
        """Whether the server was ready and has not ended."""
        return self.ready_at is not None and self.ended_at is None


@dataclass(frozen=True)
class Window:
    """The time from ``start`` up to, but not including, ``end``. ``ValueError`` if they are not in that order."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", _utc(self.start, "start"))
        object.__setattr__(self, "end", _utc(self.end, "end"))
        if self.end < self.start:
            raise ValueError(
                f"a window cannot end ({self.end.isoformat()}) before its start ({self.start.isoformat()})"
            )


@dataclass(frozen=True, order=True)
class Month:
    """A calendar month. ``Month.parse("2026-10")`` reads one; ``str()`` writes it back."""

    year: int
    month: int

    def __post_init__(self) -> None:
        # Years 1 and 9999 have a neighbour that no datetime can hold in every time zone.
        if not (2 <= self.year <= 9998 and 1 <= self.month <= 12):
            raise ValueError(f"there is no month {self.year}-{self.month}")

    @classmethod
    def parse(cls, text: str) -> Month:
        """Read ``YYYY-MM``; anything else raises ``ValueError``."""
        year, separator, month = text.partition("-")
        # isdigit alone would let through digits of other scripts, which int() reads too.
        if not (separator and text.isascii() and year.isdigit() and month.isdigit() and len(text) == 7):
            raise ValueError(f"expected a month such as 2026-10, found {text[:64]!r}")
        return cls(int(year), int(month))

    @classmethod
    def of(cls, moment: datetime, zone: tzinfo) -> Month:
        """Return the month in which ``moment`` lies in ``zone``."""
        local = moment.astimezone(zone)
        return cls(local.year, local.month)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"

    def plus(self, months: int) -> Month:
        """Return the month that many months later, or earlier if negative."""
        year, month = divmod(self.year * 12 + self.month - 1 + months, 12)
        return Month(year, month + 1)

    def window(self, zone: tzinfo) -> Window:
        """Return the month from midnight to midnight as clocks in ``zone`` show it."""
        year, month = divmod(self.year * 12 + self.month, 12)
        return Window(datetime(self.year, self.month, 1, tzinfo=zone), datetime(year, month + 1, 1, tzinfo=zone))


@dataclass(frozen=True)
class Total:
    """What a set of sessions adds up to; ``memory_hours`` are byte-hours, the others core-hours and GPU-hours."""

    sessions: int = 0
    duration: timedelta = timedelta()
    memory_hours: float = 0.0
    cpu_hours: float = 0.0
    gpu_hours: float = 0.0

    @property
    def hours(self) -> float:
        """Hours of running servers."""
        return self.duration / HOUR

    @property
    def gib_hours(self) -> float:
        """GiB of allocated memory times hours."""
        return self.memory_hours / GIB


def duration(session: Session, window: Window, now: datetime) -> timedelta:
    """Return how long the server was ready inside the window; a running one counts until ``now``.

    Never negative: a session that ended before it began (a clock was set back) counts nothing.
    """
    if session.ready_at is None:
        return timedelta()
    ended_at = min(session.ended_at or now, now)
    return max(min(ended_at, window.end) - max(session.ready_at, window.start), timedelta())


def hours(session: Session, window: Window, now: datetime) -> float:
    """Return the hours that the server was ready inside the window."""
    return duration(session, window, now) / HOUR


def total(sessions: Iterable[Session], window: Window, now: datetime) -> Total:
    """Add up the sessions inside the window. Those that never touch it count neither as hours nor as sessions."""
    count, time, memory_hours, cpu_hours, gpu_hours = 0, timedelta(), 0.0, 0.0, 0.0
    for session in sessions:
        spent = duration(session, window, now)
        if not spent:
            continue
        count += 1
        time += spent
        memory_hours += session.memory * (spent / HOUR)
        cpu_hours += session.cpu * (spent / HOUR)
        gpu_hours += session.gpus * (spent / HOUR)
    return Total(count, time, memory_hours, cpu_hours, gpu_hours)


def totals_by(
    key: Callable[[Session], str], sessions: Iterable[Session], window: Window, now: datetime
) -> dict[str, Total]:
    """Add up the sessions for each value of ``key``, those with most hours first, then by name."""
    parts: dict[str, list[Session]] = defaultdict(list)
    for session in sessions:
        parts[key(session)].append(session)
    sums = {name: total(part, window, now) for name, part in parts.items()}
    return dict(sorted(((n, t) for n, t in sums.items() if t.sessions), key=lambda item: (-item[1].duration, item[0])))
