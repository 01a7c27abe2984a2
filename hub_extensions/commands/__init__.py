"""The command line, ``hub-extensions``: one module a command, imported when it is called."""

from __future__ import annotations

import importlib
import pkgutil

import click


class _Commands(click.Group):
    """The modules of this folder, each of which names its command ``command``."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names of the modules."""
        return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the one that is called."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = importlib.import_module(f"{__name__}.{cmd_name}").command
        return command


@click.group(cls=_Commands)
@click.version_option(package_name="hub-extensions")
def main() -> None:
    """What makes a JupyterHub a good community hub."""
