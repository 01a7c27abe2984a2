"""The ledger as a hub's configuration sets it."""

import pytest
from traitlets import TraitError
from traitlets.config import Config

from hub_extensions.ledger import Ledger, UsageLedger

from .made import at, made


def test_without_a_database_nothing_is_recorded_and_nothing_fails() -> None:
    ledger = UsageLedger()
    assert not ledger.enabled
    ledger.opened(made())
    ledger.closed("0" * 32, at(2), "stopped")
    assert ledger.flush(0)


def test_ledgers_of_many_spawners_share_one_writer_and_its_order(url: str) -> None:
    config = Config({"UsageLedger": {"database": url, "hub_name": "ocean"}})
    one, other = UsageLedger(config=config), UsageLedger(config=config)
    assert one.enabled
    session = made(hub=one.hub_name)
    one.opened(session)
    other.closed(session.id, at(2), "stopped")
    assert one.flush(10)
    assert [each.end_reason for each in Ledger(url).sessions("ocean", at(0), at(9))] == ["stopped"]


def test_a_wrong_database_stops_the_start_in_words() -> None:
    with pytest.raises(TraitError, match=r"UsageLedger\.database: the ledger's database must be"):
        UsageLedger(config=Config({"UsageLedger": {"database": "mysql://hub:secret@db/usage"}}))
