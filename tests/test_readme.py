"""What the README shows works as it stands."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from hub_extensions import settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_the_settings_have_no_mistake():
    [block] = blocks("yaml")
    checked = settings.load(yaml.safe_load(block))
    assert checked.hub.title == "Ocean Data Hub"
    assert list(checked.communities) == ["ocean-lab"]


def test_the_rendering_prints_the_pod_of_the_example():
    [command] = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("hub-extensions")]
    program, *arguments = shlex.split(command)
    printed = subprocess.run(
        [Path(sys.executable).with_name(program), *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    pod = yaml.safe_load(printed.stdout)
    [notebook] = pod["spec"]["containers"]
    assert notebook["resources"]["limits"]["memory"] == 16 * 2**30


@pytest.mark.parametrize("target", re.findall(r"\]\((?!https?:)([^)]+)\)", README))
def test_every_link_leads_somewhere(target):
    assert (ROOT / target).exists()


def test_it_is_short_enough_to_be_read():
    assert len(README.splitlines()) < 150
