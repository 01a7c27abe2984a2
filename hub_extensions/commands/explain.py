"""`hub-extensions explain`: what a hub decides about one person, and why."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .explanation_text import told
from .hub_input import HubFiles, hub_files
from .mistaken_call import CalledWrongly
from .output import printed, text_format_option
from .person_input import choices_option, groups_option, no_such_profile, profile_option, request, user_option
from .progress import under_way

if TYPE_CHECKING:
    from ..explained_hub import Explanation
    from ..planned_login import Asked

EPILOG = """\b
Example: may Ada log in, and what does she get, as a member of a GitHub team?

\b
  hub-extensions explain --values values.yaml --user ada \\
      --groups ocean-lab:divers

\b
With --profile, and --option for choices, it also tells the settings of the
server that she would get, and where each comes from:

\b
  hub-extensions explain --values values.yaml --user ada \\
      --groups ocean-lab:divers --profile ocean --option size=large

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


@click.command(name="explain", epilog=EPILOG)
@hub_files
@user_option(required=True, help="Who it is about, by the name on the hub.")
@groups_option
@click.option(
    "--identity",
    "identity_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="What a provider says of the person.",
)
@profile_option("Tell the settings of the server that the person gets with this profile.")
@choices_option
@text_format_option
def command(
    hub: HubFiles,
    user: str,
    groups: list[str],
    identity_file: Path | None,
    profile: str | None,
    options: dict[str, str],
    format_: str,
) -> None:
    """Explain what a hub decides about a person: login, groups, every profile and choice, and why.

    The same code decides as in a hub. Nothing is started or contacted, and no provider is asked: with --groups, a
    person is taken to be who has them. Python in hub.extraConfig is not executed.

    Letter case of NAME does not count. Where people have pseudonyms on the hub, NAME is one, or else an account or
    address with which somebody logs in.

    A login that is refused is an answer and no error: it ends with 0 then, too. For programs, --format json says
    login.allowed. It ends with 1 if the profiles cannot be read.
    """
    asked_for = request(profile, options) or None
    if groups and identity_file:
        raise CalledWrongly("--groups and --identity: name one of them; an identity has groups of its own.")
    from ..planned_login import Asked
    from .identity_file import read_identity

    identity = read_identity(identity_file, user) if identity_file else None
    with under_way("Asking the hub"):
        answer = _explained(hub, Asked(user, tuple(groups), identity), asked_for)
    click.echo(printed(answer.plain, format_) if format_ == "json" else told(answer), nl=False)


def _explained(hub: HubFiles, asked: "Asked", options: dict[str, str] | None) -> "Explanation":
    from ..explained_hub import explain
    from ..rendering import UnknownProfileError, no_cluster

    try:
        with no_cluster():  # before anything imports KubeSpawner, which would look for one
            return asyncio.run(explain(hub.planned(), asked, options))
    except UnknownProfileError as error:
        raise no_such_profile(error) from error
    except ValueError as error:
        raise click.ClickException(f"The hub could not use this configuration. {error}") from error
