"""Quotas at the door: what a person has left, told on the page, and the refusal where nothing is left."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from traitlets import Dict, List, Unicode, validate

from hub_extensions import balances, quota_words, user_names
from hub_extensions.checked_traits import checked
from hub_extensions.ledger.metrics import UNCOUNTED_STARTS
from hub_extensions.mistakes import validated
from hub_extensions.quotas import Quotas, allowances
from hub_extensions.usage_service import time_zone as zone_of

from .hook_chain import HookChain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hub_extensions.balances import Balance
    from hub_extensions.profiles import Person
    from hub_extensions.quotas import Allowance, Counting
    from hub_extensions.sessions import Session

    from .session import SessionRecord

UNKNOWN = "There is a limit to what you may use. How much is left is not known just now; you can start all the same."


@dataclass(frozen=True)
class Standing:
    """The limits that hold for a person now, and what they have used of them; None if the ledger does not say."""

    allowances: list[Allowance]
    balances: list[Balance] | None
    rates: list[Fraction] = field(default_factory=list)
    """What this server, which runs, uses of each in an hour."""


@dataclass(frozen=True)
class Told:
    """What a person is told: sentences, each with whether little is left; and by what their choices are counted."""

    lines: list[tuple[str, bool]]
    countings: list[Counting]


class QuotaCheck(HookChain):
    """Put this before a Spawner class, to refuse starts of people who have used all that they may use."""

    quotas = List(
        Dict(),
        config=True,
        help="""
        How much of a resource each person may use in how long::

            c.ProfileSpawner.quotas = [
                {"groups": ["ocean-lab"], "resource": "memory", "limit": "500 GiB-hours", "window": "30 days"},
                {"otherwise": True, "resource": "memory", "limit": "50 GiB-hours", "window": "month"},
                {"resource": "gpu", "limit": "20 GPU-hours", "window": "week", "weights": {"a100": 4}},
            ]

        An entry is for members of any of its `groups` (`*` stands for any text) and for its `users`; or for members of
        its `communities`, whose sessions alone it then counts; or for everybody; or, with `otherwise`, for people to
        whom no other entry of its resource applies. Each person has the limit for themselves. `resource` is `memory`,
        `cpu`, `gpu` or `hours`; `limit` an amount of `GiB-hours`, `CPU-hours`, `GPU-hours` or `hours`; `window` a time
        that rolls, such as `30 days`, or `day`, `week` or `month` of the calendar in `time_zone`.

        Where several entries of one resource, window and weights apply, `intersection` says which limit holds: their
        `min` (the default), `max` or `sum`. `weights` say by the slug of a profile what an hour of it counts.
        `exceptions` are other limits for single people: `{"user": "ada", "limit": "unlimited", "until": "2026-12-31",
        "reason": "thesis"}`. From `warn_at` (80 %) on, people are told that little is left.

        They are counted from the usage ledger (`c.UsageLedger.database`), by what servers were given: the guarantee, or
        the limit where nothing is guaranteed. A start is refused when nothing is left of what the server would use.
        With `when_spent: stop` running servers that use it are stopped too, `grace` (30 minutes) after their owner was
        told on the home page and by an event of the hub's event log. A ledger that does not answer refuses and stops
        nobody; `hub_extensions_quota_uncounted_starts_total` at `/hub/metrics` counts the starts that it let through.
        """,
    )

    service_users = List(
        Unicode(),
        config=True,
        help="Users that are programs, such as a health check: no quota holds for them, and their use is not counted.",
    )

    @property
    def is_of_program(self) -> bool:
        """Whether the server belongs to a service user."""
        return user_names.is_among(self.user.name, self.service_users)

    # What ProfileSpawner has.
    session: SessionRecord
    time_zone: str

    @validate("quotas")
    def _quotas_are_valid(self, proposal: Any) -> Any:
        return checked(Quotas, proposal)

    async def quota_standing(self, person: Person) -> Standing:
        """What holds for a person; it asks the ledger only if something does."""
        if not self.quotas or self.is_of_program:
            return Standing([], [])
        now, zone = datetime.now(UTC), self._zone()
        found = allowances(validated(Quotas, self.quotas, "quotas"), person, now, zone)
        if not found:
            return Standing([], [])
        running = {server.session.id for server in self.user.spawners.values() if server.active}

        def counted(sessions: list[Session]) -> Standing:
            sessions = balances.ended_when_last_seen(sessions, running)
            mine = [each for each in sessions if each.id == self.session.id]
            return Standing(
                found,
                [balances.balance(allowance, sessions, now, zone) for allowance in found],
                [sum((balances.rate(allowance.counting, each) for each in mine), Fraction()) for allowance in found],
            )

        start = balances.since(found, now, zone)
        return await self.session.ledger.count(person.user_name, start, now, counted) or Standing(found, None)

    async def why_spent(self, person: Person, server: Session, titles: Mapping[str, str]) -> str:
        """Why a server may not start, in words: nothing is left of what it would use; "" if it may.

        `titles` are those of communities.
        """
        standing = await self.quota_standing(person)
        if standing.balances is None:
            UNCOUNTED_STARTS.inc()
            return ""
        spent = [each for each in standing.balances if each.is_spent and balances.rate(each.allowance.counting, server)]
        return quota_words.spent(spent, self._zone(), titles)

    async def quota_told(self, person: Person, titles: Mapping[str, str]) -> Told:
        """What the page says to a person."""
        standing = await self.quota_standing(person)
        countings = [allowance.counting for allowance in standing.allowances]
        if standing.balances is None:
            return Told([(UNKNOWN, False)], countings)
        lines = [(quota_words.left(each, self._zone(), titles), each.is_low) for each in standing.balances]
        return Told(lines, countings)

    def _zone(self) -> tzinfo:
        return zone_of(self.time_zone)
