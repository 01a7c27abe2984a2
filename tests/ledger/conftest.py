"""Databases for the tests of the ledger."""

from collections.abc import Iterator

import pytest

from .postgres import Postgres, binaries, running_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    if not binaries():
        pytest.skip("needs PostgreSQL: Debian's package is postgresql")
    with running_postgres() as server:
        yield server
