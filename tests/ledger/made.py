"""Sessions to fill a ledger with."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import alembic.command
from alembic.config import Config

from hub_extensions.ledger import Ledger, tables
from hub_extensions.sessions import HOUR, Session

START = datetime(2026, 10, 1, tzinfo=UTC)


def at(hour: float) -> datetime:
    return START + hour * HOUR


def made(**given: Any) -> Session:
    return Session(**{"id": uuid4().hex, "hub": "hub", "user_name": "ada", "ready_at": at(1), **given})


def migrated_back(ledger: Ledger, revision: str) -> None:
    """Bring a ledger to the shape that an older version left."""
    config = Config()
    config.set_main_option("script_location", str(Path(tables.__file__).with_name("migrations")))
    with ledger.engine.begin() as connection:
        config.attributes["connection"] = connection
        alembic.command.downgrade(config, revision)


def wiped(ledger: Ledger) -> None:
    """Remove everything, for the next example."""
    with ledger.engine.begin() as connection:
        for table in reversed(tables.METADATA.sorted_tables):
            connection.execute(table.delete())
