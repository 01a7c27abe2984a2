"""How a command ends that was given something it cannot work with."""

import click


class CalledWrongly(click.ClickException):
    """A file or a name that a command was given does not exist or cannot be read; one sentence, and exit code 2."""

    exit_code = 2
