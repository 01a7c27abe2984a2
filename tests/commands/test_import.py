"""`hub-extensions import`, called as from a shell."""

import contextlib
import gzip
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from hub_extensions.commands import main

from ..imports.test_event_log import event
from ..ledger.made import at, made
from .running import run

PROGRAM = Path(sys.executable).with_name("hub-extensions")
CSV = """user_name,ready_at,ended_at,community,memory_gib
ada,2026-10-01T01:00:00Z,2026-10-01T03:00:00Z,ocean,2
bo,2026-10-01T02:00:00Z,2026-10-01T03:30:00Z,,
health-check,2026-10-01T02:00:00Z,2026-10-01T03:30:00Z,,
"""
LOG = [
    event("start", "2026-10-01T04:00:00.5+00:00Z"),
    event("stop", "2026-10-01T05:00:00+00:00Z"),
    event("start", "2026-10-01T06:00:00Z", user="cy"),
    event("stop", "2026-10-01T07:00:00Z", user="di"),
    event("login", "2026-10-01T07:00:00Z", __schema__="https://example.org/login"),
]


@pytest.fixture
def files(tmp_path):
    table, log, old = tmp_path / "sessions.csv", tmp_path / "events.log", tmp_path / "events.log.1.gz"
    table.write_text("\ufeff" + CSV.replace("\n", "\r\n"), encoding="utf-8", newline="")
    log.write_text("\n".join(LOG[1:]) + "\n")
    old.write_bytes(gzip.compress(f"{LOG[0]}\n".encode()))
    return [str(table), str(log), str(old)]


@pytest.fixture
def call(url):
    def call(*arguments):
        return CliRunner(env={"HUB_EXTENSIONS_DATABASE": url}).invoke(
            main, ["import", *map(str, arguments), "--format", "json"]
        )

    return call


def found(ledger, hub="hub"):
    sessions = ledger.sessions(hub, at(-1), at(99))
    return sorted((s.user_name, f"{s.ready_at:%H:%M}", f"{s.ended_at:%H:%M}", s.end_reason) for s in sessions)


ALL = [
    ("ada", "01:00", "03:00", "stopped"),
    ("ada", "04:00", "05:00", "stopped"),
    ("bo", "02:00", "03:30", "stopped"),
    ("cy", "06:00", "06:00", "hub away"),
    ("health-check", "02:00", "03:30", "stopped"),
]


def test_logs_and_tables_come_in_once(call, files, ledger):
    first = call(*files)
    assert (first.exit_code, first.stderr) == (0, ""), first.output
    told = {"without_end": 1, "stops_without_start": 1, "other_events": 1, "of_service_users": 0, "too_old": 0}
    assert json.loads(first.stdout) == {
        "hub": "hub", "sessions": 5, "added": 5, "already_there": 0, "completed": 0, "overlapping": 0, **told,
    }  # fmt: skip
    assert found(ledger) == ALL
    again = json.loads(call(*reversed(files)).stdout)
    assert (again["added"], again["already_there"]) == (0, 5)
    assert found(ledger) == ALL


def test_a_dry_run_writes_nothing(call, files, ledger):
    would = json.loads(call(*files, "--dry-run").stdout)
    assert (would["dry_run"], would["added"]) == (True, 5)
    assert found(ledger) == []


def test_what_overlaps_is_left_out_and_told(call, files, ledger):
    ledger.open(made(user_name="ada", ready_at=at(2.5), ended_at=at(2.7)))
    done = call(files[0])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["overlapping"] == 1
    assert "Left out: ada from 2026-10-01 01:00:00 to 2026-10-01 03:00:00 UTC overlaps what is there." in done.stderr


def test_programs_of_the_settings_are_left_out(files, ledger, url, tmp_path):
    settings = tmp_path / "hub.yaml"
    values = {"usage": {"database": url, "hub_name": "reef"}, "hub": {"service_users": ["health-check"]}}
    settings.write_text(json.dumps(values))
    runner = CliRunner(env={"HUB_EXTENSIONS_DATABASE": None})
    done = runner.invoke(main, ["import", files[0], "--settings", str(settings), "--format", "json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["of_service_users"] == 1
    assert [name for name, *_ in found(ledger, "reef")] == ["ada", "bo"]


def test_every_wrong_line_is_told_with_its_number_and_nothing_comes_in(call, files, ledger, tmp_path):
    wrong, log = tmp_path / "wrong.csv", tmp_path / "wrong.log"
    wrong.write_text(CSV + "cy,yesterday,2026-10-01T03:00:00Z,,\ndi\n")
    log.write_bytes(f"{LOG[0]}\n{{broken\n\n".encode() + event("start", "2026-10-01", user="x").encode())
    ended = call(*files, wrong, log)
    assert ended.exit_code == 1
    assert ended.stderr.splitlines() == [
        "Error: 4 lines cannot be used, and nothing was imported.",
        f"{wrong}:5: ready_at is 'yesterday'; expected a time such as 2026-01-31T14:05:00Z.",
        f"{wrong}:6: has 1 fields; the header has 5.",
        f"{log}:2: is not JSON: '{{broken'.",
        f"{log}:4: __timestamp__ is '2026-10-01', without a time zone; write 2026-01-31T14:05:00+01:00, or say "
        "--time-zone.",
    ]
    assert found(ledger) == []


def test_times_without_a_zone_need_one(call, ledger, tmp_path):
    table = tmp_path / "local.csv"
    table.write_text("user_name,ready_at,ended_at\nada,2026-10-01 03:00,2026-10-01 04:00\n")
    assert "say --time-zone" in call(table).stderr
    assert call(table, "--time-zone", "Europe/Berlin").exit_code == 0
    assert found(ledger) == [("ada", "01:00", "02:00", "stopped")]


def test_a_file_in_another_encoding_is_told_where_it_is_wrong(call, ledger, tmp_path):
    table = tmp_path / "latin.csv"
    table.write_bytes("user_name,ready_at,ended_at\nJürgen,2026-10-01T01:00Z,2026-10-01T02:00Z\n".encode("latin-1"))
    ended = call(table)
    assert ended.exit_code == 1
    assert ":2: user_name is 'J\\udcfcrgen', which has control characters in it" in ended.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"", "is empty"),
        (b"user,start,end\n", "a column 'user' that nobody knows. Did you mean 'user_name'?"),
        (b"user_name,ready_at\n", "has no column ended_at"),
        (b"\x1f\x8b broken", "cannot be read"),
        (gzip.compress(b"user_name,ready_at,ended_at\n" * 99, mtime=0)[:-20], "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_ends_in_one_sentence(tmp_path, content, said):
    file = tmp_path / "file.csv"
    if content is not None:
        file.write_bytes(content)
    database = f"sqlite:///{tmp_path}/usage.sqlite"
    ended = CliRunner().invoke(main, ["import", str(file), "--database", database])
    assert (ended.exit_code, "Traceback" in ended.output) == (2, False)
    assert said in ended.stderr
    assert not (tmp_path / "usage.sqlite").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [([], "Missing argument 'FILE...'"), (["x.csv", "--time-zone", "Berlin"], "there is no time zone 'Berlin'")],
)
def test_a_wrong_call_ends_in_one_sentence(arguments, said):
    ended = run("import", *arguments)
    assert (ended.exit_code, "Traceback" in ended.output) == (2, False)
    assert said in ended.stderr


def test_help_names_every_column():
    shown = CliRunner().invoke(main, ["import", "--help"]).stdout
    assert "  ended_at      when it was gone; required\n" in shown


def test_what_takes_long_shows_how_far_it_is_to_whoever_sits_before_it(tmp_path):
    file = tmp_path / "many.csv"
    lines = [f"user{n % 500},2025-{1 + n // 25_000:02}-01T{n % 24:02}:00:{n // 500 % 60:02}Z" for n in range(150_000)]
    file.write_text("\n".join(["user_name,ready_at,ended_at", *(f"{line},2026-01-01T00:00Z" for line in lines)]))
    call = [PROGRAM, "import", file, "--dry-run", "--database", f"sqlite:///{tmp_path}/usage.sqlite"]
    shown, terminal = pty.openpty()
    with (
        os.fdopen(shown, "rb", buffering=0) as screen,
        subprocess.Popen(call, stdout=subprocess.PIPE, stderr=terminal) as process,
    ):
        os.close(terminal)
        seen = b""
        with contextlib.suppress(OSError):  # a terminal that nobody has open any more
            while some := screen.read(65536):
                seen += some
        assert b"sessions: 150000" in process.stdout.read()
    assert process.returncode == 0
    assert re.search(rb"(Reading many.csv|Writing sessions).*[1-9]%", seen, re.DOTALL)
