"""The page on which leads invite people into their community."""

from __future__ import annotations

import functools
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, urlencode

from tornado.web import HTTPError

from hub_extensions.invitations import LONGEST_NOTE, MOST_DAYS, MOST_USES, USUAL_DAYS, proposed
from hub_extensions.ledger.invitations import InvitationStore

from .pages import Page, RefusedError
from .reader import LedgerAwayError

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub_extensions.ledger import Ledger

T = TypeVar("T")


class CommunityInvitations(Page):
    """The invitations to a community, for its leads and for admins."""

    async def get(self, community: str) -> None:
        """List them, with who came by each."""
        self.check(community)
        await self.show_list(community)

    async def post(self, community: str) -> None:
        """Make one, whose link is shown in the answer and never again, or withdraw one."""
        self.check(community)
        match self.get_body_argument("action", ""):
            case "make":
                await self.make(community)
            case "withdraw":
                await self.withdraw(community)
            case _:
                raise HTTPError(400)

    def check(self, community: str) -> None:
        """Refuse whoever may not invite here. A community that does not exist and one of others look alike."""
        if community not in self.usage.inviting and self.access.sees(community):
            raise RefusedError(
                404,
                "This community does not admit people by invitation. The people who run this hub can change that, by "
                "a rule “invitation: true” among its members.",
            )
        if community not in self.usage.inviting or not self.access.invites(community):
            raise RefusedError(
                403,
                "Only the leads of this community may invite people into it. If you have just become one, log out of "
                "the hub and in again.",
            )

    async def make(self, community: str) -> None:
        """Make an invitation and show its link."""
        given = {name: self.get_body_argument(name, "") for name in ("uses", "days", "note")}
        try:
            uses, days = (_number(given[name]) for name in ("uses", "days"))
            ends = self.now + timedelta(days=min(days, MOST_DAYS + 1))
            invitation = proposed(
                self.usage.hub, community, self.access.user, self.now, expires_at=ends, uses=uses, note=given["note"]
            )
        except ValueError as error:
            self.set_status(400)
            await self.show_list(community, mistake=str(error), given=given)
            return
        _, token = await self.ask(lambda store: store.make(invitation))
        await self.show_list(community, link=self.link(token))

    async def withdraw(self, community: str) -> None:
        """Withdraw an invitation, and show the list again."""
        try:
            number = _number(self.get_body_argument("id", ""))
        except ValueError:
            raise HTTPError(400) from None
        if not await self.ask(lambda store: store.revoke(number, community, self.access.user, self.now)):
            raise RefusedError(404, "There is no such invitation to this community.")
        self.redirect(self.request.path, status=303)

    async def show_list(
        self, community: str, *, link: str = "", mistake: str = "", given: dict[str, str] | None = None
    ) -> None:
        """Answer with the list, below the link of an invitation that has just been made, or what kept it from that."""
        invitations = await self.ask(lambda store: store.listed(community))
        self.write_page(
            "usage/invitations.html",
            title=f"Invitations to {self.usage.communities.get(community, community)}",
            usage=f"{self.hub_auth.base_url}community/{quote(community, safe='')}",
            invitations=invitations,
            xsrf=self.xsrf_token.decode("ascii"),
            made_link=link,
            mistake=mistake,
            given=given or {"uses": "1", "days": str(USUAL_DAYS), "note": ""},
            most_uses=MOST_USES,
            most_days=MOST_DAYS,
            longest_note=LONGEST_NOTE,
        )

    def link(self, token: str) -> str:
        """The address to pass on."""
        # Where the hub has no host of its own it is on that of this page.
        host = self.hub_auth.hub_host or f"{self.request.protocol}://{self.request.host}"
        return f"{host}{self.hub_auth.hub_prefix}invitation?{urlencode({'token': token})}"

    async def ask(self, question: Callable[[InvitationStore], T]) -> T:
        """Ask the database; a page says so when it does not answer."""

        def asked(ledger: Ledger) -> T:
            return question(_store(ledger, self.usage.hub, self.usage.invitation_secret))

        try:
            return await self.reader.ask(asked)
        except LedgerAwayError:
            raise RefusedError(
                503, "The invitations cannot be read just now. Nothing is lost; please try again in a minute."
            ) from None


# It remembers that the tables are there.
_store = functools.cache(InvitationStore)


def _number(text: str) -> int:
    """A whole number that a person wrote; ValueError in words for them."""
    if not text.strip().isdecimal() or len(text) > 9:
        raise ValueError("Give whole numbers for how many people and how many days.")
    return int(text)
