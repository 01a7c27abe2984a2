"""How many people are in which group: gauges at the hub's own ``/hub/metrics``.

Nobody's name is in them. The largest groups have a series each, the others share one, so that a hub whose groups are
the teams of an organisation does not fill up Prometheus.

They are counted in a thread, with a connection of its own, in pieces: neither a scrape nor a write of the hub waits for
more than one of these.
"""

from __future__ import annotations

import collections
import logging
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

from jupyterhub import orm
from prometheus_client import REGISTRY
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import SingletonThreadPool, StaticPool

from .series import LARGEST, capped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from prometheus_client.metrics_core import Metric
    from sqlalchemy import Engine, Row, Select
    from sqlalchemy.orm import Session

    Execute = Callable[[Select[Any]], Sequence[Row[Any]]]

log = logging.getLogger("hub_extensions")

_PAUSE = 0.05
"""Seconds between pieces."""

Sizes = dict[str, int]


class GroupSizes(Collector):
    """Gauges of the groups of the hub whose database session it follows; none before it follows one.

    A scrape shows what was counted last. If that is older than ``fresh`` seconds, or nothing was counted yet, it begins
    a count for the next one, of the members of ``people_at_once`` people at a time.
    """

    def __init__(self, fresh: float = 60.0, people_at_once: int = 2_500) -> None:
        self.fresh = fresh
        self.people_at_once = people_at_once
        self._session: weakref.ref[Session] | None = None
        self._sizes: Sizes | None = None
        self._begun: float | None = None
        self._counting: threading.Thread | None = None

    def follow(self, session: Session) -> None:
        """Count in the database of this session, which is the hub's own, from now on."""
        if self._session is None or self._session() is not session:
            self._session, self._sizes, self._begun = weakref.ref(session), None, None

    def describe(self) -> list[Metric]:
        """Return nothing: names are known without asking the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Show how many members each group had at the last count."""
        self._count()
        sizes = self._sizes
        if sizes is None:
            return
        members = GaugeMetricFamily(
            "hub_extensions_group_members",
            f"People in each of the {LARGEST} largest groups, and memberships in all others together",
            labels=["group"],
        )
        for labels, size in capped({(name,): size for name, size in sizes.items()}).items():
            members.add_metric(labels, size)
        yield members
        yield GaugeMetricFamily("hub_extensions_groups", "Groups of the hub", value=len(sizes))
        yield GaugeMetricFamily(
            "hub_extensions_group_memberships",
            "Memberships in groups; who is in several counts for each",
            value=sum(sizes.values()),
        )

    def _count(self) -> None:
        """See that the sizes are fresh, or are going to be."""
        session = self._session() if self._session else None
        if session is None:
            self._sizes = None
            return
        now = time.monotonic()
        counting = self._counting is not None and self._counting.is_alive()
        if self._begun is not None and (counting or now - self._begun < self.fresh):
            return
        self._begun = now
        engine: Engine = session.get_bind().engine
        if isinstance(engine.pool, StaticPool | SingletonThreadPool):
            # A database in memory is there for the hub's own connection alone. It is small.
            self._count_by(lambda statement: session.execute(statement).all(), session)
            return

        def execute(statement: Select[Any]) -> Sequence[Row[Any]]:
            # What the hub wants to write meanwhile finds its turn here, and the hub's own thread the interpreter.
            time.sleep(_PAUSE)
            with engine.connect() as connection:
                return connection.execute(statement).all()

        self._counting = threading.Thread(
            target=self._count_by, args=[execute, session], name="group-sizes", daemon=True
        )
        self._counting.start()

    def _count_by(self, execute: Execute, session: Session) -> None:
        try:
            found = _sizes(execute, self.people_at_once)
        except SQLAlchemyError as error:
            log.warning("The members of groups cannot be counted: %s", str(error).partition("\n")[0][:200])
            found = None
        if self._session and self._session() is session:
            self._sizes = found


def _sizes(execute: Execute, people_at_once: int) -> Sizes:
    """How many are in each group.

    Members are counted some people at a time: SQLite lets nobody write while somebody reads, and one long statement
    would be in the way of the hub's next commit.
    """
    names = {row.id: row.name for row in execute(select(orm.Group.id, orm.Group.name))}
    found: collections.Counter[int] = collections.Counter()
    members, last = orm.user_group_map.c, 0
    while True:
        ids = select(orm.User.id).where(orm.User.id > last).order_by(orm.User.id)
        until = execute(ids.offset(people_at_once - 1).limit(1))
        some = [members.user_id > last, *(members.user_id <= row.id for row in until)]
        counts = select(members.group_id, func.count().label("size")).where(*some).group_by(members.group_id)
        found.update({row.group_id: row.size for row in execute(counts)})
        if not until:
            break
        last = until[0].id
    return {name: found[number] for number, name in names.items()}


GROUP_SIZES = GroupSizes()
REGISTRY.register(GROUP_SIZES)
