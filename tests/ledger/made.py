"""Sessions to fill a ledger with."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from hub_extensions.sessions import HOUR, Session

START = datetime(2026, 10, 1, tzinfo=UTC)


def at(hour: float) -> datetime:
    return START + hour * HOUR


def made(**given: Any) -> Session:
    return Session(**{"id": uuid4().hex, "hub": "hub", "user_name": "ada", "ready_at": at(1), **given})
