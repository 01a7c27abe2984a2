"""Invitations at login: the database is asked off the event loop and in bounded time, and may be away."""

from __future__ import annotations

import asyncio
import functools
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError
from traitlets import Float, Integer, TraitError, Unicode, default, validate
from traitlets.config import LoggingConfigurable

from hub_extensions import groups as group_names
from hub_extensions.invitations import KEY_VARIABLE, NOT_OURS, Invitation, Person, signing_key, with_invitations
from hub_extensions.ledger import Ledger, UsageLedger
from hub_extensions.ledger.invitations import InvitationStore

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from hub_extensions.identities import Identity

T = TypeVar("T")

AWAY = "Invitations cannot be looked up just now. If you come by one, please try again in a few minutes."


class AwayError(Exception):
    """The database of the invitations cannot be asked now; why is in the log."""


@dataclass
class Visit:
    """A login or a refresh of somebody: the invitation they bring, and what has been found of it so far.

    `groups_of` answers with the names of the groups that the hub knows of a user. `invitation` is set once it is known
    to be good; `refused` if it is not; `away` if that could not be found out.
    """

    token: str = ""
    groups_of: Callable[[str], Iterable[str]] = lambda _name: ()
    invitation: Invitation | None = None
    refused: bool = False
    away: bool = False
    found: dict[Person, tuple[frozenset[str], str]] = field(default_factory=dict)


_visit: ContextVar[Visit | None] = ContextVar("visit", default=None)


@contextmanager
def visit(token: str = "", groups_of: Callable[[str], Iterable[str]] | None = None) -> Iterator[Visit]:
    """Note what somebody brings, for everything that is decided of them inside the block."""
    current = _visit.get()
    if current is not None:  # one authenticator may call another
        yield current
        return
    begun = Visit(token, groups_of or (lambda _name: ()))
    reset = _visit.set(begun)
    try:
        yield begun
    finally:
        _visit.reset(reset)


class Invitations(LoggingConfigurable):
    """Where an authenticator asks for invitations. They are in the database of `UsageLedger`, under its `hub_name`."""

    secret = Unicode(
        config=True,
        help=f"""
        What invitations are signed with, of at least 32 bytes; by default from the environment variable
        `{KEY_VARIABLE}`, or else a secret that the database keeps. Whoever makes invitations needs the same one: the
        usage service is given the variable by `configure`, and `hub-extensions invite` reads it.

        With another secret all links that have not been used stop working; who has joined stays.
        """,
    )
    timeout = Float(
        5, min=0.1, config=True, help="How long a login may wait for the database of the invitations, in seconds."
    )
    outage_pause = Float(
        5, min=0, config=True, help="For how many seconds the database is not asked again after it did not answer."
    )
    stale_membership_limit = Integer(
        24 * 3600,
        min=0,
        config=True,
        help="For how long those stay members who came by an invitation, while the database does not answer; seconds.",
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ledger = UsageLedger(parent=self)
        self._known: dict[Person, frozenset[str]] = {}
        self._paused_until = 0.0
        self._away_since: float | None = None

    @default("secret")
    def _secret_default(self) -> str:
        return os.environ.get(KEY_VARIABLE, "")

    @validate("secret")
    def _check_secret(self, proposal: Any) -> str:
        if proposal["value"]:
            try:
                signing_key(proposal["value"])
            except ValueError as error:
                raise TraitError(f"Invitations.secret: {error}") from None
        return str(proposal["value"])

    async def added_to(self, identity: Identity, inviting: Collection[str]) -> Identity:
        """The identity with what is known of the person's invitations; `inviting` are the communities that take them.

        While the database is away, what it said last holds, and an invitation that somebody brings counts for nothing.
        """
        if not inviting or not self.ledger.enabled:
            return identity
        current = _visit.get() or Visit()
        person = Person.of(identity)
        if person not in current.found:
            current.found[person] = await self._find(person, current, inviting)
        joined, refusal = current.found[person]
        return with_invitations(identity, joined, refusal)

    async def look_up(self, token: str) -> Invitation | None:
        """The invitation of a link, None if it is none of this hub. Raises AwayError."""
        return await self.ask(lambda store: store.look_up(token)) if self.ledger.enabled else None

    async def redeem(self, invitation: Invitation, person: Person) -> str:
        """Write that a person joins; answer why they cannot, or "". Raises AwayError."""
        refusal = await self.ask(lambda store: store.redeem(invitation.id, person, datetime.now(UTC)))
        if not refusal:
            self._known[person] = self._known.get(person, frozenset()) | {invitation.community}
        return refusal

    async def withdrawn(self, user_name: str, since: datetime | None) -> frozenset[str]:
        """The communities that a user came to by invitations that were all withdrawn, after `since`.

        Nothing while the database is away: who is a member stays one.
        """
        if not self.ledger.enabled:
            return frozenset()
        try:
            gone = await self.ask(lambda store: store.withdrawn(user_name))
        except AwayError:
            return frozenset()
        return frozenset(community for community, at in gone.items() if since is None or at > since)

    async def ask(self, question: Callable[[InvitationStore], T]) -> T:
        """Ask the database in a thread. Raises AwayError when it does not answer in time, or did not a moment ago."""
        if time.monotonic() < self._paused_until:
            raise AwayError
        try:
            store, threads = _store(self.ledger.database, self.ledger.hub_name, self.secret, self.timeout)
            working = asyncio.get_running_loop().run_in_executor(threads, question, store)
            answer = await asyncio.wait_for(working, self.timeout)
        except (SQLAlchemyError, CommandError, TimeoutError, OSError) as error:
            why = str(error).partition("\n")[0][:300] or type(error).__name__
            self.log.warning("The invitations cannot be read (%s). Who is a member stays one.", why)
            self._paused_until = time.monotonic() + self.outage_pause
            if self._away_since is None:
                self._away_since = time.monotonic()
            raise AwayError from error
        self._away_since = None
        return answer

    async def _find(self, person: Person, current: Visit, inviting: Collection[str]) -> tuple[frozenset[str], str]:
        token, now = current.token, datetime.now(UTC)
        try:
            joined, invitation = await self.ask(
                lambda store: (store.joined(person), store.look_up(token) if token else None)
            )
        except AwayError:
            current.away = True
            return self._held(person, current, inviting), ""
        self._known[person] = joined
        if not token or (invitation and invitation.community in joined):
            return joined, ""
        refusal = NOT_OURS if invitation is None else _refusal(invitation, person, inviting, now)
        current.refused = bool(refusal)
        if refusal or invitation is None:
            return joined, refusal
        current.invitation = invitation
        return joined | {invitation.community}, ""

    def _held(self, person: Person, current: Visit, inviting: Collection[str]) -> frozenset[str]:
        """What holds while the database is away: what it said last, or else, after a restart, the person's groups."""
        if self._away_since and time.monotonic() - self._away_since > self.stale_membership_limit:
            return frozenset()
        if person in self._known:
            return self._known[person]
        mine = group_names.keys(current.groups_of(person.user_name))
        return frozenset(community for community in inviting if group_names.key(community) in mine)


def _refusal(invitation: Invitation, person: Person, inviting: Collection[str], now: datetime) -> str:
    return invitation.refusal_of(person, now) or not_taken(invitation, inviting)


def not_taken(invitation: Invitation, inviting: Collection[str]) -> str:
    """Why a community has no use for an invitation to it; "" if it has."""
    if invitation.community in inviting:
        return ""
    return f"{invitation.community} does not admit people by invitation any more."


@functools.cache
def _store(database: str, hub: str, secret: str, timeout: float) -> tuple[InvitationStore, ThreadPoolExecutor]:
    # Several authenticators of one hub share connections. Statements end before whoever waits gives up, so that no
    # thread works for nobody.
    store = InvitationStore(Ledger(database, timeout=0.8 * timeout), hub, secret)
    return store, ThreadPoolExecutor(4, thread_name_prefix="invitations")
