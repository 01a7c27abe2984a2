"""How long pages and reports of a month take on a large ledger: each read, and all of a page one after the other.

.venv/bin/python benchmarks/ledger.py [--sessions 1000000] [--people 10000] [--months 13] [--copies 1]
    [--database sqlite:////srv/big.sqlite | --postgres | --postgres-folder /srv/big] [--build | --pages]

The ledger is made once, which takes minutes, and is kept where `--database` says, or in the folder of
`--postgres-folder`, for which a server is started; with neither, or with `--postgres`, it is gone afterwards.
`--copies 10` writes and counts a tenth of the sessions, and copies them with all that was counted to nine times as many
other people. With `--build` that is all.

"Cold" is the first read on a new connection; the operating system still has the file in memory. With `--pages` a real
hub with the service is started on the ledger, and whole pages are loaded over HTTP: the first time in a minute that
somebody wants a month, and again.
"""

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, insert, literal, select, text

from hub_extensions.ledger import Ledger
from hub_extensions.ledger.cells import Cells
from hub_extensions.ledger.counting import Counter
from hub_extensions.ledger.kept_figures import KeptFigures
from hub_extensions.ledger.month_figures import MonthFigures
from hub_extensions.ledger.tables import DAY_CELLS, KINDS, MONTH_CELLS, PEOPLE, SESSION_GROUPS, SESSIONS
from hub_extensions.sessions import Month
from hub_extensions.sums import EVERYBODY, Days, Scope

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.ledger.postgres import Postgres, running_postgres
from tests.services.process_hub import run_hub

HUB, ZONE = "hub", ZoneInfo("Europe/Berlin")
END = datetime(2026, 11, 24, 12, tzinfo=UTC)
MONTH = Month(2026, 10)
COMMUNITIES = [f"community-{number:02d}" for number in range(20)]
PROFILES = [
    ("small", 2, 0.5, 0),
    ("medium", 8, 2.0, 0),
    ("large", 32, 8.0, 0),
    ("gpu", 16, 4.0, 1),
    ("rstudio", 4, 1.0, 0),
]
TIMES = 40


def sessions(count: int, people: int, months: float) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """Sessions, and the groups of each: some people come every day, most now and then, some with two servers."""
    chance = random.Random(1)  # noqa: S311 - the same ledger each time
    homes = [chance.choices(COMMUNITIES, weights=range(20, 0, -1), k=2) for _ in range(people)]
    groups = [sorted({*home, "everyone"}) for home in homes]
    # People mostly do as they did before.
    habits = [[*chance.choices(PROFILES, weights=(8, 5, 2, 1, 3), k=2), chance.choice("pr")] for _ in range(people)]
    activity = [chance.paretovariate(1.3) for _ in range(people)]
    who = chance.choices(range(people), weights=activity, k=count)
    length = timedelta(days=months * 30.4).total_seconds()
    for number in range(count):
        person = who[number]
        profile, other, language = habits[person]
        name, memory, cpu, gpus = profile if chance.random() < 0.85 else other
        ready_at = END - timedelta(seconds=chance.random() * length)
        end = ready_at + timedelta(minutes=min(chance.lognormvariate(4.6, 1.0), 6000))
        running = end > END
        row = {
            "id": f"{number:032x}",
            "hub": HUB,
            "user_name": f"user-{person}@example.org",
            "server_name": chance.choice(["", "", "", "second"]),
            "community": homes[person][chance.random() > 0.8],
            "profile": name,
            "choices": {"image": language},
            "image": f"quay.io/hub/{language}:2026-{ready_at.month // 4}" if chance.random() < 0.95 else "quay.io/own",
            "memory_guarantee": memory * 2**30,
            "cpu_guarantee": cpu,
            "gpus": gpus,
            "requested_at": ready_at - timedelta(seconds=40),
            "ready_at": ready_at,
            "last_seen_at": min(end, END),
            "ended_at": None if running else end,
            "end_reason": "" if running else "stopped",
        }
        yield row, groups[person]


def build(ledger: Ledger, count: int, people: int, months: float, copies: int) -> None:
    """Fill the ledger, and count it."""
    begin = time.monotonic()
    some: list[tuple[dict[str, Any], list[str]]] = []

    def write() -> None:
        with ledger.engine.begin() as connection:
            if connection.dialect.name == "sqlite":
                connection.execute(text("PRAGMA cache_size=-500000"))  # of this connection, until it is let go
            connection.execute(insert(SESSIONS), [row for row, _ in some])
            connection.execute(
                insert(SESSION_GROUPS), [{"session_id": row["id"], "group": g} for row, groups in some for g in groups]
            )
        some.clear()

    count, people = count // copies, people // copies
    for each in sessions(count, people, months):
        some.append(each)
        if len(some) == 5000:
            write()
    if some:
        write()
    _say(f"{count:,} sessions of {people:,} people written in {time.monotonic() - begin:.0f} s")
    begin = time.monotonic()
    counter = Counter(ledger, HUB, ZONE)
    while counter.count_up(END):
        pass
    taken = time.monotonic() - begin
    _say(f"counted in {taken:.0f} s, {count / taken:,.0f} sessions a second")
    if copies > 1:
        begin = time.monotonic()
        copy(ledger, copies)
        _say(f"copied to {copies * count:,} sessions of {copies * people:,} people in {time.monotonic() - begin:.0f} s")
    ledger.analyze()  # as the service does, once a day
    if ledger.engine.dialect.name == "postgresql":
        with ledger.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("VACUUM ANALYZE"))
    ledger.dispose()


def copy(ledger: Ledger, copies: int) -> None:
    """Give other people what those who are there have: they differ in nothing but their names."""
    tables = (PEOPLE, SESSIONS, SESSION_GROUPS, DAY_CELLS, MONTH_CELLS)
    indexes = [index for table in tables for index in table.indexes]
    is_postgres = ledger.engine.dialect.name == "postgresql"
    with ledger.engine.begin() as connection:
        people = connection.scalar(select(func.max(PEOPLE.c.id))) or 0
        for index in indexes:
            index.drop(connection)
    for number in range(1, copies):
        changed: dict[Any, Any] = {}
        for column in (SESSIONS.c.id, SESSION_GROUPS.c.session_id):
            changed[column] = literal(f"{number:03x}").concat(func.substr(column, 4))
        for column in (SESSIONS.c.user_name, PEOPLE.c.user_name, PEOPLE.c.folded):
            changed[column] = literal(f"copy-{number}-").concat(column)
        for column in (PEOPLE.c.id, DAY_CELLS.c.person_id, MONTH_CELLS.c.person_id):
            changed[column] = column + number * people
        first = {
            PEOPLE: PEOPLE.c.id <= people,
            SESSIONS: SESSIONS.c.id < "001",
            SESSION_GROUPS: SESSION_GROUPS.c.session_id < "001",
            DAY_CELLS: DAY_CELLS.c.person_id <= people,
            MONTH_CELLS: MONTH_CELLS.c.person_id <= people,
        }
        with ledger.engine.begin() as connection:
            if is_postgres:
                connection.execute(text("SET LOCAL session_replication_role = replica"))  # no search for what is there
            for table in tables:
                found = (
                    select(*(changed.get(column, column) for column in table.c))
                    .where(first[table])
                    .order_by(*table.primary_key)
                )
                connection.execute(insert(table).from_select([column.name for column in table.c], found))
    with ledger.engine.begin() as connection:
        if is_postgres:
            connection.execute(text("SET LOCAL maintenance_work_mem = '1GB'"))
            connection.execute(text("SELECT setval('people_id_seq', (SELECT max(id) FROM people))"))
        for index in indexes:
            index.create(connection)


def reads(cells: Cells, scope: Scope) -> dict[str, Callable[[], object]]:
    """The reads of a page of a month."""
    days = Days.month(MONTH)
    return {
        "total": lambda: cells.total(days, scope=scope),
        "by profile": lambda: cells.by(days, ["profile"], scope=scope),
        "by community": lambda: cells.by(days, ["community"], scope=scope),
        "50 people": lambda: cells.by_person(days, scope=scope, limit=50),
        "people per day": lambda: cells.active_per_day(days, scope=scope),
        "people kept": lambda: cells.kept(MONTH, scope=scope),
        "lengths": lambda: cells.lengths(days, scope=scope),
    }


def more_reads(cells: Cells, scope: Scope) -> dict[str, Callable[[], object]]:
    """Reads that stand on no page of a month, or on none yet."""
    days = Days.month(MONTH)
    return {
        "by group": lambda: cells.by(days, ["group"], scope=scope),
        "by group, split": lambda: cells.by(days, ["group"], scope=scope, attribution="split"),
        "by choice": lambda: cells.by(days, ["choice"], scope=scope),
        "people of 30 days": lambda: cells.active(Days.until(days.end, 30), scope=scope),
        "last active": lambda: cells.last_active(scope=scope),
        "13 months": lambda: cells.total(Days(Days.month(MONTH.plus(-12)).start, days.end), scope=scope),
    }


def p95(work: Callable[[], object], before: Callable[[], object] = lambda: None) -> float:
    """The time in milliseconds that 95 of 100 calls do not exceed; each after ``before``, which is not timed."""
    taken = []
    for _ in range(TIMES):
        before()
        begin = time.perf_counter()
        work()
        taken.append((time.perf_counter() - begin) * 1000)
    return statistics.quantiles(taken, n=20)[-1]


def busy(work: Callable[[], object]) -> float:
    """The median time in milliseconds that the processor spent on it here: a machine may have other work."""
    taken = []
    for _ in range(10):
        begin = time.thread_time()
        work()
        taken.append((time.thread_time() - begin) * 1000)
    return statistics.median(taken)


def measure(ledger: Ledger, limit: float) -> None:
    """Print a line for each read."""
    cells = Cells(ledger, HUB)
    person = cells.by_person(Days.month(MONTH), limit=1)[0][0]
    pages = {
        "the hub": EVERYBODY,
        "the hub without 3 people": Scope(without=frozenset({"USER-1@example.org", "user-2@example.org", "nobody"})),
        "the largest community": Scope(communities=frozenset({COMMUNITIES[0]})),
        "the most active person": Scope(users=frozenset({person})),
    }
    for name, scope in pages.items():
        page = reads(cells, scope)
        for what, read in page.items():
            _say(_line(name, what, read) + f"   cold {p95(read, ledger.dispose):7.1f} ms")
        whole = partial(_all, list(page.values()))
        _report(f"page of {name}", p95(whole), limit, "ms")
        _say(f"  {name}: all of it {busy(whole):.1f} ms of the processor")
        _report(f"page of {name}, cold", p95(whole, ledger.dispose), limit, "ms")
        for what, read in more_reads(cells, scope).items():
            _say(_line(name, what, read))

    def month_report() -> None:
        for read in reads(cells, EVERYBODY).values():
            read()
        for dimensions in (["community", "profile"], ["community"], ["profile"]):
            cells.by(Days.month(MONTH), dimensions)  # type: ignore[arg-type]

    _report("full report of a month by community and profile", p95(month_report), 1000, "ms")


def due(url: str) -> bool:
    """Whether figures of months that the hub's service makes beforehand are still missing."""
    ledger = Ledger(url, timeout=600)
    try:
        kept = KeptFigures(ledger, HUB)
        made = sum(1 for each in kept.all().values() if each.made_at is not None)
        return made < 13 * (1 + len(MonthFigures(kept.ledger, HUB).communities()))
    finally:
        ledger.dispose()


def load_pages(url: str, person: str, limit: float) -> None:
    """Print how long whole pages take for who loads them from a real hub's service."""
    with tempfile.TemporaryDirectory() as folder:
        people = {person: {"groups": ["reporters"], "admin": False}}
        with run_hub(Path(folder), people, database=url) as hub:
            visitor = hub.visitor(person)
            begin = time.monotonic()
            while due(url):
                time.sleep(5)
            _say(f"the service had made what pages show of 13 months after {time.monotonic() - begin:.0f} s")
            visitor.get(hub.service, timeout=60).raise_for_status()  # which logs in at the service, by way of the hub
            for name in ("hub", f"community/{COMMUNITIES[0]}", ""):
                first, again = [], []
                # Each month is read once: what follows within a minute is kept.
                for back in range(12):
                    for taken in (first, again):
                        begin = time.perf_counter()
                        answer = visitor.get(
                            f"{hub.service}{name}", params={"month": str(MONTH.plus(-back))}, timeout=60
                        )
                        taken.append((time.perf_counter() - begin) * 1000)
                        answer.raise_for_status()
                _report(
                    f"page {name or 'of a person'} over HTTP, first", statistics.quantiles(first, n=20)[-1], limit, "ms"
                )
                _report(
                    f"page {name or 'of a person'} over HTTP, again", statistics.quantiles(again, n=20)[-1], limit, "ms"
                )
                _say(f"  median first {statistics.median(first):.1f} ms, again {statistics.median(again):.1f} ms")


def running(ledger: Ledger) -> None:
    """What a minute costs: all that runs was seen, and is counted."""
    with ledger.engine.begin() as connection:
        ids = connection.scalars(select(SESSIONS.c.id).where(SESSIONS.c.ended_at.is_(None))).all()
    counter = Counter(ledger, HUB, ZONE)
    for minute in (1, 2, 3):
        begin = time.perf_counter()
        ledger.seen(ids, END + timedelta(minutes=minute))
        seen = time.perf_counter()
        counter.count_up(END + timedelta(minutes=minute))
        counted = time.perf_counter()
        _say(
            f"a minute of {len(ids):,} running servers: seen in {seen - begin:.2f} s, counted in {counted - seen:.2f} s"
        )


def postgres(server: Postgres) -> str:
    """Return the URL of the server's database, which is made if there is none yet."""
    with server.connection() as connection:
        connection.execute("ALTER SYSTEM SET max_wal_size = '8GB'")
        connection.execute("SELECT pg_reload_conf()")
        if connection.execute("SELECT FROM pg_database WHERE datname = 'ledger1'").fetchone():
            return server.url("ledger1")
    return server.database()


def main() -> None:
    """Make the ledger if need be, and measure."""
    options = argparse.ArgumentParser()
    options.add_argument("--sessions", type=int, default=1_000_000)
    options.add_argument("--people", type=int, default=10_000)
    options.add_argument("--months", type=float, default=13)
    options.add_argument("--database")
    options.add_argument("--postgres", action="store_true")
    options.add_argument("--postgres-folder", type=Path)
    options.add_argument("--copies", type=int, default=1)
    options.add_argument("--build", action="store_true")
    options.add_argument("--pages", action="store_true")
    given = options.parse_args()
    with ExitStack() as stack:
        url = given.database
        if given.postgres_folder or given.postgres:
            url = postgres(stack.enter_context(running_postgres(given.postgres_folder)))
        elif not url:
            url = f"sqlite:///{stack.enter_context(tempfile.TemporaryDirectory())}/usage.sqlite"
        ledger = Ledger(url, timeout=3600)
        ledger.migrate()
        limit = 200 if ledger.engine.dialect.name == "postgresql" else 100
        with ledger.engine.begin() as connection:
            is_empty = connection.scalar(select(SESSIONS.c.id).limit(1)) is None
        if is_empty:
            build(ledger, given.sessions, given.people, given.months, given.copies)
        with ledger.engine.begin() as connection:
            for table in (SESSIONS, DAY_CELLS, MONTH_CELLS, KINDS):
                _say(f"{connection.scalar(select(func.count()).select_from(table)):,} rows of {table.name}")
        if given.build:
            ledger.dispose()
            return
        if given.pages:
            person = Cells(ledger, HUB).by_person(Days.month(MONTH), limit=1)[0][0]
            load_pages(url, person, limit)
            ledger.dispose()
            return
        measure(ledger, limit)
        running(ledger)
        ledger.dispose()


def _line(name: str, what: str, read: Callable[[], object]) -> str:
    return f"  {name}: {what:<20} p95 {p95(read):7.1f} ms   processor {busy(read):7.1f} ms"


def _all(reads: Iterable[Callable[[], object]]) -> None:
    for read in reads:
        read()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _report(what: str, found: float, limit: float, unit: str) -> None:
    _say(f"{what:<52} {found:9.1f} {unit}   limit {limit:g} {unit}   {limit / found:.1f} times within")


if __name__ == "__main__":
    main()
