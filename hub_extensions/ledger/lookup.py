"""Counts one person's sessions for the hub: off its event loop, with a bound in time and in number.

It fails open: a ledger that does not answer is told once in the log, and is then left alone for a while, so that not
every start waits for it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError

from .store import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ..sessions import Session

T = TypeVar("T")


class Lookup:
    """Reads the ledger at ``url`` in threads.

    ``timeout`` in seconds bounds each answer, ``limit`` its sessions, of which the newest are kept. After one that did
    not come, nothing is asked for ``rest`` seconds.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 2.0,
        limit: int = 5_000,
        rest: float = 15.0,
        threads: int = 4,
        log: logging.Logger | logging.LoggerAdapter[logging.Logger] | None = None,
    ) -> None:
        # Statements end before the answer is given up, so that no thread works for nobody.
        self.ledger = Ledger(url, timeout=0.8 * timeout)
        self.timeout = timeout
        self.limit = limit
        self.rest = rest
        self.log = log or logging.getLogger(__name__)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="usage-lookup")
        self._migrated = False
        self._away = False
        self._asked_again_at = 0.0

    async def count(
        self, hub: str, user_name: str, start: datetime, end: datetime, counting: Callable[[list[Session]], T]
    ) -> T | None:
        """Return what ``counting`` makes of a person's sessions that touch the time; None if there is no answer.

        ``counting`` is called in a thread.
        """
        if self._away and time.monotonic() < self._asked_again_at:
            return None

        def read() -> T:
            if not self._migrated:
                self.ledger.migrate()  # nothing may have been recorded yet
                self._migrated = True
            return counting(self.ledger.sessions(hub, start, end, users=[user_name], limit=self.limit))

        try:
            working = asyncio.get_running_loop().run_in_executor(self._threads, read)
            found = await asyncio.wait_for(working, self.timeout)
        except (SQLAlchemyError, CommandError, TimeoutError, OSError) as error:
            self._gone(error)
            return None
        except Exception:
            # Even a mistake of ours is no reason to keep people from their work.
            self.log.exception("What a person has used cannot be counted")
            return None
        if self._away:
            self._away = False
            self.log.info("The usage ledger answers again: quotas are counted.")
        return found

    def _gone(self, error: Exception) -> None:
        # The file may come back empty, as one that was removed does.
        self._migrated = False
        self._asked_again_at = time.monotonic() + self.rest
        if self._away:
            return
        self._away = True
        self.log.warning(
            "The usage ledger %r cannot be read (%s: %s). Until it answers, quotas refuse nobody.",
            self.ledger,
            type(error).__name__,
            str(error).partition("\n")[0][:300] or f"no answer in {self.timeout:g} seconds",
        )
