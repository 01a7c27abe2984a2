"""The connection to the ledger's database, with what each kind of database needs to be shared by several processes."""

from __future__ import annotations

import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

if TYPE_CHECKING:
    from collections.abc import Generator

    from sqlalchemy import Connection, Engine

WRITE = "ledger_write"
"""Execution option of a connection that is going to write."""

# SQLite asks a progress handler once in so many steps of its virtual machine: about a millisecond.
_STEPS = 20_000

# Seconds. Statements may be given long to work; a server that is there answers soon.
_LONGEST_CONNECT = 10
# So much later than a server that works would say that a statement took too long.
_SILENCE = 2.0


def connect(url: str, timeout: float) -> Engine:
    """Return an engine for ``url``; its statements, and waits for locks and connections, end after ``timeout`` seconds.

    Nothing is opened yet. A URL that is not one, or names a driver that is not installed, raises ``ValueError`` in
    words that hold no password.
    """
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
        if backend == "sqlite":
            if parsed.database in (None, "", ":memory:"):
                raise ValueError("the ledger's database must be a file, such as sqlite:///usage.sqlite, not in memory")
            # hide_parameters: rows name people, and errors go to the log.
            engine = create_engine(
                parsed, connect_args={"timeout": timeout}, hide_parameters=True, pool_timeout=timeout
            )
            _prepare_sqlite(engine, timeout)
            return engine
        if backend == "postgresql":
            options = f"-c statement_timeout={int(timeout * 1000)} -c lock_timeout={int(timeout * 1000)}"
            arguments = {"options": options, "connect_timeout": max(2, min(int(timeout), _LONGEST_CONNECT))}
            engine = create_engine(
                parsed, connect_args=arguments, hide_parameters=True, pool_timeout=timeout, pool_pre_ping=True
            )
            if parsed.get_driver_name() == "psycopg":
                _bound_silence(engine, timeout + _SILENCE)
            return engine
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise ValueError(f"the ledger's database cannot be used: {error}") from None
    raise ValueError(f"the ledger's database must be sqlite:///… or postgresql://…, not {backend}")


def _bound_silence(engine: Engine, seconds: float) -> None:
    """Make psycopg give up on a server that says nothing for that long, and close the connection.

    A timeout of statements is the server's own: one that hangs, or whose machine is gone without a word, keeps none.
    Threads that waited for it would never end, and the hub, which waits for them at its end, would not either.
    """
    psycopg = import_module("psycopg")

    class Bounded(psycopg.Connection):  # type: ignore[misc, name-defined]  # the driver need not be installed
        def wait(self, gen: Generator[Any, Any, Any], *args: Any, **kwargs: Any) -> Any:
            return super().wait(self._bounded(gen), *args, **kwargs)

        def _bounded(self, gen: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
            until = time.monotonic() + seconds
            try:
                wanted = next(gen)
                while True:
                    # Resumed when the server has sent something, and else ten times a second.
                    ready = yield wanted
                    if time.monotonic() > until:
                        self.close()
                        raise psycopg.OperationalError(f"the server has not answered for {seconds:g} seconds")
                    wanted = gen.send(ready)
            except StopIteration as end:
                return end.value

    @event.listens_for(engine, "do_connect")
    def connected(_dialect: object, _record: object, cargs: Any, cparams: Any) -> Any:
        return Bounded.connect(*cargs, **cparams)


def _prepare_sqlite(engine: Engine, timeout: float) -> None:
    """Make SQLite keep several readers and one writer apart, and give up in time."""

    @event.listens_for(engine, "connect")
    def opened(connection: Any, _record: object) -> None:
        # The driver's own idea of when a transaction begins leaves CREATE TABLE outside of it; `began` says it instead.
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys=ON")
        # With the write-ahead log, NORMAL can lose the last commits on power loss, never the file's consistency.
        connection.execute("PRAGMA synchronous=NORMAL")
        # What is removed is overwritten in the file, as far as SQLite can without writing the file anew.
        connection.execute("PRAGMA secure_delete=ON")

    @event.listens_for(engine, "begin")
    def began(connection: Connection) -> None:
        # A transaction that starts as a reader and then writes fails at once if another wrote in between; one that
        # asks for the write lock first waits for it.
        write = connection.get_execution_options().get(WRITE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
        until = time.monotonic() + timeout
        driver: Any = connection.connection.dbapi_connection
        driver.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
