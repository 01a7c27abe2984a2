"""Whether the hub uses what its followed file holds: metrics at the hub's own ``/hub/metrics``."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Protocol

from prometheus_client import REGISTRY
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.metrics_core import Metric


class Followed(Protocol):
    """What is told of a followed file."""

    refused: int
    is_current: bool


class LiveFileMetrics(Collector):
    """A counter and a gauge of the file that the hub follows; none before it follows one."""

    def __init__(self) -> None:
        self._file: weakref.ref[Followed] | None = None

    def follow(self, file: Followed) -> None:
        """Tell of this file from now on."""
        self._file = weakref.ref(file)

    def describe(self) -> list[Metric]:
        """Return nothing: names are known without looking."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Tell how many versions were refused, and whether the version in use is the file's."""
        file = self._file() if self._file else None
        if file is None:
            return
        yield CounterMetricFamily(
            "hub_extensions_live_file_refused",
            "Versions of the file with profiles and announcements that were refused since the hub started",
            value=file.refused,
        )
        yield GaugeMetricFamily(
            "hub_extensions_live_file_current",
            "1 where the profiles and announcements in use are those of the file, 0 where the file was refused",
            value=int(file.is_current),
        )


LIVE_FILE = LiveFileMetrics()
REGISTRY.register(LIVE_FILE)
