"""Puts the files of a month's report into a folder, once, after the month has ended.

What was written is remembered in the folder itself, in a hidden file: whoever takes files away to somewhere else does
not get them again. Files come into being whole, by a rename.
"""

from __future__ import annotations

import logging
import os
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from .branding import Branding
from .ledger.month_figures import MonthFigures
from .ledger.past_months import KNOWN, LeftOut, NotKeptError
from .report_files import file_of
from .report_settings import DIMENSIONS, ReportSettings
from .reports import Asked, report
from .sessions import Month
from .sums import Days, Scope
from .usage_service import time_zone

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from .ledger.store import Ledger
    from .report_settings import By
    from .reports import Report
    from .sums import Attribution, Dimension
    from .usage_service import UsageSettings

    Ask = Callable[[Callable[[Ledger], list[Path]]], Awaitable[list[Path]]]

log = logging.getLogger(__name__)

MOST_MONTHS = 12
"""How many months are caught up with; the ledger keeps 13."""


def month_report(
    ledger: Ledger,
    usage: UsageSettings,
    month: Month,
    now: datetime,
    *,
    by: tuple[By, ...] | None = None,
    attribution: Attribution | None = None,
    fewest: int | None = None,
    communities: Collection[str] | None = None,
) -> Report:
    """Return the report of a month, as the settings have it but for what is given.

    ``communities`` narrows it to sessions started for them. If there is but one, the settings' tables are then not by
    community, nor by group: its report is for its leads, and other groups of its members are not theirs to know. Where
    sessions are no longer kept, they are not by choice nor by image, and whoever was left out when they went is.

    Raises ``sqlalchemy.exc.SQLAlchemyError`` when the database does not answer, and ``NotKeptError`` for tables and
    communities of which nothing is kept.
    """
    settings = ReportSettings.model_validate(usage.reports)
    figures = MonthFigures(ledger, usage.hub)
    only = None if communities is None else frozenset(communities)
    named = frozenset({*usage.service_users, *settings.without.users})
    scope = figures.without(Scope(communities=only, without=named), settings.without.groups, month)
    found = figures.read(month, time_zone(usage.time_zone), now, scope=scope)
    # Read after the figures: sessions that go meanwhile do not come back.
    past = figures.past(month, scope)
    tables = _tables(settings, only) if by is None else by
    without = LeftOut.of(settings.without)
    if past is not None:
        found, without = past.figures, past.without
        tables = _only_by(tables, KNOWN)
        if by is not None and tables != by:
            known = f"{', '.join(KNOWN[:-1])} and {KNOWN[-1]}"
            raise NotKeptError(f"of {month} there are only tables by {known}, since its sessions are no longer kept")
    asked = Asked(
        hub=usage.hub,
        title=usage.title,
        time_zone=usage.time_zone,
        month=month,
        by=tables,
        attribution=attribution or settings.report_attribution,
        communities=None if only is None else tuple(sorted(only)),
        without_users=without.users,
        without_groups=without.groups,
        prices=settings.prices,
        fewest=settings.fewest_people if fewest is None else fewest,
        titles={"community": usage.communities, "profile": usage.profiles},
    )
    return report(asked, found, now)


def _tables(settings: ReportSettings, communities: Collection[str] | None) -> tuple[By, ...]:
    if communities is None or len(communities) > 1:
        return settings.by
    return _only_by(settings.by, [each for each in DIMENSIONS if each not in ("community", "group")])


def _only_by(tables: tuple[By, ...], dimensions: Collection[Dimension]) -> tuple[By, ...]:
    """Return the tables by these dimensions alone, each once."""
    narrowed = (tuple(each for each in by if each in dimensions) for by in tables)
    return tuple(dict.fromkeys(by for by in narrowed if by))


class ReportDrop:
    """The folder of a hub's reports. All but ``drop`` blocks."""

    def __init__(self, usage: UsageSettings) -> None:
        self.usage = usage
        self.settings = ReportSettings.model_validate(usage.reports)
        self.zone = time_zone(usage.time_zone)
        self.folder = Path(self.settings.report_folder)
        self._name = re.sub(r"[^A-Za-z0-9-]+", "-", usage.hub).strip("-") or "hub"
        self._told = ""

    @property
    def enabled(self) -> bool:
        """Whether there is a folder to write to."""
        return bool(self.settings.report_folder)

    async def drop(self, ask: Ask) -> list[Path]:
        """Write what is due; return the files. Called now and then, and never raises.

        ``ask`` calls what it is given with the ledger, off the event loop, and returns what that returns. What goes
        wrong is logged once, and is tried again by the next call.
        """
        if not self.enabled:
            return []
        now = datetime.now(UTC)
        try:
            written = await ask(lambda ledger: self.write_due(ledger, now))
        except Exception as error:
            sentence = f"{type(error).__name__}: {str(error).partition(chr(10))[0][:200]}"
            if sentence != self._told:
                log.warning(
                    "The monthly report cannot be written to %s (%s). It is tried again.", self.folder, sentence
                )
            self._told = sentence
            return []
        self._told = ""
        for path in written:
            log.info("Wrote the report %s", path)
        return written

    def write_due(self, ledger: Ledger, now: datetime) -> list[Path]:
        """Write the files of each month that is due; return those written. Raises what the disk and database raise."""
        written: list[Path] = []
        for month in self.due(now):
            counted_until = MonthFigures(ledger, self.usage.hub).counted_until()
            if counted_until is None or counted_until < Days.month(month).window(self.zone).end:
                break  # the last sessions of the month are not in the figures yet
            written += self.write(ledger, month, now)
        return written

    def due(self, now: datetime) -> list[Month]:
        """Return the months that have ended and are not written yet: since the last that was, or else the last only."""
        # Servers that ended at the last moment are counted a little later.
        last = Month.of(now - timedelta(hours=1), self.zone).plus(-1)
        try:
            done = Month.parse(self._marker.read_text(encoding="ascii").strip())
        except (FileNotFoundError, ValueError):
            return [last]
        first = max(done.plus(1), last.plus(1 - MOST_MONTHS))
        months = []
        while first <= last:
            months.append(first)
            first = first.plus(1)
        return months

    def write(self, ledger: Ledger, month: Month, now: datetime) -> list[Path]:
        """Write the files of a month that do not exist, and remember that it was written."""
        self.folder.mkdir(parents=True, exist_ok=True)
        missing = {
            format_: path
            for format_ in self.settings.report_formats
            if not (path := self.folder / f"usage-{self._name}-{month}.{format_}").exists()
        }
        if missing:
            made = month_report(ledger, self.usage, month, now)
            branding = Branding.model_validate(self.usage.branding)
            # All are made before the first is written, so that a failure leaves none of them alone.
            files = {path: file_of(made, format_, branding) for format_, path in missing.items()}
            for path, content in files.items():
                _put(path, content)
        _put(self._marker, f"{month}\n".encode())
        return list(missing.values())

    @property
    def _marker(self) -> Path:
        return self.folder / f".usage-{self._name}-written"


def _put(path: Path, content: bytes) -> None:
    """Write a file so that nobody ever sees a part of it."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        with suppress(FileNotFoundError):
            unfinished.unlink()
