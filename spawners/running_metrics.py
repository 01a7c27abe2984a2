"""Which servers run, as gauges at the hub's own ``/hub/metrics``: from memory, without the hub's database."""

from __future__ import annotations

import collections
import weakref
from typing import TYPE_CHECKING, Any

from prometheus_client import REGISTRY
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from hub_extensions.series import capped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prometheus_client.metrics_core import Metric

    from .session import SessionRecord


class RunningServers(Collector):
    """A gauge of the servers of the hub whose records it follows; none before it follows some."""

    def __init__(self) -> None:
        self._records: weakref.ref[Any] | None = None

    def follow(self, records: Mapping[str, SessionRecord]) -> None:
        """Count these from now on: the records of the servers that run now, whenever that is."""
        self._records = weakref.ref(records)

    def describe(self) -> list[Metric]:
        """Return nothing: names are known without looking."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Count servers by community and profile."""
        records = self._records() if self._records else None
        if records is None:
            return
        sessions = [record.session for record in list(records.values())]
        counts: collections.Counter[tuple[str, ...]] = collections.Counter(
            (each.community, each.profile) for each in sessions if each is not None
        )
        found = GaugeMetricFamily(
            "hub_extensions_running_servers",
            "Servers of people that run, by the community for which they count and by profile",
            labels=["community", "profile"],
        )
        for labels, count in capped(counts).items():
            found.add_metric(labels, count)
        yield found


RUNNING_SERVERS = RunningServers()
REGISTRY.register(RUNNING_SERVERS)
