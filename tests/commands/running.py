"""Commands as people give them, with their settings in a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from click.testing import CliRunner

from hub_extensions.commands import main

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result


def run(command: str, *arguments: str) -> Result:
    """Give the command where no database is named by the environment."""
    return CliRunner(env={"HUB_EXTENSIONS_DATABASE": None}).invoke(main, [command, *arguments])


def settings_file(folder: Path, text: str) -> str:
    """A file of settings in a folder; answers its path."""
    path = folder / "hub.yaml"
    path.write_text(text)
    return str(path)
