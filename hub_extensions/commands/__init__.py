"""The command line `hub-extensions`: one module of this package for each command, imported when it is used."""

from importlib import import_module

import click

COMMANDS = ("check", "explain", "forget", "import", "invite", "render", "report", "schema", "sizes", "usage")
_MODULES = {"import": "import_sessions"}  # Python has a word of its own for it


class _OnDemand(click.Group):
    """Commands whose modules are imported only when they are asked for, so that help is instant."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click passes it
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002 - click passes it
        if name not in COMMANDS:
            return None
        command = import_module(f"{__name__}.{_MODULES.get(name, name)}").command
        return command if isinstance(command, click.Command) else None


@click.group(cls=_OnDemand, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="hub-extensions")
def main() -> None:
    """Look at, check and plan what a JupyterHub does for its communities.

    \b
    Every command ends with
      0  all is well
      1  it found something wrong, or was refused
      2  it was called wrongly: a missing file, a name that does not exist
    """
