"""`hub-extensions forget`: takes one person out of the usage ledger."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .database import database_options, ledger_at, settings_in
from .mistaken_call import CalledWrongly
from .output import format_option, printed
from .progress import under_way

if TYPE_CHECKING:
    from ..ledger.forgetting import Forgotten, Rows

TIMEOUT = 120.0  # seconds for a statement; a person may have years of sessions

EPILOG = """\b
Example: see what there is, then erase it:

\b
  hub-extensions forget ada --settings hub.yaml --dry-run
  hub-extensions forget ada --settings hub.yaml

\b
It reaches the ledger's database. It cannot reach reports and files that were
made already, backups, the logs of the hub and of its proxy, what Prometheus
has stored, JupyterHub's own database (delete the user there), and the
person's volumes. Old event logs or tables bring the person back when they
are imported again.
"""


@click.command(name="forget", epilog=EPILOG)
@click.argument("user")
@click.option(
    "--keep-hours",
    is_flag=True,
    help="Keep the sessions, and with them all sums, under a random name that nothing leads back from.",
)
@click.option("--even-if-running", is_flag=True, help="Also while a server of theirs runs, or seems to.")
@click.option("--dry-run", is_flag=True, help="Only say how many rows there are.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@database_options
@format_option
def command(
    user: str,
    keep_hours: bool,
    even_if_running: bool,
    dry_run: bool,
    yes: bool,
    file: Path | None,
    database: str | None,
    hub: str | None,
    format_: str,
) -> None:
    """Forget a person of a hub: erase their sessions, or take their name off them.

    Names are exact. What they were invited to they belong to no longer. Months that have become totals have no names in
    them, and stay as they are.
    """
    from ..ledger.forgetting import Forgetting

    settings = settings_in(file)
    name = hub or settings.usage.hub_name
    with ledger_at(settings, database, timeout=TIMEOUT) as ledger:
        forgetting = Forgetting(ledger, name)
        with under_way("Looking for sessions"):
            rows = forgetting.rows(user)
        if not rows:
            raise CalledWrongly(_nothing(user, name, forgetting.alike(user)))
        if dry_run:
            click.echo(printed({"user": user, "hub": name, "found": _counts(rows)}, format_), nl=False)
            return
        if rows.running and not even_if_running:
            raise click.ClickException(
                f"A server of {user[:64]!r} runs, or its end was not seen yet. Stop it and try again, or say "
                "--even-if-running; the hub would then count what is left of it as a session of its own."
            )
        if not yes:
            click.confirm(_question(user, name, rows, keep_hours), abort=True, err=True)
        with under_way("Taking the name off" if keep_hours else "Erasing"):
            done = forgetting.unname(user) if keep_hours else forgetting.erase(user)
    click.echo(printed(_done(user, name, done), format_), nl=False)
    for sentence in _left(done, keep_hours, str(ledger.engine.dialect.name)):
        click.echo(sentence, err=True)


def _nothing(user: str, hub: str, alike: list[str]) -> str:
    guess = f" Did you mean {', '.join(map(repr, alike))}? Letter case matters." if alike else ""
    return f"The ledger holds nothing of {user[:64]!r} on the hub {hub[:64]!r}.{guess}"


def _question(user: str, hub: str, rows: "Rows", keep_hours: bool) -> str:
    what = "Take the name off" if keep_hours else "Erase"
    return f"{what} {rows.sessions} sessions of {user[:64]!r} on the hub {hub!r}? This cannot be undone."


def _counts(rows: "Rows") -> dict[str, int]:
    return asdict(rows)


def _done(user: str, hub: str, done: "Forgotten") -> dict[str, Any]:
    named = {"kept_as": done.name} if done.name else {}
    return {"user": user, "hub": hub, "forgotten": _counts(done.rows), **named}


def _left(done: "Forgotten", keep_hours: bool, database: str) -> list[str]:
    """What the person should be told is still somewhere."""
    left = []
    if keep_hours and done.rows.written_in:
        left.append(
            f"The name also stands in the image, the choices or the groups of {done.rows.written_in} of these "
            "sessions, which stay as they are."
        )
    if done.rows.notes:
        left.append(f"It also stands in the notes of {done.rows.notes} invitations, which stay as they are.")
    if database == "postgresql":
        left.append("PostgreSQL takes what was removed out of its files at its next vacuum, and later out of its log.")
    elif not done.overwritten:
        left.append(
            "What was removed is still in free parts of SQLite's file, or in its log, as somebody else uses them now: "
            "with the hub stopped, `sqlite3 FILE VACUUM` writes the file anew."
        )
    left.append(
        "Not reached: files that were made already, backups, logs, stored metrics, JupyterHub's own database, volumes."
    )
    return left
