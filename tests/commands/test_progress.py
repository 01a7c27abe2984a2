"""Commands that take longer than a second show that they work, to whoever sits before them."""

import contextlib
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from hub_extensions.commands.progress import under_way
from hub_extensions.ledger import Ledger

from ..ledger.made import at, made
from .terminal import Terminal
from .test_all_commands import VALUES

PROGRAM = Path(sys.executable).with_name("hub-extensions")


@contextlib.contextmanager
def command(*arguments, **more):
    """A command before a terminal, whose answer goes into a pipe."""
    terminal = Terminal()
    with subprocess.Popen(
        [PROGRAM, *map(str, arguments)], stdout=subprocess.PIPE, stderr=terminal.inner, **more
    ) as process:
        os.close(terminal.inner)
        yield process, terminal


@pytest.mark.parametrize(
    ("arguments", "label", "answer"),
    [
        (["check"], b"Checking", b"Nothing is wrong."),
        (["render", "--user", "ada"], b"Making the pod", b"kind: Pod"),
    ],
    ids=["check", "render"],
)
def test_what_is_asked_of_a_hub(arguments, label, answer):
    # Values that come slowly.
    with command(*arguments, "--values", "-", stdin=subprocess.PIPE) as (process, terminal):
        terminal.until(label)
        answered, _ = process.communicate(VALUES.read_bytes())
        terminal.rest()
    assert process.returncode == 0
    assert answer in answered
    assert label not in answered


@pytest.fixture
def database(tmp_path):
    """A database in which Ada has a session."""
    file = tmp_path / "usage.sqlite"
    ledger = Ledger(f"sqlite:///{file}")
    ledger.migrate()
    ledger.open(made(user_name="ada", ready_at=at(1), ended_at=at(2)))
    ledger.dispose()
    return file


@contextlib.contextmanager
def written_to(database):
    """Somebody else writes to the database."""
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        yield


def test_a_database_that_has_to_be_waited_for(database):
    call = ["report", "--month", "2026-10", "--database", f"sqlite:///{database}"]
    with contextlib.ExitStack() as until_seen, command(*call) as (process, terminal):
        until_seen.enter_context(written_to(database))
        terminal.until(b"Bringing the database up to date")
        until_seen.close()
        answered, _ = process.communicate()
        terminal.rest()
    assert process.returncode == 0
    assert b"2026-10" in answered


def test_erasing_shows_that_it_goes_on_after_the_question(database):
    with command("forget", "ada", "--database", f"sqlite:///{database}", stdin=subprocess.PIPE) as (process, terminal):
        terminal.until(b"Erase 1 sessions")
        with written_to(database):
            process.stdin.write(b"y\n")
            process.stdin.flush()
            terminal.until(b"Erasing")
        answered, _ = process.communicate()
        terminal.rest()
    assert process.returncode == 0
    assert b"sessions: 1" in answered


@pytest.mark.parametrize(
    ("is_terminal", "format_", "shown"), [(True, "yaml", True), (True, "json", False), (False, "yaml", False)]
)
def test_nothing_is_shown_in_a_log_or_beside_json(is_terminal, format_, shown, tmp_path):
    terminal = Terminal()
    log = (tmp_path / "log").open("w")
    context = click.Context(click.Command("any"))
    context.params["format_"] = format_
    written = os.fdopen(terminal.inner, "w")
    with context, contextlib.redirect_stderr(written if is_terminal else log), under_way("Working"):
        time.sleep(1.3)  # what is done takes longer than a second
    written.close()
    log.close()
    assert (b"Working" in terminal.rest()) == shown
    assert (tmp_path / "log").read_text() == ""
