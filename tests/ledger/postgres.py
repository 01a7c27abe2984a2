"""A PostgreSQL server of the tests' own, on a socket in a temporary folder."""

import os
import pwd
import shutil
import subprocess
import tempfile
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

ROLE = "hub"


def programs() -> Path | None:
    """The folder with ``initdb`` and ``pg_ctl`` of the newest version; Debian keeps it out of ``PATH``."""
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    return debian[-1].parent if debian else None


class Postgres:
    """A server that listens on no port. It refuses to run as root, and so runs as ``nobody`` when root starts it."""

    def __init__(self, folder_of_programs: Path) -> None:
        self.programs = folder_of_programs
        # Not pytest's folder, which only its owner may enter; and a socket's path has at most 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        self._databases = count()
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            self._as = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        password = self.folder / "password"
        password.write_text("secret")
        password.chmod(0o644)
        self._run("initdb", f"--username={ROLE}", f"--pwfile={password}", "--auth=scram-sha-256", "--no-sync",
                  "--encoding=UTF8", "--locale=C")  # fmt: skip
        self.start()

    def start(self) -> None:
        options = f"-c listen_addresses= -c unix_socket_directories={self.folder} -c fsync=off -c max_connections=50"
        self._run(
            "pg_ctl", "start", "--wait", "--silent", f"--log={self.folder / 'server.log'}", f"--options={options}"
        )

    def stop(self) -> None:
        """End the server as a restart does: whoever is connected is cut off."""
        self._run("pg_ctl", "stop", "--wait", "--silent", "--mode=fast")

    def remove(self) -> None:
        self._run("pg_ctl", "stop", "--wait", "--silent", "--mode=immediate")
        shutil.rmtree(self.folder)

    def database(self) -> str:
        """The URL of a new, empty database."""
        name = f"ledger{next(self._databases)}"
        with self.connection() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)

    def url(self, database: str, password: str = "secret") -> str:
        return f"postgresql+psycopg://{ROLE}:{password}@/{database}?host={quote(str(self.folder))}"

    def connection(self) -> "psycopg.Connection[Any]":
        return psycopg.connect(
            f"host={self.folder} user={ROLE} password=secret dbname=postgres", autocommit=True, connect_timeout=10
        )

    def _run(self, program: str, *arguments: str) -> None:
        # The server is left running, and would keep a pipe open.
        log = self.folder / "log"
        with log.open("a") as said:
            ended = subprocess.run(
                [self.programs / program, *arguments],
                env={"PGDATA": str(self.folder / "cluster"), "LC_ALL": "C"},
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                timeout=60,
                check=False,
                **self._as,
            )
        assert ended.returncode == 0, log.read_text()
