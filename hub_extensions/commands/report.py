"""`hub-extensions report`: what a hub was used for in a month, as a file."""

import os
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from ..report_settings import FORMATS, By, Format, parse_by, plain
from ..sessions import Month
from ..sums import Attribution
from ..usage_service import DATABASE_VARIABLE, SETTINGS_VARIABLE, UsageSettings, time_zone
from .database import migrate, settings_in
from .mistaken_call import CalledWrongly
from .progress import under_way

if TYPE_CHECKING:
    from ..branding import Branding
    from ..ledger import Ledger

EPILOG = """\b
Example: October by community, and by profile within each, as a page:

\b
  hub-extensions report --settings hub.yaml --month 2026-10 \\
      --by community --by community,profile --format html --output october.html

\b
Run it where the hub's database can be reached. Figures of fewer people than
usage.fewest_people (5) are shown together with others; nobody is named.
"""


def _month(_context: click.Context, _parameter: click.Parameter, text: str | None) -> Month | None:
    try:
        return Month.parse(text) if text else None
    except ValueError as error:
        raise CalledWrongly(f"--month: {error}.") from None


def _by(_context: click.Context, _parameter: click.Parameter, texts: tuple[str, ...]) -> tuple[By, ...]:
    try:
        return tuple(dict.fromkeys(parse_by(text) for text in texts))
    except ValueError as error:
        raise CalledWrongly(f"--by: {error}") from None


@click.command(name="report", epilog=EPILOG)
@click.option("--month", metavar="YYYY-MM", callback=_month, help="Which month (the last one that is over).")
@click.option(
    "--by",
    metavar="A,B",
    multiple=True,
    callback=_by,
    help="A table by community, group, profile, choice or image, or by several of them; again for more tables.",
)
@click.option("--format", "format_", type=click.Choice(FORMATS), default="csv", show_default=True, help="What to make.")
@click.option("--output", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="Where to write it.")
@click.option("--community", "communities", metavar="NAME", multiple=True, help="Only sessions for it; repeatable.")
@click.option("--attribution", type=click.Choice(get_args(Attribution)), help="How sessions count for groups (full).")
@click.option("--fewest-people", type=click.IntRange(0, 1000), help="Show no figures of fewer people; 0 shows all.")
@click.option(
    "--settings", "--config", "file", metavar="FILE", type=click.Path(path_type=Path), help="The hub's settings."
)
@click.option("--database", help=f"Database of the hub, if not in the settings.  [env: {DATABASE_VARIABLE}]")
@click.option("--hub", help="Name of the hub in the database, if not in the settings (hub).")
def command(
    month: Month | None,
    by: tuple[By, ...],
    format_: Format,
    output: Path | None,
    communities: tuple[str, ...],
    attribution: Attribution | None,
    fewest_people: int | None,
    file: Path | None,
    database: str | None,
    hub: str | None,
) -> None:
    """Report what a hub was used for in a month: people, sessions, hours, estimated cost.

    Who is left out, prices and tables (community; profile) are those of the settings. What is missing is said in it.
    """
    from alembic.util import CommandError
    from sqlalchemy.exc import SQLAlchemyError

    from ..ledger.past_months import NotKeptError
    from ..report_drop import month_report
    from ..report_files import file_of

    usage = _usage(file, database, hub)
    _check_communities(communities, usage)
    now = datetime.now(UTC)
    try:
        ledger = _ledger(usage.database)
        usage = _counted(ledger, usage, now, in_settings=file is not None)
        with under_way("Making the report"):
            made = month_report(
                ledger,
                usage,
                month or Month.of(now, time_zone(usage.time_zone)).plus(-1),
                now,
                by=by or None,
                attribution=attribution,
                fewest=fewest_people,
                communities=communities or None,
            )
            content = file_of(made, format_, _branding(usage, communities))
    except NotKeptError as error:
        raise CalledWrongly(f"This cannot be told any more: {error}.") from None
    except (SQLAlchemyError, CommandError, OSError) as error:
        raise click.ClickException(f"The database does not answer: {str(error).splitlines()[0]}") from None
    _write(content, output)


def _usage(file: Path | None, database: str | None, hub: str | None) -> UsageSettings:
    if file is None and not database and SETTINGS_VARIABLE in os.environ:
        return UsageSettings.read(os.environ)  # what the hub tells its usage service
    from ..catalogue import names_of

    settings = settings_in(file)
    url = database or settings.usage.database or os.environ.get(DATABASE_VARIABLE, "")
    if not url:
        raise CalledWrongly("Where is the hub's database? Give --settings or --database sqlite:///usage.sqlite.")
    return UsageSettings(
        database=url,
        hub=hub or settings.usage.hub_name,
        title=settings.hub.title,
        time_zone=settings.usage.time_zone,
        communities={name: community.title or name for name, community in settings.communities.items()},
        branding=settings.branding.model_dump(mode="json"),
        community_branding={
            name: community.branding.model_dump(mode="json") for name, community in settings.communities.items()
        },
        profiles=names_of(settings.profiles),
        service_users=settings.hub.service_users,
        reports=plain(settings.usage),
    )


def _branding(usage: UsageSettings, communities: tuple[str, ...]) -> "Branding":
    from ..branding import Branding, of_community

    hub = Branding.model_validate(usage.branding)
    own = usage.community_branding.get(communities[0]) if len(set(communities)) == 1 else None
    return of_community(Branding.model_validate(own), hub) if own else hub


def _check_communities(names: tuple[str, ...], usage: UsageSettings) -> None:
    from ..mistakes import did_you_mean

    for name in names:
        if usage.communities and name not in usage.communities:
            advice = did_you_mean(name, usage.communities)
            raise CalledWrongly(f"The settings have no community {name[:64]!r}. {advice}".strip())


def _ledger(database: str) -> "Ledger":
    from ..ledger import Ledger

    try:
        ledger = Ledger(database, timeout=60)
    except ValueError as error:
        raise CalledWrongly(str(error)) from None
    url = ledger.engine.url
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        # SQLite would make an empty one.
        raise CalledWrongly(f"There is no database {url.database}.")
    return ledger


def _counted(ledger: "Ledger", usage: UsageSettings, now: datetime, *, in_settings: bool) -> UsageSettings:
    """Count what nobody has counted yet, in the time zone of the hub; return the settings with that time zone."""
    from ..ledger.counting import Counter
    from ..ledger.month_figures import MonthFigures
    from ..mistakes import did_you_mean

    migrate(ledger)
    figures = MonthFigures(ledger, usage.hub)
    known = figures.hubs()
    if known and usage.hub not in known:
        advice = did_you_mean(usage.hub, known)
        raise CalledWrongly(f"The database has no hub {usage.hub[:64]!r}. {advice} Give --hub.")
    counted_in = figures.time_zone() or usage.time_zone
    if in_settings and counted_in != usage.time_zone:
        raise CalledWrongly(
            f"The settings say {usage.time_zone}, but the days of this hub are counted in {counted_in}. Start the hub "
            "with these settings first: its usage service counts anew."
        )
    usage = replace(usage, time_zone=counted_in)
    with under_way("Counting sessions"):
        Counter(ledger, usage.hub, time_zone(counted_in)).count_up(now)
    return usage


def _write(content: bytes, output: Path | None) -> None:
    if output is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    try:
        output.write_bytes(content)
    except OSError as error:
        raise CalledWrongly(f"{output} cannot be written: {error.strerror}.") from None
