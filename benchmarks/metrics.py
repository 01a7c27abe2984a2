"""What a scrape of `/hub/metrics` costs the hub's event loop for the sizes of groups, at 10,000 people.

.venv/bin/python benchmarks/metrics.py
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

from jupyterhub import orm
from prometheus_client import generate_latest
from prometheus_client.registry import CollectorRegistry
from sqlalchemy import insert

from hub_extensions.group_metrics import GroupSizes

PEOPLE, GROUPS, EACH, LIMIT = 10_000, 300, 5, 50


def main() -> None:
    """Print the median and the slowest of a hundred scrapes."""
    with tempfile.TemporaryDirectory() as folder:
        session = orm.new_session_factory(f"sqlite:///{Path(folder, 'hub.sqlite')}")()
        session.execute(insert(orm.User), [{"name": f"person-{number:05}"} for number in range(PEOPLE)])
        session.execute(insert(orm.Group), [{"name": f"group-{number:03}"} for number in range(GROUPS)])
        pairs = {
            (person + 1, (person * 7 + nth * nth * 13) % GROUPS + 1) for person in range(PEOPLE) for nth in range(EACH)
        }
        session.execute(insert(orm.user_group_map), [{"user_id": user, "group_id": group} for user, group in pairs])
        session.commit()
        sizes, registry = GroupSizes(), CollectorRegistry()
        sizes.follow(session)
        registry.register(sizes)
        taken = []
        for _ in range(100):
            begin = time.perf_counter()
            generate_latest(registry)
            taken.append(1000 * (time.perf_counter() - begin))
            session.rollback()
        sys.stdout.write(
            f"{PEOPLE:,} people, {GROUPS} groups, {len(pairs):,} memberships: a scrape takes "
            f"{statistics.median(taken):.1f} ms, at most {max(taken):.1f} ms (limit {LIMIT} ms), and no REST request\n"
        )
        session.close()


if __name__ == "__main__":
    main()
