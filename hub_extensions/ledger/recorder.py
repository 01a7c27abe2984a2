"""The hub's side of the ledger: writes go to a bounded buffer, and one thread takes them to the database.

Reporting fails open. Nothing here raises into a spawn or a stop, or makes one wait, whatever the database does.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from .metrics import FAILED_WRITES, LOST_WRITES

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ..sessions import Session
    from .store import Ledger


@dataclass(frozen=True)
class _Write:
    kind: str
    make: Callable[[], object]


class _AwayError(Exception):
    """The database does not answer, or cannot take anything: the write is kept, since its turn will come."""


class Recorder:
    """Writes what the hub sees into a ledger, in order, from a thread of its own.

    ``capacity`` bounds the buffer while the database is away: so many openings, and as many closings again, because
    losing the end of a session that is in the ledger is worse than never having seen it. Attempts follow one another
    after ``retry`` seconds, then twice as long each time, up to a minute. When the interpreter exits, what is queued is
    written, for at most ``exit_timeout`` seconds.
    """

    LONGEST_RETRY = 60.0

    def __init__(
        self,
        ledger: Ledger,
        *,
        capacity: int = 10_000,
        retry: float = 1.0,
        exit_timeout: float = 5.0,
        log: logging.Logger | logging.LoggerAdapter[logging.Logger] | None = None,
    ) -> None:
        self.ledger = ledger
        self.capacity = capacity
        self.retry = retry
        self.exit_timeout = exit_timeout
        self.log = log or logging.getLogger(__name__)
        self._queue: deque[_Write] = deque()
        # Guards everything below, and the queue. Held for a few instructions at a time, never during a write.
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._hurry = False
        self._dropping = False
        # Only the thread uses these.
        self._migrated = False
        self._away = False

    def opened(self, session: Session) -> None:
        """Record that a server became ready. Returns at once."""
        self._put(_Write("open", lambda: self.ledger.open(session)), self.capacity)

    def closed(self, session_id: str, at: datetime, reason: str) -> None:
        """Record that it ended. Returns at once; of several ends the first is kept."""
        self._put(_Write("close", lambda: self.ledger.close(session_id, at, reason)), 2 * self.capacity)

    def closed_unseen(self, session_id: str, reason: str) -> None:
        """Record that it ended while nobody saw it: it counts until it was last seen. Returns at once."""
        self._put(_Write("close", lambda: self.ledger.close_unseen([session_id], reason)), 2 * self.capacity)

    def flush(self, timeout: float) -> bool:
        """Wait up to ``timeout`` seconds until everything is written. Return whether it is. Not for an event loop."""
        with self._changed:
            self._hurry = True
            self._changed.notify_all()
            return self._changed.wait_for(lambda: not self._queue, timeout)

    def stop(self, timeout: float) -> bool:
        """Write what is queued, for up to ``timeout`` seconds, and end the thread; what is left then is lost."""
        atexit.unregister(self._at_exit)
        written = self.flush(timeout)
        with self._changed:
            self._stopping = True
            left = list(self._queue)
            self._changed.notify_all()
        for write in left:
            LOST_WRITES.labels(write.kind).inc()
        if left:
            self.log.error("The usage ledger did not answer in time: %d starts and stops are lost.", len(left))
        if written and self._thread is not None:
            self._thread.join(timeout)
        return written

    def _at_exit(self) -> None:
        self.stop(self.exit_timeout)

    def _put(self, write: _Write, room: int) -> None:
        with self._changed:
            full = self._stopping or len(self._queue) >= room
            first = full and not self._dropping
            self._dropping = full
            if not full:
                self._queue.append(write)
                full = first = not self._started()
                self._changed.notify_all()
        if full:
            LOST_WRITES.labels(write.kind).inc()
        if first:
            self.log.error(
                "The usage ledger has not answered for so long that %d starts and stops wait for it. Further ones are "
                "lost until it does; the metric hub_extensions_ledger_lost_writes_total counts them.",
                self.capacity,
            )

    def _started(self) -> bool:
        """Start the thread with the first write. False, and the write taken back, if the system has none to give."""
        if self._thread is not None:
            return True
        # A daemon, so that exit does not wait for it without bound; atexit gives it its time.
        thread = threading.Thread(target=self._run, name="usage-ledger", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            self._queue.pop()
            return False
        self._thread = thread
        atexit.register(self._at_exit)
        return True

    def _run(self) -> None:
        delay = self.retry
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._stopping)
                if self._stopping:
                    return
                write = self._queue[0]
            try:
                self._make(write)
            except _AwayError as error:
                self._keep(write, error)
                with self._changed:
                    self._hurry = False
                    self._changed.wait_for(lambda: self._hurry or self._stopping, delay)
                delay = min(2 * delay, self.LONGEST_RETRY)
                continue
            delay = self.retry
            with self._changed:
                # Taken off only now, so that an empty queue means that everything is written.
                self._queue.popleft()
                self._changed.notify_all()

    def _make(self, write: _Write) -> None:
        """Make the write. One that the database refuses for itself is lost; raises ``_AwayError`` for any other."""
        try:
            if not self._migrated:
                self.ledger.migrate()
                self._migrated = True
        except Exception as error:
            raise _AwayError(_sentence(error)) from error
        try:
            write.make()
        except (OperationalError, InterfaceError, PoolTimeoutError, OSError) as error:
            raise _AwayError(_sentence(error)) from error
        except Exception as error:
            if isinstance(error, DBAPIError) and error.connection_invalidated:
                raise _AwayError(_sentence(error)) from error
            FAILED_WRITES.labels(write.kind).inc()
            LOST_WRITES.labels(write.kind).inc()
            self.log.error("The usage ledger refused a write (%s): %s", write.kind, _sentence(error))  # noqa: TRY400
            return
        if self._away:
            self._away = False
            with self._changed:
                waiting = len(self._queue) - 1
            self.log.info("The usage ledger answers again; %d more starts and stops are being written.", waiting)

    def _keep(self, write: _Write, error: _AwayError) -> None:
        FAILED_WRITES.labels(write.kind).inc()
        # The database may come back empty, as a file that was removed does.
        self._migrated = False
        if self._away:
            return
        self._away = True
        self.log.warning(
            "The usage ledger %r cannot be written (%s). Servers start and stop as before; up to %d starts are kept in "
            "memory until it answers.",
            self.ledger,
            error,
            self.capacity,
        )


def _sentence(error: BaseException) -> str:
    """Return what the database's driver said: SQLAlchemy's own text adds the statement, and a link."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return f"{type(cause).__name__}: {' '.join(str(cause).split())[:200]}"
