"""`hub-extensions check`: what it prints, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from hub_extensions.commands import main
from hub_extensions.commands.values_files import read_values

DOCS = Path(__file__).parents[2] / "docs" / "checking.md"
FINE: dict[str, Any] = {
    "hub": {
        "config": {
            "JupyterHub": {"authenticator_class": "github"},
            "GitHubOAuthenticator": {"allowed_organizations": ["ocean"], "scope": ["read:org"]},
        }
    },
}
DOUBTFUL: dict[str, Any] = {"hub": {"config": {"JupyterHub": {"bas_url": "/reef/"}}}}
WRONG: dict[str, Any] = {"custom": {"communities": {"reef": {"membres": []}}}}


def written(folder: Path, values: Any, name: str = "values.yaml") -> str:
    file = folder / name
    file.write_text(values if isinstance(values, str) else yaml.safe_dump(values))
    return str(file)


def check(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["check", *arguments])


@pytest.mark.parametrize(
    ("above", "strict", "code"),
    [
        ({}, False, 0),
        ({}, True, 0),
        (DOUBTFUL, False, 0),
        (DOUBTFUL, True, 1),
        (WRONG, False, 1),
        (WRONG, True, 1),
    ],
)
def test_the_exit_code_says_whether_something_is_wrong(
    tmp_path: Path, above: dict[str, Any], strict: bool, code: int
) -> None:
    files = ["--values", written(tmp_path, FINE), "--values", written(tmp_path, above, "above.yaml")]
    assert check(*files, *(["--strict"] if strict else [])).exit_code == code


def test_a_hub_on_which_nothing_is_wrong_is_told_so(tmp_path: Path) -> None:
    assert check("--values", written(tmp_path, FINE)).output == "Nothing is wrong.\n"


def test_people_read_where_it_is_what_it_is_why_it_matters_and_how_to_mend_it(tmp_path: Path) -> None:
    shown = check("--values", written(tmp_path, WRONG)).output
    assert "error: custom.communities.reef.membres: unknown key.\n" in shown
    assert "  why: The hub would not start.\n" in shown
    assert "  mend: Did you mean 'members'?\n" in shown
    assert shown.endswith("1 warning\n")


def test_programs_read_the_same_as_json(tmp_path: Path) -> None:
    result = check("--values", written(tmp_path, WRONG), "--format", "json")
    told = json.loads(result.stdout)
    assert (told["errors"], told["warnings"]) == (1, 1)
    assert told["findings"][0] == {
        "severity": "error",
        "path": "custom.communities.reef.membres",
        "what": "unknown key.",
        "why": "The hub would not start.",
        "how": "Did you mean 'members'?",
    }


def test_the_json_of_the_help_and_of_the_documentation_is_what_is_printed(tmp_path: Path) -> None:
    told = json.loads(check("--values", written(tmp_path, WRONG), "--format", "json").stdout)
    for text in (check("--help").output, DOCS.read_text()):
        example = json.loads(text[text.index('{"errors"') : text.index("]}") + 2])
        assert example["findings"] == told["findings"][:1]
        assert example.keys() == told.keys()


def test_a_configuration_file_is_checked_too(tmp_path: Path) -> None:
    file = written(tmp_path, "c.JupyterHub.authenticator_class = 'dummy'\nc.JupyterHub.port = 'x'", "hub_config.py")
    result = check("--config", file)
    assert result.exit_code == 1
    assert "error: c.JupyterHub.port: expected a whole number, found 'x'." in result.output


@pytest.mark.parametrize(("format_", "read"), [("text", yaml.safe_load), ("json", json.loads)])
def test_the_effective_configuration_is_printed_without_secrets(tmp_path: Path, format_: str, read: Any) -> None:
    secret = {"hub": {"config": {"GitHubOAuthenticator": {"client_secret": "hush"}}}}
    settings = {"custom": {"communities": {"reef": {"members": [{"github": ["reef"]}]}}}}
    files = [written(tmp_path, each, f"{index}.yaml") for index, each in enumerate((FINE, secret, settings))]
    result = check(*(part for file in files for part in ("--values", file)), "--effective", "--format", format_)
    assert result.exit_code == 0
    told = read(result.stdout)
    assert "reef" in told["settings"]["communities"]
    assert told["traits"]["JupyterHub.authenticator_class"] == "community-github"
    assert "hush" not in result.output


@pytest.mark.parametrize(
    "arguments",
    [[], ["--values", "a.yaml", "--config", "b.py"], ["--values", "none.yaml"], ["--config", "none.py"]],
    ids=["neither", "both", "no values file", "no configuration file"],
)
def test_a_wrong_call_ends_with_2(tmp_path: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = check(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_values_are_read_as_helm_reads_them(tmp_path: Path) -> None:
    text = "hub: {config: {1: {}, KubeSpawner: {environment: {2: '3', yes: =}}}}"
    read = read_values(Path(written(tmp_path, text)))
    assert read["hub"]["config"] == {"1": {}, "KubeSpawner": {"environment": {"2": "3", "true": "="}}}
    result = check("--values", written(tmp_path, text))
    assert "hub.config.1: expected the name of a class" in result.output
