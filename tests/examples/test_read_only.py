"""A whole hub runs as an ordinary user where only its volume, and a folder for temporary files, can be written."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from ..services.process_hub import run_hub

USER = 1000
# In mounts of its own: everything is read-only, but for the two folders. The user may read whatever there is, as Python
# may be installed in somebody's home here, and can write nothing by that.
INSIDE = """
mount -t tmpfs none /srv
mkdir /srv/jupyterhub /srv/tmp
mount --bind "$1" /srv/jupyterhub
mount --bind "$2" /srv/tmp
mount -o remount,ro,bind /srv
mount -o remount,ro,bind /
for each in /dev/shm /tmp /home /root /var /run /work; do
  if mountpoint --quiet $each; then mount -o remount,ro,bind $each; fi
done
shift 2
cd /srv/jupyterhub
exec env HOME=/nowhere TMPDIR=/srv/tmp setpriv --reuid {user} --regid {user} --clear-groups --no-new-privs \
  --inh-caps=-all,+dac_read_search --ambient-caps=+dac_read_search --bounding-set=-all,+dac_read_search "$@"
"""


def why_not() -> str:
    """Why this machine cannot do it; nothing if it can."""
    if os.geteuid() != 0:
        return "only root may make mounts of a process's own"
    if not all(map(shutil.which, ("unshare", "setpriv", "mount"))):
        return "unshare, setpriv or mount is not installed"
    tried = subprocess.run(
        ["unshare", "--mount", "sh", "-ec", "mount -t tmpfs none /srv && mount -o remount,ro,bind /"],
        capture_output=True,
        text=True,
        check=False,
    )
    return f"no mounts of its own can be made here: {tried.stderr}" if tried.returncode else ""


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_an_ordinary_user_can_run_it_where_only_the_volume_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if reason := why_not():
        pytest.skip(reason)
    volume, temporary = tmp_path / "volume", tmp_path / "tmp"
    for folder in (volume, temporary):
        folder.mkdir()
        os.chown(folder, USER, USER)
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)  # Python tries, cannot, and goes on
    within = ["unshare", "--mount", "sh", "-euc", INSIDE.format(user=USER), "sh", str(volume), str(temporary)]
    config = __file__.replace("test_read_only", "chart_hub_config")
    with run_hub(volume, {}, config=config, within=within) as hub:
        assert Path(f"/proc/{hub.process.pid}").stat().st_uid == USER
        visitor = hub.visitor("lin")
        started = visitor.get(f"{hub.url}hub/spawn", timeout=20)
        assert "Ocean analysis" in started.text
        form = {"profile": "ocean", "_xsrf": visitor.cookies.get_dict(path="/hub/")["_xsrf"]}
        assert visitor.post(f"{hub.url}hub/spawn", data=form, timeout=20).ok
        until = time.monotonic() + 20
        while not (sessions := recorded(volume)) and time.monotonic() < until:
            time.sleep(0.2)
        assert sessions == [("lin", "ocean", "ocean-lab")]
        assert visitor.get(f"{hub.url}user/lin/", timeout=20).text == "/user/lin/"
        page = visitor.get(hub.service, timeout=20)
        assert (page.status_code, "Ocean analysis" in page.text) == (200, True)
        log = hub.log.read_text()
    assert not re.search("read-only file system|permission denied|traceback", log, re.IGNORECASE), log
    left = {name for name in files_in(volume) if not name.startswith(("jupyterhub.sqlite", "usage.sqlite"))}
    assert left <= {"hub.log", "jupyterhub-proxy.pid"}


def recorded(volume: Path) -> list[tuple[str, str, str]]:
    if not (volume / "usage.sqlite").exists():
        return []
    with sqlite3.connect(f"file:{volume / 'usage.sqlite'}?mode=ro", uri=True) as ledger:
        if not ledger.execute("select 1 from sqlite_master where name = 'sessions'").fetchall():
            return []
        return ledger.execute("select user_name, profile, community from sessions").fetchall()
