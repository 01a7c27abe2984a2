"""What docs/basehub.md and the example for the chart show works as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jupyterhub.app import JupyterHub

from hub_extensions.z2jh.basehub_values import FORMER, KEYS
from hub_extensions.z2jh.values import chart_values, look_up

from . import z2jh_loader

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "basehub.md").read_text()
EXAMPLE = yaml.safe_load((ROOT / "examples" / "z2jh" / "values.yaml").read_text())


def test_every_key_of_basehub_is_on_the_page() -> None:
    assert [key for key in KEYS if key not in FORMER and f"custom.{key}" not in PAGE] == []


def test_every_test_that_the_page_names_exists() -> None:
    written = "".join((ROOT / "tests" / f"{name}.py").read_text() for name in ("test_basehub", "test_z2jh_configure"))
    named = re.findall(r"`(test_\w+)`", PAGE)
    assert len(named) > 12
    assert [name for name in named if f"def {name}(" not in written] == []
    files = re.findall(r"`(tests/\S+\.py)`", PAGE)
    assert [file for file in files if not (ROOT / file).is_file()] == []


@pytest.fixture(params=["page", "example"])
def values(request: pytest.FixtureRequest) -> Any:
    [snippet] = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
    return chart_values(yaml.safe_load(snippet) if request.param == "page" else EXAMPLE)


def test_the_two_lines_configure_a_hub(values: Any, tmp_path: Path) -> None:
    assert len(next(iter(values["hub"]["extraConfig"].values())).splitlines()) == 2
    hub = JupyterHub(config=z2jh_loader.load(values, tmp_path, {}))
    assert hub.spawner_class.__name__ == "ProfileKubeSpawner"
    title = look_up(values, "custom.hub.title", "JupyterHub")
    assert hub.template_vars["hub_extensions"](None).title == title
