"""`hub-extensions render`: the pod that a person would get."""

import asyncio
import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .hub_input import HubFiles, hub_files
from .mistaken_call import CalledWrongly
from .output import format_option, printed
from .person_input import choices_option, groups_option, no_such_profile, profile_option, request, user_option
from .progress import under_way

if TYPE_CHECKING:
    from ..catalogue import Profile
    from ..planned_hub import PlannedHub

_NO_PROFILE = "no such profile\n"
ANYBODY = "somebody"  # for whom pods are compared where nobody is named

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
What a change of the values does to her pod; without --user, to a pod of each
profile with its default choices, of somebody in all of its groups:

\b
  hub-extensions render --values values.yaml --diff new-values.yaml --user ada
  hub-extensions render --values values.yaml --diff new-values.yaml

\b
It prints a unified diff, and ends with 0 where the pods are the same, with 1
where they are not.

\b
The manifest can be tried on a cluster without starting anything:

\b
  hub-extensions render … | kubectl create --dry-run=server -f -
"""


@click.command(name="render", epilog=EPILOG)
@hub_files
@user_option(help="Who starts the server.")
@groups_option
@profile_option("Which profile; without it, the person's default.")
@choices_option
@click.option("--server", metavar="NAME", default="", help="Which of the person's named servers.")
@click.option(
    "--diff",
    "others",
    metavar="FILE",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Show what other files, in the place of --values or --config, do to the pod; again for more files.",
)
@format_option
def command(
    hub: HubFiles,
    user: str | None,
    groups: list[str],
    profile: str | None,
    options: dict[str, str],
    server: str,
    others: tuple[Path, ...],
    format_: str,
) -> None:
    """Print the pod that a hub would start for a person, or what a change does to it.

    The spawner is asked as in a hub: who may use which profile, and what their choices come to, is decided by the same
    code. Nothing is started or contacted, and no cluster has to be known. Python in hub.extraConfig is not executed.
    """
    asked_for = request(profile, options)
    if not others:
        if user is None:
            raise CalledWrongly("--user is missing: whose pod is it? Only --diff goes without.")
        with under_way("Making the pod"):
            pod = _manifest(_usable(hub), user, groups, asked_for, server)
        click.echo(printed(pod, format_), nl=False)
        return
    if user is None and (groups or asked_for or server):
        raise CalledWrongly("--diff without --user compares all profiles; name a user for one person's pod.")
    files = (hub, hub.instead(others))
    with under_way("Making the pods"):
        before, after = (
            _pod_of_each_profile(each, format_)
            if user is None
            else {"": _text(each, user, groups, asked_for, server, format_)}
            for each in map(_usable, files)
        )
        difference = "".join(_difference(before, after, *(each.name for each in files)))
    click.echo(difference, nl=False)
    if difference:
        raise SystemExit(1)


def _usable(files: HubFiles) -> "PlannedHub":
    """The hub, if it would start; else what is wrong ends the command."""
    from ..rendering import no_cluster

    with no_cluster():  # before anything imports KubeSpawner, which would look for one
        hub = files.planned()
    wrong = [str(finding) for finding in hub.findings if finding.severity == "error"]
    if wrong:
        raise click.ClickException("\n  ".join([f"A hub could not use {files.name}.", *wrong]))
    return hub


def _manifest(
    hub: "PlannedHub", user: str, groups: list[str], asked_for: dict[str, str], server: str
) -> dict[str, Any]:
    from traitlets import TraitError

    from ..rendering import RenderingError, UnknownProfileError, pod_manifest

    try:
        return asyncio.run(pod_manifest(hub.config, user, groups, asked_for, server))
    except UnknownProfileError as error:
        raise no_such_profile(error) from error
    except RenderingError as error:
        raise click.ClickException(str(error)) from error
    except (TraitError, ValueError) as error:
        raise click.ClickException(f"The hub could not use these values. {error}") from error


def _text(hub: "PlannedHub", user: str, groups: list[str], asked_for: dict[str, str], server: str, format_: str) -> str:
    """A pod as text to compare, or why there is none."""
    try:
        return printed(_manifest(hub, user, groups, asked_for, server), format_)
    except click.ClickException as error:
        return f"no pod: {error.message}\n"


def _pod_of_each_profile(hub: "PlannedHub", format_: str) -> dict[str, str]:
    """The pod of each profile, by its slug; of somebody in all groups for whom any part of it is."""
    from ..rendering import profiles_of

    profiles = asyncio.run(profiles_of(hub.config, ANYBODY))
    if not profiles:
        return {"": _text(hub, ANYBODY, [], {}, "", format_)}
    return {
        profile.name: _text(hub, ANYBODY, _groups_of(profile), {"profile": profile.name}, "", format_)
        for profile in profiles
    }


def _groups_of(profile: "Profile") -> list[str]:
    return list(dict.fromkeys(group for part in profile.parts() for group in part.groups))


def _difference(before: dict[str, str], after: dict[str, str], old: str, new: str) -> Iterator[str]:
    for slug in dict.fromkeys([*before, *after]):
        what = f" (profile {slug})" if slug else ""
        was, becomes = (pods.get(slug, _NO_PROFILE).splitlines(keepends=True) for pods in (before, after))
        yield from difflib.unified_diff(was, becomes, f"{old}{what}", f"{new}{what}")
