"""Once a day: sessions that are no longer kept become sums, and go, and the database looks how it is filled."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hub_extensions.keeping import Keeping
from hub_extensions.ledger import Ledger
from hub_extensions.ledger.month_figures import MonthFigures
from hub_extensions.ledger.past_months import LeftOut
from hub_extensions.ledger.retention import Retention
from hub_extensions.report_settings import ReportSettings
from hub_extensions.sums import Scope
from hub_extensions.usage_service import time_zone

if TYPE_CHECKING:
    from collections.abc import Collection

    from hub_extensions.sessions import Month
    from hub_extensions.usage_service import UsageSettings

log = logging.getLogger(__name__)

_FIRST_BEATS = 5  # the start of a hub has other things to do
_DAY_SECONDS = 24 * 60 * 60.0
_STATEMENT_SECONDS = 60.0


class LettingGo:
    """Lets go of old sessions as the settings say, in a thread of its own.

    ``first`` and ``every`` are seconds; left out, it begins when the service has asked the hub some times.
    """

    def __init__(self, usage: UsageSettings, *, first: float | None = None, every: float = _DAY_SECONDS) -> None:
        self.usage = usage
        self.first = _FIRST_BEATS * usage.beat_seconds if first is None else first
        self.every = every
        self._stopped = threading.Event()

    async def run(self) -> None:
        """Do so until cancelled; a step that is being made then is the last. Nothing else ends it."""
        try:
            await asyncio.sleep(self.first)
            while True:
                await self._once()
                await asyncio.sleep(self.every)
        finally:
            self._stopped.set()

    async def _once(self) -> None:
        working = asyncio.get_running_loop().run_in_executor(None, self.let_go, datetime.now(UTC))
        try:
            await asyncio.shield(working)
        except asyncio.CancelledError:
            self._stopped.set()
            with contextlib.suppress(Exception):
                await working
            raise
        except Exception as error:
            log.warning("Old sessions stay for now: %s: %s", type(error).__name__, str(error).partition("\n")[0][:300])

    def let_go(self, now: datetime) -> None:
        """Let go of what need not be kept at ``now``. Raises as `Retention` does, and ``ValueError``."""
        ledger = Ledger(self.usage.database, timeout=_STATEMENT_SECONDS)
        try:
            ledger.migrate()
            ledger.analyze()
            zone = time_zone(self.usage.time_zone)
            settings = ReportSettings.model_validate(self.usage.reports)
            figures = MonthFigures(ledger, self.usage.hub)
            named = Scope(without=frozenset({*self.usage.service_users, *settings.without.users}))

            def left_out(month: Month) -> Collection[str]:
                return figures.without(named, settings.without.groups, month).without

            without = LeftOut.of(settings.without)
            gone = Retention(ledger, self.usage.hub, zone, left_out=left_out, without=without).let_go(
                now, Keeping.parse(self.usage.keep_sessions), stopped=self._stopped.is_set
            )
        finally:
            ledger.dispose()
        if gone.sessions:
            log.info(
                "%d sessions, and the names of %d people, are no longer kept; %d months are now sums.",
                gone.sessions,
                gone.people,
                gone.months,
            )
