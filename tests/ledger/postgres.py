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
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg

from ..kube.background import bound_to

SECONDS_TO_START = 30
_USER = "hub"
_numbers = count(1)


@dataclass(frozen=True)
class Postgres:
    """A server that runs; ``folder`` holds its socket."""

    folder: Path

    def database(self) -> str:
        """Make an empty database; return its URL."""
        name = f"ledger{next(_numbers)}"
        with psycopg.connect(host=str(self.folder), user=_USER, dbname="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql+psycopg://{_USER}@/{name}?host={self.folder}"


def binaries() -> Path | None:
    """The folder of the newest server that is installed; Debian has it outside of PATH."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((each.parent for each in found), key=lambda folder: float(folder.parent.name), default=None)


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Run a server; there must be binaries."""
    installed = binaries()
    assert installed
    # Not pytest's folder: only its owner may enter it, and the server refuses to run as root.
    folder = Path(tempfile.mkdtemp(prefix="ledger-"))
    try:
        if os.getuid() == 0:
            account = pwd.getpwnam("nobody")
            os.chown(folder, account.pw_uid, account.pw_gid)
            identity = [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
            unprivileged = ["setpriv", *identity, "--pdeathsig=KILL"]
        else:
            unprivileged = bound_to(os.getpid(), [])
        files = folder / "files"
        options = [f"--pgdata={files}", f"--username={_USER}", "--auth=trust", "--encoding=UTF8", "--no-sync"]
        environment = {**os.environ, "LC_ALL": "C.UTF-8"}
        subprocess.run(
            [*unprivileged, str(installed / "initdb"), *options], check=True, capture_output=True, env=environment
        )
        settings = {"listen_addresses": "", "unix_socket_directories": str(folder), "fsync": "off"}
        command = [
            str(installed / "postgres"),
            "-D",
            str(files),
            *(f"-c{name}={value}" for name, value in settings.items()),
        ]
        with (folder / "log").open("wb") as output:
            process = subprocess.Popen([*unprivileged, *command], stdout=output, stderr=subprocess.STDOUT)
        try:
            _wait_until_ready(process, folder)
            yield Postgres(folder)
        finally:
            process.send_signal(signal.SIGINT)  # at once, whoever is connected
            process.wait(timeout=20)
    finally:
        shutil.rmtree(folder)


def _wait_until_ready(process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            psycopg.connect(host=str(folder), user=_USER, dbname="postgres").close()
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {(folder / 'log').read_text()[-2000:]}") from error
            time.sleep(0.1)
        else:
            return
