"""`hub-extensions forget`, called as from a shell."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from hub_extensions.commands import main
from hub_extensions.ledger.counting import Counter

from ..ledger.made import at, made
from .running import run


@pytest.fixture
def filled(ledger):
    for name in ("ada", "adam", "Ada", "a"):
        ledger.open(made(user_name=name, ready_at=at(1), ended_at=at(3), image="ghcr.io/ada/x"))
    ledger.open(made(user_name="ada", ready_at=at(1), ended_at=at(3), hub="reef"))
    Counter(ledger, "hub", ZoneInfo("UTC")).count_up(datetime(2026, 12, 1, tzinfo=UTC))
    return ledger


@pytest.fixture
def call(filled, url):
    def call(*arguments, typed=None):
        runner = CliRunner(env={"HUB_EXTENSIONS_DATABASE": url})
        return runner.invoke(main, ["forget", *arguments], input=typed)

    return call


def names(ledger, hub="hub"):
    return sorted(each.user_name for each in ledger.sessions(hub, at(0), at(9)))


def test_a_person_is_erased_after_a_question(call, filled):
    refused = call("ada", typed="n\n")
    assert refused.exit_code == 1
    assert "Erase 1 sessions of 'ada' on the hub 'hub'? This cannot be undone." in refused.stderr
    assert names(filled) == ["Ada", "a", "ada", "adam"]
    done = call("ada", "--format", "json", typed="y\n")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["forgotten"]["sessions"] == 1
    assert "Not reached: files that were made already, backups, logs" in done.stderr
    assert (names(filled), names(filled, "reef")) == (["Ada", "a", "adam"], ["ada"])


def test_without_anybody_to_answer_nothing_is_done(call, filled):
    assert call("ada").exit_code == 1
    assert names(filled) == ["Ada", "a", "ada", "adam"]


def test_hours_are_kept_under_a_name_that_is_told(call, filled):
    done = call("ada", "--keep-hours", "--yes", "--format", "json")
    assert done.exit_code == 0, done.output
    kept = json.loads(done.stdout)["kept_as"]
    assert names(filled) == sorted(["Ada", "a", "adam", kept])
    assert "in the image, the choices or the groups of 1 of these sessions" in done.stderr


def test_a_dry_run_counts_rows_and_touches_none(call, filled):
    would = call("ada", "--dry-run", "--hub", "reef", "--format", "json")
    assert would.exit_code == 0
    assert json.loads(would.stdout) == {
        "user": "ada",
        "hub": "reef",
        "found": {
            "sessions": 1, "running": 0, "days": 0, "invitations_made": 0, "invitations_withdrawn": 0,
            "invitations_used": 0, "written_in": 0, "notes": 0,
        },
    }  # fmt: skip
    assert names(filled, "reef") == ["ada"]
    assert "days: 2\n" in call("ada", "--dry-run").stdout


def test_a_name_that_is_not_there_is_told_with_those_alike(call):
    ended = call("ADA", "--yes")
    assert ended.exit_code == 2
    assert "holds nothing of 'ADA' on the hub 'hub'. Did you mean 'Ada', 'ada'? Letter case matters." in ended.stderr
    assert call("ad", "--yes").exit_code == 2


def test_a_person_whose_server_runs_waits_unless_it_is_said(call, filled):
    filled.open(made(user_name="runs"))
    ended = call("runs", "--yes")
    assert ended.exit_code == 1
    assert "A server of 'runs' runs" in ended.stderr
    assert call("runs", "--yes", "--even-if-running").exit_code == 0
    assert "runs" not in names(filled)


def test_the_database_and_the_hub_may_be_in_the_settings(filled, url, tmp_path):
    file = tmp_path / "hub.yaml"
    file.write_text(json.dumps({"usage": {"database": url, "hub_name": "reef"}}))
    done = CliRunner(env={"HUB_EXTENSIONS_DATABASE": None}).invoke(
        main, ["forget", "ada", "--yes", "--settings", str(file)]
    )
    assert done.exit_code == 0, done.output
    assert (names(filled, "reef"), len(names(filled))) == ([], 4)


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        (["ada"], "Where is the hub's database?", 2),
        (["ada", "--database", "oracle://x"], "must be sqlite", 2),
        (["ada", "--database", "sqlite:////no/such/folder/x.sqlite"], "The database does not answer", 1),
        (["ada", "--settings", "/no/such/file.yaml"], "there is no such file", 2),
        ([], "Missing argument 'USER'", 2),
    ],
)
def test_a_call_that_cannot_be_answered_ends_in_one_sentence(arguments, said, code):
    ended = run("forget", *arguments)
    assert (ended.exit_code, "Traceback" in ended.output) == (code, False)
    assert said in ended.stderr
