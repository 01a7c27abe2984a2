"""Tests of the ledger run on each kind of database that can hold one."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count

import pytest
from sqlalchemy import create_engine

from hub_extensions.ledger import Ledger

from .postgres import Postgres, binaries, running_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    if not binaries():
        pytest.skip("needs PostgreSQL: Debian's package is postgresql")
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def new_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], str]:
    """Makes empty databases; returns the URL of each."""
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        return server.database
    numbers = count()
    folder = tmp_path_factory.mktemp("ledger 100%")
    return lambda: f"sqlite:///{folder}/usage{next(numbers)}.sqlite"


@pytest.fixture
def url(new_database: Callable[[], str]) -> str:
    return new_database()


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    ledger = Ledger(url, timeout=5)
    ledger.migrate()
    yield ledger
    ledger.dispose()


@pytest.fixture(scope="module")
def shared(new_database: Callable[[], str]) -> Iterator[Ledger]:
    """A ledger that the tests of a file share, if each empties it or looks for its own."""
    ledger = Ledger(new_database())
    ledger.migrate()
    yield ledger
    ledger.dispose()


@contextmanager
def _blocked(url: str) -> Iterator[None]:
    engine = create_engine(url)
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("LOCK TABLE sessions IN SHARE MODE")
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield
        connection.rollback()
    engine.dispose()


@pytest.fixture
def blocked(url: str) -> Callable[[], AbstractContextManager[None]]:
    """Makes the database, which has its tables, take no writes for a while: another process holds the lock."""
    return lambda: _blocked(url)
