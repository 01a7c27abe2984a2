"""Whatever happens to servers, hub, service, database and clock, in whatever order: what ran is in the ledger, once.

Hub and service are played here, the ledger and what is decided are the real ones; the real processes are killed in
`tests/services/test_heartbeat.py`.
"""

from __future__ import annotations

import shutil
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_extensions.end_reasons import EndReason
from hub_extensions.ledger import Ledger
from hub_extensions.reconciliation import reconcile
from hub_extensions.sessions import Session

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BEAT = timedelta(seconds=60)
NOTHING = timedelta()
SERVERS = [("ada", ""), ("ada", "gpu"), ("Ada", "")]


@dataclass
class Server:
    """A server as it really is, and how wrong its hours may be.

    `stepped`: by so much its clock was changed. `unseen`: for so long nobody saw that it ran, which counts if nobody
    saw its end either.
    """

    session: Session
    started: datetime
    ended: datetime | None = None
    reason: str = ""
    stepped: timedelta = NOTHING
    unseen: timedelta = NOTHING
    told: bool = True  # whether it must be in the ledger


@dataclass
class World:
    """`now` is the true time, `step` what the hub's clock adds; `state` is what the hub keeps in its own database."""

    ledger: Ledger
    now: datetime = datetime(2026, 10, 1, tzinfo=UTC)
    step: timedelta = NOTHING
    hub_up: bool = True
    database_up: bool = True
    servers: list[Server] = field(default_factory=list)
    state: dict[tuple[str, str], Server] = field(default_factory=dict)
    queue: deque[tuple[Server, Callable[[], object]]] = field(default_factory=deque)
    absent: dict[str, int] = field(default_factory=dict)

    def clock(self) -> datetime:
        return self.now + self.step

    # What happens

    def start(self, which: int) -> None:
        free = [where for where in SERVERS if where not in self.state]
        if not self.hub_up or not free:
            return
        where = free[which % len(free)]
        # Its id says which it is; the ledger does not care.
        session = Session(
            id=UUID(int=len(self.servers)).hex, hub="hub", user_name=where[0], server_name=where[1],
            ready_at=self.clock(),
        )  # fmt: skip
        server = Server(session, self.now)
        self.servers.append(server)
        self.state[where] = server
        self.write(server, lambda: self.ledger.open(session))

    def end(self, which: int, reason: EndReason) -> None:
        alive = [where for where, server in self.state.items() if server.ended is None]
        if not alive:
            return
        where = alive[which % len(alive)]
        server = self.state[where]
        by_itself = reason is EndReason.CRASHED
        if not (self.hub_up or by_itself):
            return
        server.ended, server.reason = self.now, reason
        if self.hub_up:
            self.state.pop(where)
            assert server.session.ready_at is not None
            at = max(self.clock(), server.session.ready_at)
            self.write(server, lambda: self.ledger.close(server.session.id, at, reason))

    def kill_hub(self) -> None:
        """The service goes with it, and so does what waits to be written."""
        if not self.hub_up:
            return
        self.hub_up = False
        self.absent = {}
        for server, _ in self.queue:
            # The hub has forgotten a server that was stopped; with the database away as well, nobody knows of it.
            server.told = server.told and server.ended is None
            if server.ended is not None:
                server.unseen += self.now - server.started
        self.queue.clear()

    def start_hub(self) -> None:
        if self.hub_up:
            return
        self.hub_up = True
        for where, server in list(self.state.items()):
            self.write(server, lambda server=server: self.ledger.open(server.session))
            if server.ended is not None:
                server.reason = EndReason.HUB_AWAY
                self.state.pop(where)
                ids = [server.session.id]
                self.write(server, lambda ids=ids: self.ledger.close_unseen(ids, EndReason.HUB_AWAY))

    def kill_service(self) -> None:
        self.absent = {}

    def database(self, up: bool) -> None:
        self.database_up = up
        self.flush()

    def step_clock(self, seconds: int) -> None:
        self.step += timedelta(seconds=seconds)
        for server in self.servers:
            if server.ended is None or server in self.state.values():
                server.stepped += timedelta(seconds=abs(seconds))

    def wait(self, seconds: int) -> None:
        for _ in range(seconds // 60):
            self.now += BEAT
            self.beat()
            for server in self.state.values():
                # Nobody sees that it still runs, or that it ended.
                if not (self.hub_up and self.database_up):
                    server.unseen += BEAT
        self.now += timedelta(seconds=seconds % 60)
        for server in self.state.values():
            if not self.hub_up:
                server.unseen += timedelta(seconds=seconds % 60)

    # What the hub and the service do

    def write(self, server: Server, write: Callable[[], object]) -> None:
        self.queue.append((server, write))
        self.flush()

    def flush(self) -> None:
        while self.database_up and self.queue:
            self.queue.popleft()[1]()

    def beat(self) -> None:
        if not (self.hub_up and self.database_up):
            return
        at = self.clock()
        running = {server.session.id: server.session for server in self.state.values()}
        ready = {each.id: each.ready_at for each in running.values() if each.ready_at is not None}
        self.ledger.seen(running, at)
        found = reconcile(ready, self.ledger.without_end("hub"), self.absent, at, 2 * BEAT)
        for each in found.without_row:
            self.ledger.open(running[each])
        self.ledger.close_unseen(found.gone, EndReason.HUB_AWAY)
        self.absent = dict(found.absent)


which = st.integers(0, len(SERVERS) - 1)
ENDS = st.sampled_from([EndReason.BY_PERSON, EndReason.CULLED, EndReason.CRASHED, EndReason.CRASHED])
OFTEN = [
    st.tuples(st.just("start"), which),
    st.tuples(st.just("end"), which, ENDS),
    st.tuples(st.just("wait"), st.sampled_from([1, 30, 90, 200, 600])),
    st.tuples(st.sampled_from(["kill_hub", "start_hub", "start_hub"])),
]
SELDOM = [
    st.tuples(st.just("kill_service")),
    st.tuples(st.just("database"), st.booleans()),
]
STEPS = [st.tuples(st.just("step_clock"), st.integers(-7200, 7200))]


def events(*kinds: st.SearchStrategy[tuple[object, ...]]) -> st.SearchStrategy[list[tuple[object, ...]]]:
    return st.lists(st.one_of(*kinds), min_size=15, max_size=50)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file: Path = tmp_path_factory.mktemp("ledger") / "empty.sqlite"
    ledger = Ledger(f"sqlite:///{file}")
    ledger.migrate()
    ledger.dispose()
    return file


@settings(deadline=None, max_examples=100)
@given(happens=events(*OFTEN * 3, *SELDOM))
def test_nothing_that_ran_is_lost_or_counted_twice(empty: Path, happens: list[tuple[object, ...]]) -> None:
    play(empty, happens)


@settings(deadline=None, max_examples=50)
@given(happens=events(*OFTEN * 3, *SELDOM, *STEPS))
def test_nor_is_it_when_clocks_are_changed(empty: Path, happens: list[tuple[object, ...]]) -> None:
    play(empty, happens)


def play(empty: Path, happens: list[tuple[object, ...]]) -> None:
    file = empty.with_name("played.sqlite")
    shutil.copy(empty, file)
    world = World(Ledger(f"sqlite:///{file}"))
    try:
        for name, *arguments in happens:
            getattr(world, str(name))(*arguments)
        settle(world)
        check(world)
    finally:
        world.ledger.dispose()
        for each in file.parent.glob("played.sqlite*"):
            each.unlink()


def settle(world: World) -> None:
    """All is up again, and clocks go on beyond what they ever showed."""
    world.database(True)
    world.start_hub()
    world.step = max(world.step, timedelta(hours=200))
    world.wait(5 * 60)


def check(world: World) -> None:
    far = timedelta(days=300)
    rows = {each.id: each for each in world.ledger.sessions("hub", world.now - far, world.now + far)}
    assert {server.session.id for server in world.servers if server.told} <= rows.keys()
    assert rows.keys() <= {server.session.id for server in world.servers}
    for server in world.servers:
        row = rows.get(server.session.id)
        if row is None:
            continue
        assert row.ready_at is not None
        assert (row.ended_at is None) == (server in world.state.values()), server
        if row.ended_at is None or server.ended is None:
            continue
        assert row.end_reason in {server.reason, EndReason.HUB_AWAY}
        off = abs((row.ended_at - row.ready_at) - (server.ended - server.started))
        # Whose end nobody saw was seen up to one heartbeat before.
        may = server.unseen + BEAT if row.end_reason == EndReason.HUB_AWAY else NOTHING
        assert off <= may + server.stepped, (off, server)
