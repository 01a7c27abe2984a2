"""Whom a command is about, and what they ask for."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from .mistaken_call import CalledWrongly

if TYPE_CHECKING:
    from ..rendering import UnknownProfileError


def _choices(_context: click.Context, _parameter: click.Parameter, pairs: tuple[str, ...]) -> dict[str, str]:
    options = {}
    for pair in pairs:
        name, equals, choice = pair.partition("=")
        if not (name and equals):
            raise CalledWrongly(f"--option {pair!r} is not of the form NAME=CHOICE.")
        options[name] = choice
    return options


def _listed(_context: click.Context, _parameter: click.Parameter, text: str) -> list[str]:
    return [group for part in text.split(",") if (group := part.strip())]


def _has_a_name(_context: click.Context, _parameter: click.Parameter, name: str | None) -> str | None:
    if name is not None and not name.strip():
        raise CalledWrongly("--user is empty: a person has a name.")
    return name


def user_option(**more: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The option `--user`."""
    return click.option("--user", metavar="NAME", callback=_has_a_name, **more)


def profile_option(what: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The option `--profile`, and what it does."""
    return click.option("--profile", metavar="SLUG", help=what)


groups_option = click.option(
    "--groups", metavar="A,B", default="", callback=_listed, help="The person's groups, between commas."
)
choices_option = click.option(
    "--option",
    "options",
    metavar="NAME=CHOICE",
    multiple=True,
    callback=_choices,
    help="A choice of one of the profile's options, by its key; again for more options.",
)


def request(profile: str | None, options: dict[str, str]) -> dict[str, str]:
    """What is asked for, as a start has it; raises CalledWrongly for options of no profile."""
    if options and profile is None:
        raise CalledWrongly("--option needs --profile, because options belong to a profile.")
    return {} if profile is None else {**options, "profile": profile}


def no_such_profile(error: "UnknownProfileError") -> CalledWrongly:
    """The end of a command that was asked for a profile which there is not."""
    from ..mistakes import did_you_mean

    if not error.known:
        return CalledWrongly(f"{error} This hub has no profiles.")
    return CalledWrongly(f"{error} {did_you_mean(error.slug, error.known)}".strip())
