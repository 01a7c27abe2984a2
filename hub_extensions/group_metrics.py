"""How many people are in which group: gauges at the hub's own ``/hub/metrics``, by one query of its database a scrape.

Nobody's name is in them. The largest groups have a series each, the others share one, so that a hub whose groups are
the teams of an organisation does not fill up Prometheus.
"""

from __future__ import annotations

import logging
import weakref
from typing import TYPE_CHECKING

from jupyterhub import orm
from prometheus_client import REGISTRY
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.metrics_core import Metric
    from sqlalchemy.orm import Session

log = logging.getLogger("hub_extensions")

LARGEST = 200
"""So many groups have a series of their own."""
OTHERS = "(others)"
"""The label of the rest."""


class GroupSizes(Collector):
    """Gauges of the groups of the hub whose database session it follows; none before it follows one."""

    def __init__(self) -> None:
        self._session: weakref.ref[Session] | None = None

    def follow(self, session: Session) -> None:
        """Ask this session from now on. It is the hub's own, and is asked on the hub's own thread."""
        self._session = weakref.ref(session)

    def describe(self) -> list[Metric]:
        """Return nothing: names are known without asking the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Count the members of each group."""
        session = self._session() if self._session else None
        if session is None:
            return
        try:
            sizes = _sizes(session)
        except SQLAlchemyError as error:
            log.warning("The members of groups cannot be counted: %s", str(error).partition("\n")[0][:200])
            return
        members = GaugeMetricFamily(
            "hub_extensions_group_members",
            f"People in each of the {LARGEST} largest groups, and memberships in all others together",
            labels=["group"],
        )
        for name, size in sizes[:LARGEST]:
            members.add_metric([name], size)
        if len(sizes) > LARGEST:
            members.add_metric([OTHERS], sum(size for _, size in sizes[LARGEST:]))
        yield members
        yield GaugeMetricFamily("hub_extensions_groups", "Groups of the hub", value=len(sizes))
        yield GaugeMetricFamily(
            "hub_extensions_group_memberships",
            "Memberships in groups; who is in several counts for each",
            value=sum(size for _, size in sizes),
        )


def _sizes(session: Session) -> list[tuple[str, int]]:
    """Groups with how many are in them, the largest first, then by name."""
    members = orm.user_group_map.c
    counts = select(members.group_id, func.count().label("size")).group_by(members.group_id).subquery()
    size = func.coalesce(counts.c.size, 0)
    found = (
        select(orm.Group.name, size)
        .outerjoin(counts, counts.c.group_id == orm.Group.id)
        .order_by(size.desc(), orm.Group.name)
    )
    return [(name, number) for name, number in session.execute(found)]


GROUP_SIZES = GroupSizes()
REGISTRY.register(GROUP_SIZES)
