"""The site is built without a warning, and its reference has every setting, trait, command and option there is."""

import html
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import click
import pytest
from pydantic import BaseModel
from traitlets.config import Configurable

from hub_extensions.catalogue import Profile
from hub_extensions.commands import main
from hub_extensions.node_sizes import NodeShares
from hub_extensions.settings import Settings

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    built = tmp_path_factory.mktemp("site")
    sphinx = Path(sys.executable).with_name("sphinx-build")
    run = [sphinx, "--quiet", "--fail-on-warning", "--keep-going", DOCS, built]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return built


def code_on(page):
    """What stands on a page as code or as a heading, one text each."""
    text = re.sub(r"<(?!/?(code|h[1-6]|dt)\b)[^>]+>", "", page.read_text(encoding="utf-8"))
    return {html.unescape(found).strip("¶# \n") for found in re.findall(r">([^<>]+)<", text)}


def models(kind, seen):
    """A model, and all models that its fields are made of."""
    if isinstance(kind, type) and issubclass(kind, BaseModel) and kind not in seen:
        seen.add(kind)
        for field in kind.model_fields.values():
            models(field.annotation, seen)
    for part in get_args(kind):
        models(part, seen)
    return seen


def test_every_setting_is_in_the_reference(site):
    found = code_on(site / "reference" / "settings.html")
    kinds = set().union(*(models(kind, set()) for kind in (Settings, Profile, NodeShares)))
    keys = {field.alias or name for kind in kinds for name, field in kind.model_fields.items()}
    assert len(keys) > 100
    assert keys - found == set()


def test_every_trait_is_in_the_reference(site):
    found = code_on(site / "reference" / "traits.html")
    traits = set()
    for folder in ("spawners", "authenticators", "ledger"):
        package = importlib.import_module(f"hub_extensions.{folder}")
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            if module.ispkg:
                continue
            for kind in vars(importlib.import_module(module.name)).values():
                if isinstance(kind, type) and issubclass(kind, Configurable) and "hub_extensions" in kind.__module__:
                    traits |= {f"c.{kind.__name__}.{name}" for name in kind.class_own_traits(config=True)}
    assert len(traits) > 30
    assert traits - found == set()


def test_every_command_and_option_is_in_the_reference(site):
    page = html.unescape(re.sub(r"<[^>]+>", "", (site / "reference" / "commands.html").read_text(encoding="utf-8")))
    for name in main.list_commands(click.Context(main)):
        assert f"hub-extensions {name}" in page
        command = main.get_command(click.Context(main), name)
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.hidden:
                assert max(parameter.opts, key=len) in page, f"{name} {parameter.opts}"


def test_commands_can_be_copied_from_the_reference(site):
    page = html.unescape(re.sub(r"<[^>]+>", "", (site / "reference" / "commands.html").read_text(encoding="utf-8")))
    assert "hub-extensions render --values values.yaml --user ada" in page


def test_every_page_is_linked_from_the_first_one(site):
    first = (site / "index.html").read_text(encoding="utf-8")
    pages = {page.stem for page in DOCS.glob("*.md")} - {"index"}
    assert {page for page in pages if f'href="{page}.html"' not in first} == set()


def test_nothing_is_fetched_when_a_page_is_read(site):
    for page in site.glob("*.html"):
        fetched = re.findall(
            r'<(?:script|img|link)[^>]+(?:src|href)="(https?:[^"]+)"', page.read_text(encoding="utf-8")
        )
        assert fetched == [], page.name
