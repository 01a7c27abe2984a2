"""The options by which a command finds the hub's database, and what it says when that does not answer."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from ..usage_service import DATABASE_VARIABLE
from .mistaken_call import CalledWrongly
from .progress import under_way

if TYPE_CHECKING:
    from ..ledger import Ledger
    from ..settings import Settings

Command = TypeVar("Command", bound=Callable[..., object])


def database_options(command: Command) -> Command:
    """Give a command the options whose values `settings_in` and `ledger_at` take."""
    for option in (
        click.option("--hub", help="Name of the hub in the database, if not in the settings (hub)."),
        click.option("--database", help=f"Database of the hub, if not in the settings.  [env: {DATABASE_VARIABLE}]"),
        click.option("--settings", "file", metavar="FILE", type=click.Path(path_type=Path), help="The hub's settings."),
    ):
        command = option(command)
    return command


def settings_in(file: Path | None) -> "Settings":
    """The settings in a file, or those of a hub that has set nothing; raises CalledWrongly."""
    from ..mistakes import SettingsError
    from ..settings import Settings, load

    try:
        return Settings() if file is None else load(file)
    except SettingsError as error:
        raise CalledWrongly(str(error)) from None


@contextmanager
def ledger_at(settings: "Settings", database: str | None, *, timeout: float) -> "Iterator[Ledger]":
    """The ledger, with its tables, while it is used; raises CalledWrongly, or ClickException if it does not answer."""
    from alembic.util import CommandError
    from sqlalchemy.exc import SQLAlchemyError

    from ..ledger import Ledger

    url = database or settings.usage.database or os.environ.get(DATABASE_VARIABLE, "")
    if not url:
        raise CalledWrongly("Where is the hub's database? Give --settings or --database sqlite:///usage.sqlite.")
    try:
        ledger = Ledger(url, timeout=timeout)
    except ValueError as error:
        raise CalledWrongly(str(error)) from None
    try:
        migrate(ledger)
        yield ledger
    except (SQLAlchemyError, CommandError, OSError) as error:
        raise click.ClickException(f"The database does not answer: {str(error).splitlines()[0]}") from None
    finally:
        ledger.dispose()


def migrate(ledger: "Ledger") -> None:
    """Bring the database's tables to this version's shape; a large one of an older version takes a while."""
    with under_way("Bringing the database up to date"):
        ledger.migrate()
