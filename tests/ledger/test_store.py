"""What goes into the ledger comes out of it, once."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from hub_extensions.end_reasons import EndReason
from hub_extensions.ledger import Ledger
from hub_extensions.ledger.tables import METADATA
from hub_extensions.sessions import Session

from .made import at, made


def everything(ledger: Ledger, **narrowed: list[str]) -> list[Session]:
    return ledger.sessions("hub", at(-10_000), at(10_000), **narrowed)


# SQLite and PostgreSQL hold any text but lone surrogates; PostgreSQL also not NUL.
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
zones = st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours)))
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=zones)  # noqa: DTZ001


@given(
    st.builds(
        Session,
        id=st.just(""),
        hub=words,
        user_name=words,
        server_name=words,
        community=words,
        profile=words,
        choices=st.dictionaries(words, words),
        image=words,
        memory_limit=st.none() | st.integers(0, 2**62),
        cpu_limit=st.none() | st.floats(0, 1e6),
        gpus=st.integers(0, 64),
        requested_at=st.none() | moments,
        ready_at=moments,
        last_seen_at=moments,
        groups=st.frozensets(words),
    )
)
def test_a_session_comes_out_as_it_went_in(shared: Ledger, session: Session) -> None:
    assert session.ready_at
    session = replace(session, id=uuid4().hex)
    shared.open(session)
    assert session in shared.sessions(session.hub, session.ready_at, session.ready_at + timedelta(seconds=1))


def test_a_session_is_opened_once_however_often_it_is_written(ledger: Ledger) -> None:
    session = made(groups=frozenset({"ocean-lab", "org:team"}))
    ledger.open(session)
    ledger.open(session)
    assert [each.id for each in everything(ledger)] == [session.id]


def test_the_first_end_of_a_session_is_kept(ledger: Ledger) -> None:
    session = made()
    ledger.open(session)
    assert ledger.close(session.id, at(3), "stopped")
    assert not ledger.close(session.id, at(5), "crashed")
    (found,) = everything(ledger)
    assert (found.ended_at, found.end_reason, found.last_seen_at) == (at(3), "stopped", at(3))


def test_writing_a_closed_session_again_does_not_open_it(ledger: Ledger) -> None:
    session = made()
    ledger.open(session)
    ledger.close(session.id, at(3), "stopped")
    ledger.open(session)
    assert everything(ledger)[0].ended_at == at(3)


def test_the_end_of_a_session_that_was_never_opened_changes_nothing(ledger: Ledger) -> None:
    assert not ledger.close("0" * 32, at(3), "stopped")
    assert everything(ledger) == []


def test_a_session_whose_end_nobody_saw_ends_when_it_was_last_seen_once_its_server_starts_again(ledger: Ledger) -> None:
    lost, other = made(ready_at=at(1)), made(ready_at=at(1), server_name="gpu")
    ledger.open(lost)
    ledger.open(other)
    ledger.seen([lost.id], at(4))
    ledger.open(made(ready_at=at(9)))
    ends = {each.id: (each.ended_at, each.end_reason) for each in everything(ledger)}
    assert ends[lost.id] == (at(4), EndReason.HUB_AWAY)
    assert ends[other.id] == (None, "")


def test_seen_touches_only_what_runs(ledger: Ledger) -> None:
    running, ended = made(user_name="a"), made(user_name="b")
    for each in (running, ended):
        ledger.open(each)
    ledger.close(ended.id, at(2), "stopped")
    ledger.seen([running.id, ended.id, *(f"{n:032x}" for n in range(1200))], at(7))
    assert {each.id: each.last_seen_at for each in everything(ledger)} == {running.id: at(7), ended.id: at(2)}


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [(0, 1, ""), (0, 1.5, "ab"), (2, 2.5, "ab"), (3, 4, "b"), (4, 5, "b"), (50, 60, "b"), (-5, 99, "ab")],
)
def test_a_window_finds_what_touches_it(ledger: Ledger, start: float, end: float, found: str) -> None:
    ended, running = made(user_name="a"), made(user_name="b")
    ledger.open(ended)
    ledger.open(running)
    ledger.close(ended.id, at(3), "stopped")
    assert sorted(each.user_name for each in ledger.sessions("hub", at(start), at(end))) == list(found)


def test_sessions_are_narrowed_by_person_group_and_community_exactly(ledger: Ledger) -> None:
    for name in ("ann", "anna", "Ann", "ann%"):
        ledger.open(made(user_name=name, community=f"{name}-lab", groups=frozenset({f"{name}:g", "all"})))

    def names(**narrowed: list[str]) -> list[str]:
        return sorted(each.user_name for each in everything(ledger, **narrowed))

    assert names(users=["ann"]) == names(groups=["ann:g"]) == names(communities=["ann-lab"]) == ["ann"]
    assert names(users=["ann", "Ann"], groups=["all"]) == ["Ann", "ann"]
    assert names(users=[]) == names(groups=[]) == names(communities=[]) == []
    assert len(names(groups=["all", "ann:g"])) == 4


def test_two_hubs_in_one_database_see_only_their_own(ledger: Ledger) -> None:
    here, there = made(), made(hub="other")
    ledger.open(here)
    ledger.open(there)
    assert [each.id for each in everything(ledger)] == [here.id]
    assert [each.id for each in ledger.sessions("other", at(0), at(9))] == [there.id]


def test_a_limit_keeps_the_newest(ledger: Ledger) -> None:
    for hour in range(5):
        ledger.open(made(ready_at=at(hour), user_name=str(hour)))
    assert [each.user_name for each in ledger.sessions("hub", at(0), at(9), limit=2)] == ["4", "3"]


def test_the_migrations_make_the_tables_that_the_code_expects(ledger: Ledger) -> None:
    with ledger.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "ledger_version"})
        assert compare_metadata(context, METADATA) == []


def test_migrating_again_keeps_what_is_there(ledger: Ledger) -> None:
    ledger.open(made())
    ledger.migrate()
    assert len(everything(ledger)) == 1


_PROCESS = """
import sys, time
from hub_extensions.ledger import Ledger
from hub_extensions.sessions import Session
from datetime import datetime, UTC
ledger = Ledger(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
ledger.migrate()
for n in range(20):
    ledger.open(Session(id=f"{sys.argv[2]}{n}", hub=sys.argv[2], user_name="ada", ready_at=datetime.now(UTC)))
"""


def test_two_processes_may_start_and_write_at_once(url: str) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _PROCESS, url, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for name in ("one", "two")
    ]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.communicate("go\n", timeout=60)
    assert [process.returncode for process in processes] == [0, 0]
    ledger = Ledger(url)
    for name in ("one", "two"):
        assert len(ledger.sessions(name, datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))) == 20
    ledger.dispose()


def test_threads_may_share_a_ledger_and_migrate_it_at_once(url: str) -> None:
    ledger = Ledger(url)

    def work(name: str) -> None:
        ledger.migrate()
        for _ in range(10):
            ledger.open(made(user_name=name))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, "abcd"))
    assert len(everything(ledger)) == 40
    ledger.dispose()


def test_pages_are_read_while_another_writes(
    ledger: Ledger, blocked: Callable[[], AbstractContextManager[None]]
) -> None:
    ledger.open(made())
    with blocked():
        assert len(everything(ledger)) == 1


def test_a_locked_database_is_given_up_in_time(
    ledger: Ledger, url: str, blocked: Callable[[], AbstractContextManager[None]]
) -> None:
    impatient = Ledger(url, timeout=0.1)
    with blocked(), pytest.raises(OperationalError, match=r"locked|timeout"):
        impatient.open(made())
    impatient.open(made())
    impatient.dispose()


def test_sessions_come_newest_first_in_whatever_order_they_were_written(ledger: Ledger) -> None:
    late, early = made(ready_at=at(5)), made(ready_at=at(2), user_name="bo")
    ledger.open(late)
    ledger.open(early)
    assert [each.id for each in everything(ledger)] == [late.id, early.id]


@pytest.mark.parametrize(
    "url", ["", "usage.sqlite", "sqlite://", "sqlite:///:memory:", "mysql://db/usage", "nosuch://x"]
)
def test_a_url_that_cannot_hold_a_ledger_is_refused_before_anything_is_opened(url: str) -> None:
    with pytest.raises(ValueError, match="ledger's database"):
        Ledger(url)


def test_a_password_is_not_in_what_is_logged_of_a_ledger() -> None:
    assert "secret" not in repr(Ledger("postgresql+psycopg://hub:secret@db.example.org/usage"))


def test_a_session_without_a_ready_moment_has_no_place_in_the_ledger(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="not ready"):
        ledger.open(replace(made(), ready_at=None))
