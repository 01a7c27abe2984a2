"""What the ledger says, for Prometheus: ``metrics`` of the usage service.

Labels are bounded: community, group, profile, image, and each metric has a bounded number of series. Names of people
are in them only where the operator asked for it. Everybody is counted, also who is left out of reports.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry

from hub_extensions.end_reasons import EndReason
from hub_extensions.ledger.cells import Cells
from hub_extensions.ledger.present import Present
from hub_extensions.series import LARGEST, OTHERS, capped
from hub_extensions.sessions import Month
from hub_extensions.sums import Days, Scope

from .api import Call
from .pages import RefusedError
from .reader import LedgerAwayError
from .tokens import owner_of_token

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import tzinfo

    from jupyterhub.services.auth import HubAuth
    from prometheus_client.metrics_core import Metric

    from hub_extensions.ledger import Ledger
    from hub_extensions.sums import Dimension, Sums
    from hub_extensions.usage_service import UsageSettings

    from .heartbeat import Heartbeat
    from .reader import Reader

SCOPE = "read:metrics"
"""What JupyterHub wants for its own metrics."""
PERIODS = {"1d": 1, "7d": 7, "30d": 30}
"""Days up to today, in the hub's time zone."""
MOST_PEOPLE = 1_000

_AMOUNTS = {
    "sessions": "Servers that ran",
    "server_hours": "Hours of running servers",
    "gib_hours": "GiB of memory that servers were given, times hours",
    "cpu_hours": "Cores that servers were given, times hours",
    "gpu_hours": "GPUs that servers were given, times hours",
}
_TABLES: dict[str, tuple[Dimension, ...]] = {"": ("community", "profile"), "group_": ("group",), "image_": ("image",)}


@dataclass(frozen=True)
class Figures:
    """What is read for one answer; parts are of this month, by the prefix of their metrics."""

    active: Mapping[str, int]
    active_of: Mapping[tuple[str, ...], float]
    running: Mapping[tuple[str, ...], float]
    ended: Mapping[str, int]
    parts: Mapping[str, Mapping[tuple[str, ...], Sums]]
    by_person: Mapping[tuple[str, ...], float]
    counted_until: datetime | None


def read_figures(ledger: Ledger, hub: str, zone: tzinfo, now: datetime, *, people: int) -> Figures:
    """Read them, synchronously; ``people`` is how many have a series of their own. Raises ``SQLAlchemyError``."""
    cells, present = Cells(ledger, hub), Present(ledger, hub)
    today, month = now.astimezone(zone).date(), Month.of(now, zone)
    days = Days.month(month)
    active: dict[str, int] = {}
    active_of: dict[tuple[str, ...], float] = {}
    for period, count in PERIODS.items():
        some = Days.until(today, count)
        active[period] = cells.active(some)
        of = sorted(
            ((sums.people, name) for (name,), sums in cells.by(some, ["community"]).items()),
            key=lambda each: (-each[0], each[1]),
        )
        active_of.update({(name, period): number for number, name in of[:LARGEST]})
        if len(of) > LARGEST:
            # Who is in several of them is one person.
            rest = Scope(communities=frozenset(name for _, name in of[LARGEST:]))
            active_of[OTHERS, period] = cells.active(some, scope=rest)
    return Figures(
        active=active,
        active_of=active_of,
        running=present.running(),
        ended=present.ended(month.window(zone)),
        parts={prefix: cells.by(days, by) for prefix, by in _TABLES.items()},
        by_person=_people(cells, days, people) if people else {},
        counted_until=cells.counted_until(),
    )


def _people(cells: Cells, days: Days, people: int) -> dict[tuple[str, ...], float]:
    found: dict[tuple[str, ...], float] = {(name,): sums.hours for name, sums in cells.by_person(days, limit=people)}
    rest = cells.total(days).hours - sum(found.values())
    return found if len(found) < people else {**found, (OTHERS,): max(rest, 0.0)}


class _Shown(Collector):
    """Figures as Prometheus reads them."""

    def __init__(self, figures: Figures | None, heartbeat: Heartbeat | None) -> None:
        self.figures = figures
        self.heartbeat = heartbeat

    def collect(self) -> Iterator[Metric]:
        up = self.figures is not None
        yield GaugeMetricFamily("hub_extensions_usage_ledger_up", "Whether the usage ledger answered", value=float(up))
        if self.heartbeat is not None:
            yield _moment("heartbeat", "When the hub last said which servers run", self.heartbeat.beat_at)
            yield CounterMetricFamily(
                "hub_extensions_usage_late_rows",
                "Servers that ran without being in the ledger, and were written later",
                value=self.heartbeat.late_rows,
            )
        if self.figures is not None:
            yield from _of(self.figures)


def _of(figures: Figures) -> Iterator[Metric]:
    yield _moment("counted", "Until when sessions are counted", figures.counted_until)
    yield _gauge(
        "active_people",
        "People with a running server on the days up to today",
        ["period"],
        {(period,): count for period, count in figures.active.items()},
    )
    yield _gauge(
        "community_active_people",
        "People with a running server that counted for the community on the days up to today",
        ["community", "period"],
        figures.active_of,
    )
    yield _gauge("running_sessions", "Sessions without an end", ["community", "profile"], capped(figures.running))
    ended: dict[tuple[str, ...], float] = {(str(reason),): 0 for reason in EndReason}
    ended |= {(name,): count for name, count in figures.ended.items()}
    yield _gauge("month_ended_sessions", "Sessions that ended this month, by the reason", ["reason"], ended)
    for prefix, by in _TABLES.items():
        for name, told in _AMOUNTS.items():
            field = "hours" if name == "server_hours" else name
            values = {labels: getattr(sums, field) for labels, sums in figures.parts[prefix].items()}
            told_by = f"{told} this month" + (", in full for each group of the person" if prefix == "group_" else "")
            yield _gauge(f"{prefix}month_{name}", told_by, list(by), capped(values))
    if figures.by_person:
        yield _gauge("person_month_server_hours", "Hours of running servers this month", ["user"], figures.by_person)


def _gauge(name: str, told: str, labels: list[str], values: Mapping[tuple[str, ...], float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"hub_extensions_usage_{name}", told, labels=labels)
    for of, value in values.items():
        family.add_metric(of, value)
    return family


def _moment(name: str, told: str, at: datetime | None) -> GaugeMetricFamily:
    return GaugeMetricFamily(
        f"hub_extensions_usage_{name}_timestamp_seconds", f"{told}; 0: never", value=at.timestamp() if at else 0.0
    )


class Metrics:
    """Makes the answer: twice between two beats at most, whoever and however many ask."""

    def __init__(self, reader: Reader, settings: UsageSettings, zone: tzinfo, heartbeat: Heartbeat | None) -> None:
        self.reader = reader
        self.zone = zone
        self.heartbeat = heartbeat
        self.fresh = settings.beat_seconds / 2
        self.people = MOST_PEOPLE if settings.metrics_per_user else 0
        self._one_at_a_time = asyncio.Lock()
        self._figures: Figures | None = None
        self._read_at: float | None = None

    async def text(self) -> bytes:
        """Return it. A ledger that does not answer is said in it."""
        async with self._one_at_a_time:
            if self._read_at is None or time.monotonic() - self._read_at > self.fresh:
                self._figures = await self._read()
                self._read_at = time.monotonic()
            figures = self._figures
        registry = CollectorRegistry()
        registry.register(_Shown(figures, self.heartbeat))
        return generate_latest(registry)

    async def _read(self) -> Figures | None:
        now = datetime.now(UTC)
        try:
            return await self.reader.ask(
                lambda ledger: read_figures(ledger, self.reader.hub, self.zone, now, people=self.people)
            )
        except LedgerAwayError:
            return None


class MetricsPage(Call):
    """The answer, for a token with the scope ``read:metrics``, or for everybody where the hub's own are open too."""

    def initialize(self, *, hub_auth: HubAuth, metrics: Metrics, settings: UsageSettings) -> None:
        """Take what the application was made with."""
        self.hub_auth = hub_auth
        self.metrics = metrics
        self.is_open = settings.metrics_open

    async def get(self) -> None:
        """Answer."""
        if not self.is_open:
            owner: Mapping[str, Any] = await owner_of_token(self, self.hub_auth)
            if SCOPE not in owner.get("scopes", ()):
                raise RefusedError(403, f"This token lacks the scope {SCOPE}.")
        self.set_header("Content-Type", CONTENT_TYPE_LATEST)
        self.write(await self.metrics.text())
