"""Quotas while servers run: owners are told in time, and what has used all of a limit is stopped after a grace."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from hub_extensions import quota_words
from hub_extensions.end_reasons import EndReason
from hub_extensions.ledger.metrics import QUOTA_STOPS

from .quotas import QuotaCheck

if TYPE_CHECKING:
    from hub_extensions.balances import Balance

QUOTA_NOTICE = "https://hub-extensions.readthedocs.io/events/quota-notice"
_SCHEMA = {
    "$id": QUOTA_NOTICE,
    "version": "1",
    "title": "Quota notice",
    "description": "The owner of a running server was told that little or nothing is left of what they may use.",
    "type": "object",
    "required": ["username", "servername", "text"],
    "properties": {
        "username": {"type": "string"},
        "servername": {"type": "string", "description": "Empty for the default server."},
        "text": {"type": "string", "description": "What they were told."},
        "stops_at": {"type": "string", "description": "When the server is going to be stopped, in ISO 8601."},
    },
}
_REGISTERED = "hub_extensions_quota_notices"  # key in the hub's settings
_STOPS_AT = "quota_stops_at"  # key in the spawner's state


class QuotaWatch(QuotaCheck):
    """Put this before a Spawner class, to follow servers that use what is limited as long as they run.

    The ledger is asked when a bound can be reached at the earliest, and after `longest_look` at the latest, when a
    group or a setting may have changed.
    """

    shortest_look = timedelta(seconds=15)
    longest_look = timedelta(minutes=10)

    quota_notice = ""
    """What the server's owner is told now, on the home page; empty if nothing."""

    quota_stops_at: datetime | None = None

    _said = ""
    _watching: asyncio.Task[None] | None = None
    _ending: asyncio.Task[None] | None = None

    def start_polling(self) -> None:
        """Follow the server too: JupyterHub calls this for each one that runs, also after the hub was restarted."""
        super().start_polling()
        self._unwatch()
        if self.quotas and not self.is_of_program:
            self._watching = asyncio.create_task(self._watch())

    def stop_polling(self) -> None:
        """Stop following."""
        super().stop_polling()
        self._unwatch()

    def get_state(self) -> dict[str, Any]:
        """Keep the moment of which the owner was told, so that a restarted hub gives no second grace."""
        state: dict[str, Any] = super().get_state()
        return {**state, _STOPS_AT: self.quota_stops_at.isoformat()} if self.quota_stops_at else state

    def load_state(self, state: dict[str, Any]) -> None:
        """Find that moment again."""
        super().load_state(state)
        at = state.get(_STOPS_AT)
        self.quota_stops_at = datetime.fromisoformat(at) if at else None

    def clear_state(self) -> None:
        """Forget it with the server."""
        super().clear_state()
        self.quota_stops_at = None
        self.quota_notice = self._said = ""

    def _unwatch(self) -> None:
        if self._watching:
            self._watching.cancel()
            self._watching = None

    async def _watch(self) -> None:
        # A moment for what has just started to be in the ledger.
        wait = self.shortest_look
        while True:
            await asyncio.sleep(wait.total_seconds())
            try:
                wait = await self._look(datetime.now(UTC))
            except Exception:
                self.log.exception("What %s uses cannot be watched just now", self._log_name)
                wait = self.longest_look

    async def _look(self, now: datetime) -> timedelta:
        """Tell or stop as what is left asks for. Return after how long to look again."""
        standing = await self.quota_standing(self._person())
        if standing.balances is None or not self.ready:
            return self.shortest_look
        mine = [each for each, rate in zip(standing.balances, standing.rates, strict=True) if rate]
        spent = [each for each in mine if each.is_spent and each.allowance.grace is not None]
        if spent:
            return self._spent(spent, now)
        if self.quota_stops_at:
            self._keep_stop(None)
        titles, zone = self.communities, self._zone()
        self._tell(" ".join(quota_words.left(each, zone, titles) for each in mine if each.is_low))
        moments = [at - now for each in mine if (at := each.reaches_next(now))]
        return max(self.shortest_look, min([self.longest_look, *moments]))

    def _spent(self, spent: list[Balance], now: datetime) -> timedelta:
        at = self.quota_stops_at
        if at is None:
            at = now + min(each.allowance.grace for each in spent if each.allowance.grace is not None)
            self._keep_stop(at)
        self._tell(quota_words.stopping(spent, at, self._zone(), self.communities), at)
        if now < at:
            return min(self.longest_look, max(self.shortest_look, at - now))
        if self._ending is None and not self.pending:
            # A task of its own: the stop ends the watch, and must not end itself with it.
            self._ending = asyncio.create_task(self._end())
        return self.longest_look

    async def _end(self) -> None:
        user, name = self.user, self.name
        self.log.warning("%s is stopped: its owner has used all that they may use", self._log_name)
        self._stop_pending = True  # as in JupyterHub's own stop: nobody else begins one meanwhile
        try:
            await user.settings["proxy"].delete_user(user, name)
            QUOTA_STOPS.inc()
            self.session.ends(EndReason.QUOTA)
            await user.stop(name)
        except Exception:
            self.log.exception("%s has used its owner's quota, and cannot be stopped", self._log_name)
        finally:
            self._stop_pending = False
            self._ending = None

    def _keep_stop(self, at: datetime | None) -> None:
        self.quota_stops_at = at
        self.orm_spawner.state = self.get_state()
        self.db.commit()

    def _tell(self, text: str, stops_at: datetime | None = None) -> None:
        """Show a sentence to the server's owner, and emit the first of its kind as an event: the amounts change."""
        kind = "stops" if stops_at else "low" if text else ""
        said, self._said, self.quota_notice = self._said, kind, text
        if kind in ("", said):
            return
        events = self.user.settings["eventlog"]
        if not self.user.settings.get(_REGISTERED):
            self.user.settings[_REGISTERED] = True
            events.register_event_schema(_SCHEMA)
        told = {"username": self.user.name, "servername": self.name, "text": text}
        events.emit(schema_id=QUOTA_NOTICE, data=told | ({"stops_at": stops_at.isoformat()} if stops_at else {}))
