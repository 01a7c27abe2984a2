"""What our part of `/hub/metrics` costs the hub's event loop, at 10,000 people of whom 1,000 have a running server.

.venv/bin/python benchmarks/metrics.py
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from weakref import WeakValueDictionary

from jupyterhub import orm
from prometheus_client import generate_latest
from prometheus_client.registry import CollectorRegistry
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from hub_extensions.group_metrics import GroupSizes
from hub_extensions.spawners.running_metrics import RunningServers

PEOPLE, RUNNING, GROUPS, EACH, LIMIT = 10_000, 1_000, 300, 5, 20
SECONDS = 10.0
KEPT: list[Any] = []
"""As spawners keep the records of their servers."""


def main() -> None:
    """Print what a scrape takes, and the longest ticks of a loop that writes: without scrapes, and with many."""
    with tempfile.TemporaryDirectory() as folder:
        session = orm.new_session_factory(f"sqlite:///{Path(folder, 'hub.sqlite')}")()
        memberships = fill(session)
        sizes, registry = GroupSizes(fresh=0), CollectorRegistry()
        sizes.follow(session)
        registry.register(sizes)
        running = RunningServers()
        records = records_of_servers()
        running.follow(records)
        registry.register(running)
        taken: list[float] = []

        def scrape() -> None:
            begin = time.thread_time()
            generate_latest(registry)
            taken.append(1000 * (time.thread_time() - begin))

        alone = asyncio.run(ticks(session, lambda: None))
        scraped = asyncio.run(ticks(session, scrape))
        session.close()
    sys.stdout.write(
        f"{PEOPLE:,} people, {RUNNING:,} running servers, {GROUPS} groups, {memberships:,} memberships, "
        f"and no REST request:\n"
        f"  a scrape takes {statistics.median(taken):.1f} ms of the processor in the hub's loop, at most "
        f"{max(taken):.1f} ms of {len(taken)}\n"
        f"  longest ticks of a loop that commits a change in each, without scrapes {told(alone)}, while each count is "
        f"followed by another {told(scraped)} (limit {LIMIT} ms beyond the former)\n"
    )


class Record:
    """What the hub has of a server that runs."""

    def __init__(self, number: int) -> None:
        self.session = SimpleNamespace(community=f"community-{number % 20}", profile=f"profile-{number % 7}")


def records_of_servers() -> WeakValueDictionary[str, Any]:
    """What the hub has in memory of servers that run."""
    servers = [Record(number) for number in range(RUNNING)]
    KEPT.extend(servers)
    return WeakValueDictionary({str(number): server for number, server in enumerate(servers)})


def fill(session: Session) -> int:
    """Make people who are in some groups each; return how many memberships that is."""
    session.execute(insert(orm.User), [{"name": f"person-{number:05}"} for number in range(PEOPLE)])
    session.execute(insert(orm.Group), [{"name": f"group-{number:03}"} for number in range(GROUPS)])
    pairs = {
        (person + 1, (person * 7 + nth * nth * 13) % GROUPS + 1) for person in range(PEOPLE) for nth in range(EACH)
    }
    session.execute(insert(orm.user_group_map), [{"user_id": user, "group_id": group} for user, group in pairs])
    session.commit()
    return len(pairs)


async def ticks(session: Session, scrape: Callable[[], None]) -> list[float]:
    """Milliseconds that each turn of the loop took in which a hub wrote something, longest first.

    How long the disk takes is left out: it is the same for both, and differs from one moment to the next.
    """
    session.execute(text("PRAGMA synchronous=OFF"))
    person = session.get(orm.User, 1)
    assert person is not None  # noqa: S101 - it was just made
    found, until = [], time.perf_counter() + SECONDS
    while time.perf_counter() < until:
        begin = time.perf_counter()
        scrape()
        person.name = f"renamed-{len(found)}"
        session.commit()
        found.append(1000 * (time.perf_counter() - begin))
        await asyncio.sleep(0.01)
    return sorted(found, reverse=True)


def told(found: list[float]) -> str:
    """The median, one in a hundred, and the longest."""
    return f"{statistics.median(found):.1f}, {found[len(found) // 100]:.1f}, {found[0]:.1f} ms (median, p99, max)"


if __name__ == "__main__":
    main()
