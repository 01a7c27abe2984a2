"""`hub-extensions render`: the pod that a person would get."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .mistaken_call import CalledWrongly
from .output import format_option, printed
from .values_files import read_values

if TYPE_CHECKING:
    from ..rendering import UnknownProfileError

EPILOG = """\b
Example: what Ada, a member of the group ocean-lab, gets with the profile
"ocean" in its size "large":

\b
  hub-extensions render --values values.yaml --user ada --groups ocean-lab \\
      --profile ocean --option size=large

\b
A value that a person writes in goes under the name of its option with the
suffix --unlisted-choice:

\b
  --option image--unlisted-choice=quay.io/jupyter/scipy-notebook:2026-01-05

\b
The manifest can be tried on a cluster without starting anything:

\b
  hub-extensions render … | kubectl create --dry-run=server -f -
"""


def _option(_context: click.Context, _parameter: click.Parameter, pairs: tuple[str, ...]) -> dict[str, str]:
    options = {}
    for pair in pairs:
        name, equals, choice = pair.partition("=")
        if not (name and equals):
            raise CalledWrongly(f"--option {pair!r} is not of the form NAME=CHOICE.")
        options[name] = choice
    return options


def _groups(_context: click.Context, _parameter: click.Parameter, text: str) -> list[str]:
    return [group for part in text.split(",") if (group := part.strip())]


@click.command(name="render", epilog=EPILOG)
@click.option(
    "--values",
    "files",
    metavar="FILE",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    help="Helm values of Zero to JupyterHub, or of a chart around it; again for more files, the later one wins.",
)
@click.option("--user", metavar="NAME", required=True, help="Who starts the server.")
@click.option("--groups", metavar="A,B", default="", callback=_groups, help="The person's groups, between commas.")
@click.option("--profile", metavar="SLUG", help="Which profile; without it, the person's default.")
@click.option(
    "--option",
    "options",
    metavar="NAME=CHOICE",
    multiple=True,
    callback=_option,
    help="A choice of one of the profile's options, by its key; again for more options.",
)
@click.option("--server", metavar="NAME", default="", help="Which of the person's named servers.")
@format_option
def command(
    files: tuple[Path, ...],
    user: str,
    groups: list[str],
    profile: str | None,
    options: dict[str, str],
    server: str,
    format_: str,
) -> None:
    """Print the pod that a hub with these Helm values would start for a person.

    The spawner is asked as in a hub: who may use which profile, and what their choices come to, is decided by the same
    code. Nothing is started or contacted, and no cluster has to be known. Python in hub.extraConfig is not executed.
    """
    if not user:
        raise CalledWrongly("--user is empty: a person has a name.")
    if options and profile is None:
        raise CalledWrongly("--option needs --profile, because options belong to a profile.")
    values = [read_values(path) for path in files]
    click.echo(printed(_manifest(values, user, groups, _request(profile, options), server), format_), nl=False)


def _request(profile: str | None, options: dict[str, str]) -> dict[str, str]:
    return {} if profile is None else {**options, "profile": profile}


def _manifest(
    layers: list[dict[str, Any]], user: str, groups: list[str], request: dict[str, str], server: str
) -> dict[str, Any]:
    from traitlets import TraitError

    from ..rendering import RenderingError, UnknownProfileError, pod_manifest
    from ..z2jh import kubespawner_config, merge_values

    try:
        config = kubespawner_config(merge_values(*layers))
        return asyncio.run(pod_manifest(config, user, groups, request, server))
    except UnknownProfileError as error:
        raise CalledWrongly(_advice(error)) from error
    except RenderingError as error:
        raise click.ClickException(str(error)) from error
    except (TraitError, ValueError) as error:
        raise click.ClickException(f"The hub could not use these values. {error}") from error


def _advice(error: "UnknownProfileError") -> str:
    from ..mistakes import did_you_mean

    if not error.known:
        return f"{error} These values have no profiles."
    return f"{error} {did_you_mean(error.slug, error.known)}".strip()
