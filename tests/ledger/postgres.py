"""A PostgreSQL server for tests: in a folder of its own, on a socket there, ended with them."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from ..kube.background import bound_to

ROLE, PASSWORD = "hub", "secret"
SECONDS_TO_START = 30


def binaries() -> Path | None:
    """The folder of the newest server that is installed; Debian has it outside of PATH."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((each.parent for each in found), key=lambda folder: float(folder.parent.name), default=None)


class Postgres:
    """A server that can be stopped and started. It refuses to run as root, and so runs as ``nobody`` if root asks."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder = folder
        self._programs = programs
        self._databases = count(1)
        self._account = "nobody" if os.getuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None
        if (folder / "files").exists():
            return  # of another time
        if self._account:
            os.chown(folder, pwd.getpwnam(self._account).pw_uid, -1)
        password = folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        subprocess.run(
            [programs / "initdb", "--pgdata", folder / "files", "--username", ROLE, "--pwfile", password,
             "--auth=scram-sha-256", "--encoding=UTF8", "--no-sync"],
            check=True, capture_output=True, user=self._account, cwd=folder, env={"LC_ALL": "C.UTF-8"},
        )  # fmt: skip

    def start(self) -> None:
        settings = {"listen_addresses": "", "unix_socket_directories": str(self.folder), "fsync": "off"}
        options = [f"-c{name}={value}" for name, value in settings.items()]
        command = [str(self._programs / "postgres"), "-D", str(self.folder / "files"), *options]
        if self._account:
            # It ends with the test, as by `bound_to`, for which this account may not enter the interpreter's folder.
            command = ["setpriv", f"--reuid={self._account}", "--clear-groups", "--pdeathsig=KILL", *command]
        else:
            command = bound_to(os.getpid(), command)
        with (self.folder / "log").open("ab") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + SECONDS_TO_START
        while True:
            try:
                self.connection().close()
            except psycopg.OperationalError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"PostgreSQL did not start: {(self.folder / 'log').read_text()}") from error
                time.sleep(0.1)
            else:
                return

    def stop(self) -> None:
        """End the server as a restart does: whoever is connected is cut off."""
        if self._process:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(timeout=30)
            self._process = None

    def database(self) -> str:
        """Make an empty database; return its URL."""
        name = f"ledger{next(self._databases)}"
        with self.connection() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)

    def url(self, database: str, *, role: str = ROLE, password: str = PASSWORD) -> str:
        return f"postgresql+psycopg://{role}:{password}@/{database}?host={self.folder}"

    def connection(self) -> "psycopg.Connection[Any]":
        return psycopg.connect(
            host=str(self.folder), user=ROLE, password=PASSWORD, dbname="postgres", autocommit=True, connect_timeout=10
        )


@contextmanager
def running_postgres(kept: Path | None = None) -> Iterator[Postgres]:
    """Run a server; there must be binaries. Its databases stay in the folder ``kept``, if there is one."""
    installed = binaries()
    assert installed
    # Not pytest's folder, which only its owner may enter; and a socket's path has at most 107 bytes.
    folder = kept or Path(tempfile.mkdtemp(prefix="ledger-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        server = Postgres(folder, installed)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        if kept is None:
            shutil.rmtree(folder)
