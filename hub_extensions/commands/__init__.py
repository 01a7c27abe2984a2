"""The command line `hub-extensions`: one module of this package for each command, imported when it is used."""

from importlib import import_module

import click
from click.shell_completion import CompletionItem

# What each does is written here once more, so that help and completion need not import all of them.
COMMANDS = {
    "check": "Find what is wrong with a hub before it starts.",
    "completion": "Print what makes a shell complete commands, options and their values.",
    "explain": "Explain what a hub decides about a person: login, groups, every profile and choice, and why.",
    "forget": "Forget a person of a hub: erase their sessions, or take their name off them.",
    "import": "Bring sessions into the usage ledger from JupyterHub's event log or from CSV files.",
    "invite": "Make an invitation to a community and print its link, which cannot be printed again.",
    "render": "Print the pod that a hub would start for a person, or what a change does to it.",
    "report": "Report what a hub was used for in a month: people, sessions, hours, estimated cost.",
    "schema": "Print the JSON Schema of the settings, with what each of them means.",
    "sizes": "Print the choices of an option that share out nodes of a type, for `profile_options`.",
    "usage": "Serve the usage pages.",
}
_MODULES = {"import": "import_sessions"}  # Python has a word of its own for it


class _OnDemand(click.Group):
    """Commands whose modules are imported only when they are called, so that help is instant."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click passes it
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002 - click passes it
        if name not in COMMANDS:
            return None
        command = import_module(f"{__name__}.{_MODULES.get(name, name)}").command
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        named = [CompletionItem(name, help=what) for name, what in COMMANDS.items() if name.startswith(incomplete)]
        return [*named, *click.Command.shell_complete(self, ctx, incomplete)]


EPILOG = """\b
Example: the pod that Ada would get of a hub with these values:

\b
  hub-extensions render --values values.yaml --user ada

\b
hub-extensions COMMAND --help tells the rest.
"""


@click.group(
    cls=_OnDemand, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="hub-extensions")
def main() -> None:
    """Look at, check and plan what a JupyterHub does for its communities.

    \b
    Every command ends with
      0  all is well
      1  it found something wrong, or was refused
      2  it was called wrongly: a missing file, a name that does not exist
    """
