"""What only a database server can do to a ledger: restart, refuse a password, run out of connections."""

import logging
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy.exc import OperationalError, TimeoutError

from hub_extensions.ledger import Ledger, Recorder
from hub_extensions.ledger.lookup import Lookup

from .made import at, made
from .postgres import PASSWORD, ROLE, Postgres
from .silent import way_to


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.database()


@pytest.fixture
def recorder(url: str) -> Iterator[Recorder]:
    recorder = Recorder(Ledger(url, timeout=1), retry=0.05)
    yield recorder
    recorder.stop(10)
    recorder.ledger.dispose()


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name.startswith("hub_extensions")]


def test_a_restart_of_the_server_loses_and_doubles_nothing(
    recorder: Recorder, ledger: Ledger, postgres: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "hub_extensions")
    before = [made(user_name=f"before{n}") for n in range(20)]
    during = [made(user_name=f"during{n}") for n in range(20)]
    for each in before:
        recorder.opened(each)
    assert recorder.flush(10)
    for each in during[:10]:
        recorder.opened(each)
    postgres.stop()  # while these are being written
    try:
        for each in during[10:]:
            recorder.opened(each)
        for each in before:
            recorder.closed(each.id, at(4), "stopped")
        assert not recorder.flush(0.5)
    finally:
        postgres.start()
    after = made(user_name="after")
    recorder.opened(after)
    assert recorder.flush(30)
    found = {each.id: each.ended_at for each in ledger.sessions("hub", at(0), at(9))}
    assert found == {each.id: at(4) for each in before} | {each.id: None for each in [*during, after]}
    away, back = said(caplog)
    assert "cannot be written" in away
    assert "answers again" in back


async def test_a_restart_of_the_server_costs_the_lookup_one_answer_at_most(
    ledger: Ledger, url: str, postgres: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    ledger.open(made())
    lookup = Lookup(url, timeout=5, rest=0)
    assert await lookup.count("hub", "ada", at(0), at(9), len) == 1
    postgres.stop()
    try:
        assert await lookup.count("hub", "ada", at(0), at(9), len) is None
    finally:
        postgres.start()
    assert await lookup.count("hub", "ada", at(0), at(9), len) == 1
    lookup.ledger.dispose()


async def test_a_server_that_falls_silent_holds_up_neither_what_is_written_nor_the_end_of_threads(
    ledger: Ledger, postgres: Postgres
) -> None:
    with way_to(str(postgres.folder / ".s.PGSQL.5432")) as way:
        url = f"postgresql+psycopg://{ROLE}:{PASSWORD}@127.0.0.1:{way.port}/{ledger.engine.url.database}"
        recorder, lookup = Recorder(Ledger(url, timeout=1), retry=0.05), Lookup(url, timeout=2, rest=0, threads=1)
        recorder.opened(made())
        assert recorder.flush(10)
        assert await lookup.count("hub", "ada", at(0), at(9), len) == 1
        way.fall_silent()  # as when its machine is gone: what is connected hears nothing any more
        assert await lookup.count("hub", "ada", at(0), at(9), len) is None
        recorder.opened(made(user_name="bob"))
        assert recorder.flush(20)
        # The only thread of the lookup is free again, too.
        answers = [await lookup.count("hub", "bob", at(0), at(9), len) for _ in range(20)]
        assert 1 in answers
        recorder.stop(5)
        recorder.ledger.dispose()
        lookup.ledger.dispose()


def test_a_wrong_password_is_said_without_it_and_starts_wait_in_memory(
    postgres: Postgres, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    database = str(ledger.engine.url.database)
    recorder = Recorder(Ledger(postgres.url(database, password="wr0ng-word")), retry=0.05)
    recorder.opened(made())
    assert not recorder.flush(1)
    assert "password authentication failed" in said(caplog)[0]
    assert "wr0ng-word" not in caplog.text
    with postgres.connection() as connection:
        connection.execute("ALTER ROLE hub PASSWORD 'wr0ng-word'")
    try:
        assert recorder.flush(20)
    finally:
        with psycopg.connect(f"host={postgres.folder} user=hub password=wr0ng-word dbname=postgres") as connection:
            connection.execute("ALTER ROLE hub PASSWORD 'secret'")
    assert len(ledger.sessions("hub", at(0), at(9))) == 1
    recorder.stop(5)
    recorder.ledger.dispose()


def test_a_pool_whose_connections_are_all_in_use_is_waited_for_in_time_and_loses_nothing(
    recorder: Recorder, ledger: Ledger
) -> None:
    pool = recorder.ledger.engine
    held = [pool.connect() for _ in range(15)]
    with pytest.raises(TimeoutError, match="QueuePool"):
        recorder.ledger.open(made(user_name="refused"))
    recorder.opened(made())
    assert not recorder.flush(0.2)
    for each in held:
        each.close()
    assert recorder.flush(20)
    assert [each.user_name for each in ledger.sessions("hub", at(0), at(9))] == ["ada"]


def test_a_server_that_takes_no_more_connections_is_waited_for(
    recorder: Recorder, ledger: Ledger, url: str, postgres: Postgres
) -> None:
    database = str(ledger.engine.url.database)
    with postgres.connection() as connection:
        connection.execute("CREATE ROLE guest LOGIN PASSWORD 'secret' CONNECTION LIMIT 1 IN ROLE hub")
        connection.execute(f"ALTER DATABASE {database} OWNER TO guest".encode())
    guest = postgres.url(database, role="guest")
    one, other = Ledger(guest, timeout=1), Recorder(Ledger(guest, timeout=1), retry=0.05)
    with one.engine.connect() as held:
        held.exec_driver_sql("SELECT 1")
        with pytest.raises(OperationalError, match="too many connections"):
            Ledger(guest).open(made(user_name="refused"))
        other.opened(made())
        assert not other.flush(0.5)
    one.dispose()
    assert other.flush(20)
    assert [each.user_name for each in ledger.sessions("hub", at(0), at(9))] == ["ada"]
    other.stop(5)
    other.ledger.dispose()


def test_a_database_whose_tables_are_another_roles_is_said(
    postgres: Postgres, ledger: Ledger, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with postgres.connection() as connection:
        connection.execute("CREATE ROLE stranger LOGIN PASSWORD 'secret'")
    recorder = Recorder(Ledger(postgres.url(str(ledger.engine.url.database), role="stranger"), timeout=1), retry=0.05)
    recorder.opened(made())
    assert not recorder.flush(1)
    assert "permission denied" in said(caplog)[0]
    recorder.stop(0)
    recorder.ledger.dispose()
