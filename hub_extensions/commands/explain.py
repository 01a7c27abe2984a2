"""`hub-extensions explain`: what a hub decides about one person, and why."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .explanation_text import told
from .hub_input import HubFiles, hub_files
from .mistaken_call import CalledWrongly
from .output import printed

if TYPE_CHECKING:
    from ..explained_hub import Explanation
    from ..planned_login import Asked

EPILOG = """\b
Example: may Ada log in, and what does she get, as a member of a GitHub team?

\b
  hub-extensions explain --values values.yaml --user ada \\
      --groups ocean-lab:divers

\b
With --identity FILE the login is decided from what a provider says of a person,
in YAML or JSON:

\b
  provider: cilogon
  idp: https://idp.example.edu/idp/shibboleth
  email: ada@example.edu
  email_verified: true
  groups: ["staff:ocean"]
"""


def _groups(_context: click.Context, _parameter: click.Parameter, text: str | None) -> list[str]:
    return [group for part in (text or "").split(",") if (group := part.strip())]


@click.command(name="explain", epilog=EPILOG)
@hub_files
@click.option("--user", metavar="NAME", required=True, help="Who it is about, by the name on the hub.")
@click.option("--groups", metavar="A,B", callback=_groups, help="The person's groups and teams, between commas.")
@click.option(
    "--identity",
    "identity_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="What a provider says of the person.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people, or for programs.",
)
def command(hub: HubFiles, user: str, groups: list[str], identity_file: Path | None, format_: str) -> None:
    """Explain what a hub decides about a person: login, groups, every profile and choice, and why.

    The same code decides as in a hub. Nothing is started or contacted, and no provider is asked: with --groups, a
    person is taken to be who has them. Python in hub.extraConfig is not executed.
    """
    if not user.strip():
        raise CalledWrongly("--user is empty: a person has a name.")
    if groups and identity_file:
        raise CalledWrongly("--groups and --identity: name one of them; an identity has groups of its own.")
    from ..planned_login import Asked
    from .identity_file import read_identity

    identity = read_identity(identity_file, user) if identity_file else None
    answer = _explained(hub, Asked(user, tuple(groups), identity))
    click.echo(printed(answer.plain, format_) if format_ == "json" else told(answer), nl=False)


def _explained(hub: HubFiles, asked: "Asked") -> "Explanation":
    from traitlets import TraitError

    from ..explained_hub import explain
    from ..planned_login import CannotBeToldError

    try:
        return asyncio.run(explain(hub.planned(), asked))
    except CannotBeToldError as error:
        raise click.ClickException(str(error)) from error
    except (TraitError, ValueError) as error:
        raise click.ClickException(f"The hub could not use this configuration. {error}") from error
