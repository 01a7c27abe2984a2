"""The pages of a community, for its leads, and of the hub, for admins: figures, files, and who was away for long."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tornado.web import HTTPError

from hub_extensions.ledger.past_months import LeftOut
from hub_extensions.report_files import MEDIA_TYPES
from hub_extensions.report_settings import FORMATS, ReportSettings
from hub_extensions.report_words import gap_sentence

from .hub_people import HubAwayError, NotToldError
from .pages import Page, RefusedError
from .people_month import PeopleMonth, read_people_month
from .recent import Recent

if TYPE_CHECKING:
    from hub_extensions.ledger import Ledger
    from hub_extensions.report_settings import Format

    from .hub_people import HubPeople
    from .report_maker import ReportMaker

log = logging.getLogger(__name__)

AWAY_DAYS = 90
"""Who was not at the hub for so many days is listed."""
MOST_AWAY = 500
_KEPT_SECONDS = 60.0  # the ledger is counted as often


def kept_for_people() -> dict[str, Any]:
    """What pages of people share: what was read lately, and files that were made, by whose usage it is."""
    return {"months": Recent[PeopleMonth](_KEPT_SECONDS), "reports": Recent[bytes](_KEPT_SECONDS, most=16)}


class PeoplePage(Page):
    """A page about several people: of one community, or of the whole hub when ``community`` is None."""

    def initialize(  # type: ignore[override]  # each page is made with what its route has
        self,
        *,
        months: Recent[PeopleMonth],
        reports: Recent[bytes],
        report_maker: ReportMaker,
        hub_people: HubPeople | None,
        **given: Any,
    ) -> None:
        """Take what the application was made with, and what was read and made lately, by whose usage it is."""
        super().initialize(**given)
        self.months = months
        self.reports = reports
        self.report_maker = report_maker
        self.hub_people = hub_people

    def check(self, community: str | None) -> None:
        """Refuse whoever may not see this. A community that does not exist and one of others look alike."""
        if community is not None and "\0" in community:
            raise HTTPError(404)  # neither a database nor a process could be asked for it
        if community is None:
            if not self.access.hub:
                raise RefusedError(403, "Only the admins of this hub may see the usage of the whole hub.")
            return
        if not self.access.sees(community):
            raise RefusedError(
                403,
                "Only the leads of this community may see its usage. If you have just become one, log out of the hub "
                "and in again.",
            )
        self.person = SimpleNamespace(groups=(community,))

    def address(self, community: str | None) -> str:
        """The address of the page, to which those of its files and lists are added."""
        prefix = self.hub_auth.base_url
        return f"{prefix}hub" if community is None else f"{prefix}community/{quote(community, safe='')}"

    def called(self, community: str | None) -> str:
        """What people call it."""
        return self.usage.title if community is None else self.usage.communities.get(community, community)

    async def show_month(self, community: str | None) -> None:
        """Answer with a month of it."""
        self.check(community)
        month, now = self.month(), self.now

        def read(ledger: Ledger) -> PeopleMonth:
            return read_people_month(ledger, self.usage, self.zone, month, now, community)

        # Whoever got here may see it; who that is changes nothing of what is read.
        found = await self.months.get((community, month), lambda: self.answered(self.reader.ask(read)))
        may_invite = community is not None and community in self.usage.inviting and self.access.invites(community)
        settings = ReportSettings.model_validate(self.usage.reports)
        self.write_page(
            "usage/people.html",
            title=f"Usage of {self.called(community)}",
            community=community,
            address=self.address(community),
            month=month,
            months=self.picked_from(month),
            found=found,
            figures=found.figures,
            gaps=[gap_sentence(gap) for gap in found.gaps],
            invitations=may_invite,
            formats=FORMATS,
            left_out=found.figures.past.without if found.figures.past else LeftOut.of(settings.without),
            fewest=settings.fewest_people,
            away_days=AWAY_DAYS,
        )

    async def send_report(self, community: str | None, wanted: Format) -> None:
        """Answer with the report of a month as a file, in which figures of few people stand together with others."""
        self.check(community)
        month = self.month()
        arguments = [f"--month={month}", f"--format={wanted}"]
        arguments += [] if community is None else [f"--community={community}"]
        content = await self.reports.get(
            (community, month, wanted), lambda: self.answered(self.report_maker.make(arguments))
        )
        name = "".join(each if each.isascii() and each.isalnum() else "-" for each in community or self.usage.hub)
        self.set_header("Content-Type", MEDIA_TYPES[wanted])
        self.set_header("Content-Disposition", f'attachment; filename="usage-{name[:64]}-{month}.{wanted}"')
        self.write(content)


class CommunityUsage(PeoplePage):
    """What a community used, for its leads."""

    async def get(self, community: str) -> None:
        """Answer with a month of the community."""
        await self.show_month(community)


class HubUsage(PeoplePage):
    """What everybody used, for admins."""

    async def get(self) -> None:
        """Answer with a month of the hub."""
        await self.show_month(None)


class CommunityReport(PeoplePage):
    """The report of a community, to keep."""

    async def get(self, community: str, wanted: Format) -> None:
        """Answer with the file."""
        await self.send_report(community, wanted)


class HubReport(PeoplePage):
    """The report of the hub, to keep."""

    async def get(self, wanted: Format) -> None:
        """Answer with the file."""
        await self.send_report(None, wanted)


class CommunityAway(PeoplePage):
    """Who of a community was not at the hub for long, as the hub tells the person who asks."""

    async def get(self, community: str) -> None:
        """Answer with the list, or with why there is none."""
        self.check(community)
        before = self.now - timedelta(days=AWAY_DAYS)
        token = self.hub_auth.get_token(self)
        if self.hub_people is None or not token:
            raise RefusedError(503, "This service was started without a way to ask the hub about its people.")
        try:
            found = await self.hub_people.unseen(token, community, before)
        except NotToldError:
            raise RefusedError(
                403,
                "The hub does not show you the people of this community. If you have just become a lead, log out of "
                "the hub and in again.",
            ) from None
        except HubAwayError as error:
            log.warning("The hub does not tell who was away: %s", error)
            raise RefusedError(
                503, "The hub does not answer just now, and only it knows who was there. Please try again in a minute."
            ) from None
        self.write_page(
            "usage/away.html",
            title=f"Who was away from {self.called(community)}",
            address=self.address(community),
            community=community,
            found=found,
            people=found.people[:MOST_AWAY],
            days=AWAY_DAYS,
            before=before,
            ago=self._ago,
        )

    def _ago(self, moment: datetime) -> int:
        """How many days ago it was."""
        return (self.now - moment).days
