"""The README is short and leads somewhere; its snippets are tried in test_snippets."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("target", re.findall(r"\]\((?!https?:)([^)]+)\)", README))
def test_every_link_leads_somewhere(target):
    assert (ROOT / target).exists()


@pytest.mark.parametrize("door", ["operator", "helm", "researcher"])
def test_it_leads_to_each_front_door(door):
    assert f"](docs/{door}.md)" in README


def test_it_is_short_enough_to_be_read():
    assert len(README.splitlines()) < 150
