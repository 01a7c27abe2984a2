"""The hub counts what a person used, and lets them start when the ledger does not answer."""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from hub_extensions.ledger import Ledger
from hub_extensions.ledger.lookup import Lookup

from .made import at, made


@pytest.fixture
def lookup(url: str) -> Iterator[Lookup]:
    lookup = Lookup(url, timeout=5, rest=0, limit=3)
    yield lookup
    lookup.ledger.dispose()


async def test_only_the_sessions_of_the_person_on_this_hub_are_counted_and_the_newest(
    lookup: Lookup, ledger: Ledger
) -> None:
    for hour in range(5):
        ledger.open(made(ready_at=at(hour)))
    ledger.open(made(user_name="adam"))
    ledger.open(made(hub="other"))
    found = await lookup.count("hub", "ada", at(0), at(9), lambda sessions: [each.ready_at for each in sessions])
    assert found == [at(4), at(3), at(2)]


async def test_a_ledger_that_nobody_has_written_has_no_sessions(lookup: Lookup) -> None:
    assert await lookup.count("hub", "ada", at(0), at(9), len) == 0


async def test_while_the_database_takes_no_writes_people_are_counted(
    lookup: Lookup, ledger: Ledger, blocked: Callable[[], AbstractContextManager[None]]
) -> None:
    ledger.open(made())
    assert await lookup.count("hub", "ada", at(0), at(9), len) == 1
    with blocked():
        assert await lookup.count("hub", "ada", at(0), at(9), len) == 1


async def test_a_mistake_in_the_counting_refuses_nobody(lookup: Lookup, caplog: pytest.LogCaptureFixture) -> None:
    assert await lookup.count("hub", "ada", at(0), at(9), lambda sessions: sessions[0]) is None
    assert "cannot be counted" in caplog.text
    assert all(record.levelno == logging.ERROR for record in caplog.records if "hub_extensions" in record.name)
