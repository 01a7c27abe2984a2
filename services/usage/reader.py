"""Reads the ledger in threads, with a bound in number, time and size, so that the service always answers."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError

from hub_extensions.balances import balance, since
from hub_extensions.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, tzinfo

    from hub_extensions.balances import Balance
    from hub_extensions.quotas import Allowance


T = TypeVar("T")
log = logging.getLogger(__name__)


class LedgerAwayError(Exception):
    """The ledger cannot be read now. People are told to try again; why is in the log."""


class Reader:
    """Asks the ledger about one hub. ``timeout`` bounds a question in seconds, ``limit`` a person's sessions."""

    def __init__(
        self, database: str, hub: str, *, timeout: float = 10.0, limit: int = 20_000, threads: int = 4
    ) -> None:
        self.hub = hub
        self.timeout = timeout
        self.limit = limit
        self._ledger: Ledger | None = None
        try:
            # Statements end before the page gives up, so that no thread works for nobody.
            self._ledger = Ledger(database, timeout=0.8 * timeout)
        except ValueError as error:
            # Not the end of the service: a service that ends at its start ends its hub.
            log.error("There will be no reports: %s", error)  # noqa: TRY400 - it says all
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="usage-ledger")
        self._migrated = False

    async def balances(
        self, allowances: Sequence[Allowance], user_name: str, now: datetime, zone: tzinfo
    ) -> list[Balance]:
        """Count what a person has used of their limits, of which there is one at least. Raises as ``ask`` does."""

        def read(ledger: Ledger) -> list[Balance]:
            start = since(allowances, now, zone)
            sessions = ledger.sessions(self.hub, start, now, users=[user_name], limit=self.limit)
            return [balance(allowance, sessions, now, zone) for allowance in allowances]

        return await self.ask(read)

    async def ask(self, read: Callable[[Ledger], T]) -> T:
        """Ask the ledger off the event loop.

        Raises ``LedgerAwayError`` when the ledger does not answer in time, or its database's URL cannot be one.
        """
        ledger = self._ledger
        if ledger is None:
            raise LedgerAwayError

        def migrated() -> T:
            self._migrate(ledger)
            return read(ledger)

        working = asyncio.get_running_loop().run_in_executor(self._threads, migrated)
        try:
            return await asyncio.wait_for(working, self.timeout)
        except (SQLAlchemyError, CommandError, TimeoutError, OSError) as error:
            said = str(error).partition("\n")[0][:300] or f"no answer in {self.timeout:g} seconds"
            log.warning("The ledger %r cannot be read: %s", ledger, said)
            raise LedgerAwayError from error

    def close(self) -> None:
        """Let go of threads and connections."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._ledger is not None:
            self._ledger.dispose()

    def _migrate(self, ledger: Ledger) -> None:
        """Make the tables when the service starts before the hub has recorded anything."""
        if not self._migrated:
            ledger.migrate()
            self._migrated = True
