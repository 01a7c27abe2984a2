"""What holds for every command: help that shows an example, JSON where it prints what it found, three exit codes."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner

from hub_extensions.commands import COMMANDS, main

from ..ledger.made import at, made

VALUES = Path(__file__).parents[2] / "examples" / "z2jh" / "values.yaml"
BIN = Path(sys.executable).parent
# Those that print no finding: a service, a program for a shell, a text that is for Python alone.
WITHOUT_OUTPUT = {"usage", "completion"}
every = pytest.mark.parametrize("name", COMMANDS)


def command(name: str) -> click.Command:
    found = main.get_command(click.Context(main), name)
    assert found is not None
    return found


def run(*arguments: str) -> Any:
    return CliRunner(env={"HUB_EXTENSIONS_DATABASE": None, "JUPYTERHUB_SERVICE_URL": None}).invoke(main, arguments)


@every
def test_the_help_of_all_says_what_the_help_of_each_does(name: str) -> None:
    first, *_ = (command(name).help or "").split("\n\n")
    assert " ".join(first.split()).startswith(COMMANDS[name])


@every
def test_help_teaches(name: str) -> None:
    done = run(name, "--help")
    assert done.exit_code == 0
    examples = re.findall(r"^ +(hub-extensions .*)", done.stdout.replace("\\\n", " "), flags=re.MULTILINE)
    assert examples or name == "usage"  # which a hub starts, and nobody else
    parameters = {word for each in command(name).params for word in (*each.opts, *each.secondary_opts)}
    for example in examples:
        words = shlex.split(re.split(r" [|&>]", example)[0])
        if words[1] == name:
            assert {word.partition("=")[0] for word in words if word.startswith("--")} <= parameters | {"--help"}
    for each in command(name).params:
        assert isinstance(each, click.Argument) or each.help, each.name


@every
def test_what_is_found_can_be_had_as_json(name: str) -> None:
    formats = [each for each in command(name).params if "--format" in each.opts]
    if name in WITHOUT_OUTPUT:
        assert formats == []
        return
    [option] = formats
    assert isinstance(option.type, click.Choice)
    assert "json" in option.type.choices


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Settings of a hub with a ledger in which Ada has a session."""
    from hub_extensions.ledger import Ledger

    made_in = tmp_path_factory.mktemp("hub")
    url = f"sqlite:///{made_in}/usage.sqlite"
    settings = {"usage": {"database": url}, "communities": {"reef": {"members": [{"invitation": True}]}}}
    (made_in / "hub.yaml").write_text(yaml.safe_dump(settings))
    (made_in / "sessions.csv").write_text("user_name,ready_at,ended_at\nbo,2026-10-02T01:00Z,2026-10-02T03:00Z\n")
    ledger = Ledger(url)
    ledger.migrate()
    ledger.open(made(ready_at=at(1), ended_at=at(2)))
    ledger.dispose()
    return made_in


CALLS = {
    "check": f"--values {VALUES}",
    "explain": f"--values {VALUES} --user ada --groups ocean-lab",
    "forget": "ada --dry-run --settings {folder}/hub.yaml",
    "import": "{folder}/sessions.csv --dry-run --settings {folder}/hub.yaml",
    "invite": "--community reef --settings {folder}/hub.yaml --hub-url https://hub.example.org/",
    "render": f"--values {VALUES} --user ada",
    "report": "--month 2026-10 --settings {folder}/hub.yaml",
    "schema": "",
    "sizes": "r5.xlarge",
}


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - WITHOUT_OUTPUT))
def test_all_is_well_is_0_and_json_is_json(name: str, folder: Path) -> None:
    done = run(name, *shlex.split(CALLS[name].format(folder=folder)), "--format", "json")
    assert done.exit_code == 0, done.output
    assert isinstance(json.loads(done.stdout), dict)


@every
def test_a_call_with_an_option_that_there_is_not_is_2(name: str) -> None:
    done = run(name, "--no-such-option")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "No such option" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["check", "--values", "-"], 1),
        (["render", "--values", "-", "--user", "ada"], 1),
        (["report", "--database", "sqlite:////nowhere/usage.sqlite"], 2),
        (["forget", "ada", "--database", "oracle://x"], 2),
        (["import", "nowhere.csv", "--database", "sqlite:///x.sqlite"], 2),
        (["invite", "--community", "reef", "--settings", "nowhere.yaml"], 2),
        (["sizes", "no-such-node"], 2),
        (["completion", "tcsh"], 2),
        (["usage"], 1),
        (["no-such-command"], 2),
        ([], 2),
    ],
)
def test_something_wrong_is_1_and_a_wrong_call_is_2(arguments: list[str], code: int) -> None:
    wrong = "hub: {config: {JupyterHub: {authenticator_class: github}, KubeSpawner: {mem_limit: [1]}}}"
    done = CliRunner(env={"JUPYTERHUB_SERVICE_URL": None}).invoke(main, arguments, input=wrong)
    assert done.exit_code == code, done.output
    assert isinstance(done.exception, SystemExit)
