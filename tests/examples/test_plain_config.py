"""The example with a jupyterhub_config.py: nothing is wrong with it, and a hub of it offers what its settings say."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from traitlets.config import PyFileConfigLoader

from hub_extensions.commands import main

from ..hub import running_hub

CONFIG = Path(__file__).parents[2] / "examples" / "jupyterhub_config" / "jupyterhub_config.py"


def test_nothing_is_wrong_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["check", "--config", str(CONFIG), "--strict"])
    assert (done.exit_code, done.stdout) == (0, "Nothing is wrong.\n")


async def test_a_hub_of_it_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = PyFileConfigLoader(CONFIG.name, str(CONFIG.parent)).load_config()
    del config.JupyterHub["bind_url"]  # whatever runs there
    async with running_hub(config) as hub:
        for name, offered in (("lin", True), ("ada", False)):
            page = await (await hub.login(name)).get("spawn")
            assert "Small" in page.text
            assert ("Large" in page.text) is offered
            assert "Reef Station" in page.text
