"""`hub-extensions import`: sessions from before the ledger."""

import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

import click

from .database import database_options, ledger_at, settings_in
from .mistaken_call import CalledWrongly
from .output import format_option, printed
from .progress import Progress

if TYPE_CHECKING:
    from ..imports import BadLine, SessionKeys
    from ..ledger.importing import Imported
    from ..sessions import Session

TIMEOUT = 3600.0  # seconds: all is one transaction, which may be of a million sessions
MOST_TOLD = 1000  # lines; who has made more mistakes has made one of them often
MOST_OVERLAPS = 20
_GZIP = b"\x1f\x8b"

EPILOG = """\b
Example: see what would come in of all rotated logs, then bring it in:

\b
  hub-extensions import events.log* --settings hub.yaml --dry-run
  hub-extensions import events.log* --settings hub.yaml

\b
Files are JupyterHub's event log, as jupyter_events writes it (one JSON object
a line; the events "server-action"), or CSV with a header; rotated logs in any
order, also compressed by gzip. Give all of a log at once: a start whose stop
is in another file has no end otherwise, and counts without hours.

\b
Columns of a CSV file, in any order, of which the first three are required:
{columns}
"""


@dataclass
class _Found:
    sessions: "list[Session]"
    counts: dict[str, int]


def _epilog() -> str:
    from ..imports import COLUMNS

    return EPILOG.format(columns="\n".join(f"  {name:<13} {what}" for name, what in COLUMNS.items()))


def _zone(_context: click.Context, _parameter: click.Parameter, name: str | None) -> tzinfo | None:
    from ..usage_service import time_zone

    try:
        return time_zone(name) if name else None
    except ValueError as error:
        raise CalledWrongly(str(error)) from None


@click.command(name="import", epilog=_epilog())
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--time-zone", "zone", metavar="NAME", callback=_zone, help="Of times that have none, such as Europe/Berlin."
)
@click.option("--dry-run", is_flag=True, help="Only say what would become of them.")
@database_options
@format_option
def command(
    files: Sequence[Path],
    zone: tzinfo | None,
    dry_run: bool,
    file: Path | None,
    database: str | None,
    hub: str | None,
    format_: str,
) -> None:
    """Bring sessions into the usage ledger from JupyterHub's event log or from CSV files.

    All sessions come in, or none if a line is wrong. Doing it twice adds nothing. A session during which the ledger has
    another one of the same server is left out and told, as the same server does not run twice.
    """
    from ..imports import SessionKeys
    from ..ledger.importing import add

    settings = settings_in(file)
    keys = SessionKeys(hub or settings.usage.hub_name, datetime.now(UTC), zone)
    found = _read(files, keys)
    programs = set(settings.hub.service_users)
    sessions = [each for each in found.sessions if each.user_name not in programs]
    with (
        ledger_at(settings, database, timeout=TIMEOUT) as ledger,
        Progress("Writing sessions", len(sessions)) as progress,
    ):
        imported = add(ledger, keys.hub, sessions, dry_run=dry_run, progress=progress.at)
    told = _told(found, imported, len(found.sessions) - len(sessions))
    click.echo(printed({"hub": keys.hub, **({"dry_run": True} if dry_run else {}), **told}, format_), nl=False)
    _tell_overlaps(imported.overlapping)


def _read(files: Sequence[Path], keys: "SessionKeys") -> _Found:
    """Read all files; ends with every line that cannot be used."""
    from ..imports import EventLog, HeaderError, read_table

    log = EventLog(keys)
    sessions: list[Session] = []
    wrong: list[tuple[Path, BadLine]] = []
    for path in files:
        with _opened(path) as (text, raw), Progress(f"Reading {path.name}", path.stat().st_size) as progress:
            lines = _watched(text, raw, progress)
            try:
                if _is_log(text):
                    bad = log.read(lines)
                else:
                    rows, bad = read_table(lines, keys)
                    sessions += rows
            except HeaderError as error:
                raise CalledWrongly(f"{path} {error}.") from None
            wrong += [(path, each) for each in bad]
    if wrong:
        told = [f"{path}:{each.number}: {each.what}." for path, each in wrong[:MOST_TOLD]]
        more = len(wrong) - len(told)
        raise click.ClickException(
            "\n".join(
                [
                    f"{len(wrong)} lines cannot be used, and nothing was imported.",
                    *told,
                    *([f"… and {more} more lines."] if more else []),
                ]
            )
        )
    events = log.sessions()
    return _Found(
        [*sessions, *events],
        {
            "without_end": log.unended,
            "stops_without_start": log.unstarted,
            "other_events": log.others,
        },
    )


@contextmanager
def _opened(path: Path) -> Iterator[tuple[TextIO, BinaryIO]]:
    """The text of a file, whether compressed or not, and the file; what is not UTF-8 is refused where a name has it."""
    try:
        with path.open("rb") as raw:
            is_compressed = raw.read(2) == _GZIP
            raw.seek(0)
            plain = gzip.GzipFile(fileobj=raw) if is_compressed else raw
            yield io.TextIOWrapper(plain, encoding="utf-8-sig", errors="surrogateescape", newline=""), raw
    except (OSError, EOFError, zlib.error) as error:
        what = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise CalledWrongly(f"{path} cannot be read: {what}.") from None


def _watched(text: TextIO, raw: BinaryIO, progress: Progress) -> Iterator[str]:
    """Pass on the lines of a file."""
    for number, line in enumerate(text, 1):
        if number % 1000 == 0:
            progress.at(raw.tell())
        yield line


def _is_log(text: TextIO) -> bool:
    """Whether the first thing in a file is a JSON object, which no header is."""
    start = text.read(4096).lstrip()[:1]
    text.seek(0)
    return start == "{"


def _told(found: _Found, imported: "Imported", of_programs: int) -> dict[str, Any]:
    return {
        "sessions": len(found.sessions),
        "added": imported.added,
        "already_there": imported.known,
        "completed": imported.completed,
        "overlapping": len(imported.overlapping),
        "too_old": imported.too_old,
        "of_service_users": of_programs,
        **found.counts,
    }


def _tell_overlaps(overlapping: "Sequence[Session]") -> None:
    for each in overlapping[:MOST_OVERLAPS]:
        server = f" ({each.server_name})" if each.server_name else ""
        start, end = (f"{moment:%Y-%m-%d %H:%M:%S}" for moment in (each.ready_at, each.ended_at) if moment)
        click.echo(f"Left out: {each.user_name}{server} from {start} to {end} UTC overlaps what is there.", err=True)
    more = len(overlapping) - MOST_OVERLAPS
    if more > 0:
        click.echo(f"… and {more} more that overlap.", err=True)
