"""Each snippet of a README and of docs/ works as it stands: one that nothing here knows how to try fails.

What a snippet does beyond that is tested where it belongs; here it is run, loaded, or put together with its program.
"""

import csv
import json
import re
import shlex
import tomllib
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import click
import jsonschema
import pytest
import yaml
from jupyter_events import EventLogger
from jupyterhub.app import JupyterHub
from markdown_it import MarkdownIt
from traitlets import HasTraits
from traitlets.config import Config

from hub_extensions import settings
from hub_extensions.commands import main
from hub_extensions.imports.session_table import COLUMNS
from hub_extensions.ledger.configurable import UsageLedger
from hub_extensions.schema import helm_schema, settings_schema
from hub_extensions.settings import Hub, Settings
from hub_extensions.spawners.form import options_of_link
from hub_extensions.z2jh.values import chart_values, over_defaults

from . import z2jh_loader

ROOT = Path(__file__).parents[1]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "examples").glob("*/README.md")),
]
# Where pages say that files are whose snippets begin with these lines.
FILES = {"/srv/jupyterhub/hub.yaml": "# hub.yaml", "/etc/hub-live/live.yaml": "# live.yaml"}
# What snippets of a part of the settings take for granted.
BESIDE = {
    "communities": {"ocean-lab": {"members": [{"users": ["ada"]}]}},
    "usage": {"database": "sqlite:///usage.sqlite"},
}
# Programs of others, which they test.
OTHERS = {"curl", "docker", "echo", "helm", "kubectl", "mkdir", "yq"}


@dataclass(frozen=True)
class Snippet:
    page: Path
    line: int
    language: str
    text: str

    def __str__(self):
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def snippets_of(page):
    """The snippets of a page; one that is indented, and not fenced, has no language."""
    for token in MarkdownIt().parse(page.read_text()):
        if token.type in ("fence", "code_block"):
            yield Snippet(page, token.map[0] + 1, token.info.strip(), token.content)


ALL = [each for page in PAGES for each in snippets_of(page) if each.language != "{toctree}"]


@pytest.mark.parametrize("snippet", ALL, ids=str)
def test_it_works_as_it_stands(snippet, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert snippet.language in WAYS, f"{snippet} is in {snippet.language!r}, which nothing here can try"
    monkeypatch.setenv("OAUTH_CLIENT_SECRET", "x")
    WAYS[snippet.language](with_files(snippet, tmp_path), tmp_path)


def with_files(snippet, folder):
    """The snippet, with the files that it names where this test may write."""
    text = snippet.text
    for path, first_line in FILES.items():
        if path in text:
            shown = next(each.text for each in ALL if each.text.startswith(first_line))
            file = folder / Path(path).name
            file.write_text(shown)
            text = text.replace(path, str(file))
    return replace(snippet, text=text)


def test_there_are_snippets_on_the_pages_that_people_begin_with():
    begin = ["README.md", "CONTRIBUTING.md", *(f"docs/{name}.md" for name in ("operator", "helm", "researcher"))]
    begin += [f"examples/{name}/README.md" for name in ("basehub", "jupyterhub_config", "z2jh")]
    assert {ROOT / page for page in begin} <= {each.page for each in ALL}


# Data


def is_of_a_chart(values):
    hub = values.get("hub") or {}
    return bool({"custom", "singleuser", "jupyterhub"} & values.keys() or hub.keys() - Hub.model_fields)


def try_yaml(snippet, folder):
    values = yaml.safe_load(snippet.text)
    if "scrape_configs" in values:  # of Prometheus
        assert {job["metrics_path"] for job in values["scrape_configs"]} == {"/hub/metrics", "/services/usage/metrics"}
    elif is_of_a_chart(values):
        follows(helm_schema(), values)
        chart = over_defaults({"custom": {"communities": BESIDE["communities"]}}, chart_values(values))
        if "live_file" in chart.get("custom", {}):  # it is mounted where the hub runs
            (folder / "live.yaml").touch()
            chart = {**chart, "custom": {**chart["custom"], "live_file": str(folder / "live.yaml")}}
        own = (chart.get("hub") or {}).get("extraConfig")
        JupyterHub(config=z2jh_loader.load(chart, folder, {} if own else z2jh_loader.EXTRA_CONFIG))
    else:
        assert values.keys() <= Settings.model_fields.keys(), f"{snippet} is neither settings nor values of a chart"
        follows(settings_schema(), values)
        settings.load({**BESIDE, **values})


def follows(schema, values):
    jsonschema.validate(json.loads(json.dumps(values, default=str)), schema)


def try_json(snippet, _):
    json.loads(snippet.text)


def try_csv(snippet, _):
    header, *rows = csv.reader(snippet.text.splitlines(), strict=True)
    assert set(header) <= COLUMNS.keys()
    assert [len(row) for row in rows] == [len(header)] * len(rows)


def try_link(snippet, _):
    """Text is a link to the start page, with options in it."""
    query = parse_qs(urlsplit(snippet.text.strip()).query)
    assert len(options_of_link(query)) == len(query) > 0


# Python: it is run. `c` has traits that exist; FORMER are those of other packages that pages speak of.


def try_python(snippet, _):
    c = Config()
    c.JupyterHub.services = []
    c.JupyterHub.load_roles = []
    exec(compile(snippet.text, str(snippet), "exec"), {"c": c})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_trait_that_a_page_names_exists(page):
    named = set(re.findall(r"\bc\.([A-Z]\w+)\.([a-z]\w*)", page.read_text()))
    known = {kind.__name__: kind.class_traits(config=True) for kind in configurable_classes()}
    assert [f"c.{name}.{trait}" for name, trait in sorted(named) if trait not in known.get(name, FORMER)] == []


FORMER = ("policy", "scope_fallback_strategy", "failover_open", "additional_profile_form_template_paths")


def configurable_classes():
    groups = ("jupyterhub.spawners", "jupyterhub.authenticators")
    named = [entry for group in groups for entry in entry_points(group=group)]
    plugins = [entry.load() for entry in named if entry.value.startswith("hub_extensions.")]
    started = [*JupyterHub().classes, JupyterHub, EventLogger, UsageLedger, *plugins]
    return {each for kind in started for each in kind.__mro__ if issubclass(each, HasTraits)}


# Commands: their program takes them.


def try_commands(snippet, folder):
    text = snippet.text.replace("\\\n", " ")
    for written in HERE.finditer(text):  # a file that a command writes
        assert written["file"].endswith(".yaml")
        try_yaml(replace(snippet, text=written["text"]), folder)
    lines = HERE.sub("", text).splitlines()
    calls = [line.removeprefix("$ ") for line in lines if line.strip() and not line.startswith("#")]
    if snippet.language == "console":  # the rest is what is printed
        calls = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    assert calls
    for call in calls:
        for words in piped(shlex.split(call, comments=True)):
            takes(words)


HERE = re.compile(r"^cat > (?P<file>\S+) <<'END'\n(?P<text>.*?)^END$", re.DOTALL | re.MULTILINE)


def piped(words):
    """The single commands of a line of several."""
    found = [[]]
    for word in words:
        if word in ("|", "&&"):
            found.append([])
        elif word in (">", ">>"):
            found[-1].append("")
        else:
            found[-1].append(word)
    return [command[: command.index("")] if "" in command else command for command in found]


def takes(words):
    program, *arguments = words
    match program:
        case "hub-extensions":
            name, *rest = arguments
            command = main.get_command(click.Context(main), name)
            assert command, f"there is no command {name}"
            if not {"-h", "--help"} & set(rest):
                command.make_context(name, rest, parent=click.Context(main, info_name="hub-extensions"))
        case "make":
            targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
            assert {word for word in arguments if "=" not in word} <= targets
        case "pip":
            extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
            for word in arguments:
                assert set(re.findall(r"\w+", word.partition("[")[2])) <= extras.keys()
        case "python3":
            assert arguments[:2] == ["-m", "venv"]
        case ".":
            assert arguments == [".venv/bin/activate"]
        case "jupyterhub":
            JupyterHub().parse_command_line(arguments)
        case ".ci/run":
            assert (ROOT / program).is_file()
        case _:
            assert program in OTHERS, f"nothing here can try {program}"


WAYS = {
    "": try_commands,
    "console": try_commands,
    "csv": try_csv,
    "json": try_json,
    "python": try_python,
    "sh": try_commands,
    "text": try_link,
    "yaml": try_yaml,
}
