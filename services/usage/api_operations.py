"""What programs can ask: of themselves, of a community, of the hub."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any, ClassVar

from hub_extensions import quota_words
from hub_extensions.balances import rate
from hub_extensions.ledger.past_months import LeftOut
from hub_extensions.quotas import UNITS
from hub_extensions.report_files import MEDIA_TYPES
from hub_extensions.report_settings import ReportSettings
from hub_extensions.sessions import HOUR, hours

from . import api_models as models
from .api import Operation
from .kept_months import month_of_people
from .limits import limits_of
from .own_month import read_own_month, read_own_sessions
from .pages import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hub_extensions.balances import Balance
    from hub_extensions.sessions import Session, Total
    from hub_extensions.sums import Sums

    from .months import MonthOfPeople


class OwnUsage(Operation[models.OfMonth]):
    """What the owner of the token used, what is left, and what they should know."""

    path = "me"
    name = "me"
    summary = "What I used in a month, what is left of my quotas, and whether a running server is going to be stopped"
    Query = models.OfMonth
    Answer = models.Me

    async def respond(self, asked: models.OfMonth) -> None:
        """Answer: there is no parameter that could name somebody else."""
        user = own_name(self)
        month = self.month(asked.month)
        own = await self.read(
            lambda ledger: read_own_month(ledger, self.reader.hub, user, month, self.zone, self.now, self.reader.limit)
        )
        report = own.report
        running = [each.session for each in report.rows if each.session.running]
        # Whatever its scopes are, a token tells the name and the groups of its owner.
        limits = limits_of(user, self.owner.get("groups", ()), self.usage, self.quotas, self.now, self.zone)
        balances = await self.reader.balances(limits, user, self.now, self.zone) if limits else []
        self.write_json(
            models.Me(
                user=user,
                month=str(month),
                time_zone=self.usage.time_zone,
                total=models.Used(**_used(report.total)),
                by_profile=[
                    models.UsedByProfile(profile=name, **_used(total)) for name, total in report.by_profile.items()
                ],
                complete=report.complete,
                kept=own.kept,
                running=[
                    models.Running(
                        server_name=each.server_name,
                        profile=each.profile,
                        community=each.community,
                        ready_at=each.ready_at,
                        stops_at=self.stopping().get(each.id),
                    )
                    for each in running
                    if each.ready_at
                ],
                quotas=[self._limit(each) for each in balances],
                notices=[notice for each in balances if (notice := self._notice(each, running))],
            )
        )

    def _limit(self, balance: Balance) -> models.Limit:
        counting = balance.allowance.counting
        return models.Limit(
            resource=counting.resource,
            community=counting.community or None,
            unit=UNITS[counting.resource],
            limit=float(balance.allowance.limit),
            used=float(balance.used),
            left=float(balance.left),
            counted_since=balance.since,
            frees_at=balance.frees_at,
            low=balance.is_low,
            spent=balance.is_spent,
            text=quota_words.left(balance, self.zone, self.usage.communities),
        )

    def _notice(self, balance: Balance, running: Sequence[Session]) -> models.Notice | None:
        if not balance.is_low:
            return None
        titles = self.usage.communities
        using = [each for each in running if rate(balance.allowance.counting, each)]
        concerned = [each.server_name for each in using]
        if not balance.is_spent:
            return models.Notice(kind="low", text=quota_words.left(balance, self.zone, titles), servers=concerned)
        if balance.allowance.grace is None or not using:
            text = quota_words.spent([balance], self.zone, titles)
            return models.Notice(kind="spent", text=text, servers=concerned)
        known = [at for each in using if (at := self.stopping().get(each.id))]
        # The hub says when within a minute; until then it has not begun to wait.
        at = min(known, default=self.now + balance.allowance.grace)
        return models.Notice(
            kind="stops", text=quota_words.stopping([balance], at, self.zone, titles), servers=concerned
        )


class Sessions(Operation[models.PageOfSessions]):
    """The servers that the owner of the token had."""

    path = "sessions"
    name = "sessions"
    summary = "My sessions of a month, the newest first, in pages"
    Query = models.PageOfSessions
    Answer = models.OwnSessions

    async def respond(self, asked: models.PageOfSessions) -> None:
        """Answer: there is no parameter that could name somebody else."""
        user = own_name(self)
        month = self.month(asked.month)
        window = month.window(self.zone)
        found, kept = await self.read(
            lambda ledger: read_own_sessions(ledger, self.reader.hub, user, month, self.zone, self.reader.limit)
        )
        ids = [each.id for each in found]
        if asked.after is not None and asked.after not in ids:
            raise RefusedError(404, "The session to go on after is none of yours in this month. Start from the first.")
        start = ids.index(asked.after) + 1 if asked.after is not None else 0
        page = found[start : start + asked.limit]
        more = len(found) > start + asked.limit
        self.write_json(
            models.OwnSessions(
                sessions=[
                    models.OwnSession(
                        id=each.id,
                        server_name=each.server_name,
                        community=each.community,
                        profile=each.profile,
                        choices=dict(each.choices),
                        image=each.image,
                        ready_at=each.ready_at,
                        ended_at=each.ended_at,
                        end_reason=each.end_reason,
                        hours=hours(each, window, self.now),
                    )
                    for each in page
                    if each.ready_at
                ],
                next=page[-1].id if more else None,
                kept=kept,
            )
        )


class Community(Operation[models.OfMonthAndPeople]):
    """What a community used, for its leads and for admins."""

    path = "communities/{name}"
    name = "community"
    summary = "What a community used in a month: for its leads, and for who sees the hub"
    Query = models.OfMonthAndPeople
    Answer = models.CommunityMonth
    path_parameters: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "name": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[^/]+$"}
    }

    async def respond(self, asked: models.OfMonthAndPeople) -> None:
        """Answer. A community that does not exist and one of others look alike."""
        [name] = self.path_args
        if not self.access.sees(name):
            raise RefusedError(403, "This token does not show the usage of this community.")
        found = await month_of(self, asked, name)
        title = self.usage.communities.get(name, name)
        self.write_json(models.CommunityMonth(community=name, title=title, **_of_month(self, asked, found)))


class Hub(Operation[models.OfMonthAndPeople]):
    """What everybody used, for admins."""

    path = "hub"
    name = "hub"
    summary = "What everybody used in a month: for who sees the hub"
    Query = models.OfMonthAndPeople
    Answer = models.HubMonth

    async def respond(self, asked: models.OfMonthAndPeople) -> None:
        """Answer."""
        if not self.access.hub:
            raise RefusedError(403, "This token does not show the usage of the whole hub.")
        found = await month_of(self, asked, None)
        by_community = [models.ByCommunity(community=name, **_sums(sums)) for name, sums in found.by_community.items()]
        self.write_json(
            models.HubMonth(title=self.usage.title, by_community=by_community, **_of_month(self, asked, found))
        )


class MonthReport(Operation[models.OfReport]):
    """The report of a month, as its file is."""

    path = "report"
    name = "report"
    summary = "The report of a month: of a community for its leads, of the hub for who sees it"
    Query = models.OfReport
    answer_schema: ClassVar[Mapping[str, Any]] = json.loads(
        files("hub_extensions").joinpath("report.schema.json").read_bytes()
    )
    also = ("text/csv",)

    async def respond(self, asked: models.OfReport) -> None:
        """Answer. It leaves the hub, and so figures of few people stand together with others, for everybody."""
        community = asked.community
        if not (self.access.hub if community is None else self.access.sees(community)):
            whose = "the whole hub. Leads name their community" if community is None else "this community"
            raise RefusedError(403, f"This token does not show the report of {whose}.")
        if not self.access.hub and any("group" in by.split(",") for by in asked.by):
            raise RefusedError(
                403, "A table by group shows other groups of the members too. Only who sees the whole hub gets one."
            )
        month = self.month(asked.month)
        arguments = {"month": str(month), "format": asked.format}
        arguments |= {"attribution": asked.attribution} if asked.attribution else {}
        arguments |= {"community": community} if community is not None else {}
        given = [f"--{name}={value}" for name, value in arguments.items()]
        content = await self.reports.make([*given, *(f"--by={by}" for by in asked.by)])
        self.set_header("Content-Type", MEDIA_TYPES[asked.format])
        if asked.format == "csv":
            self.set_header("Content-Disposition", f'attachment; filename="usage-{month}.csv"')
        self.write(content)


OPERATIONS: list[type[Operation[Any]]] = [OwnUsage, Sessions, Community, Hub, MonthReport]


def own_name(call: Operation[Any]) -> str:
    """The name of the person who owns the token; services own tokens too, and have no usage."""
    if not call.access.user:
        raise RefusedError(403, "This shows a person's own usage, and the token is that of a service.")
    return call.access.user


async def month_of(call: Operation[Any], asked: models.OfMonthAndPeople, community: str | None) -> MonthOfPeople:
    """Read the month that was asked for. Raises ``LedgerAwayError``."""
    month = call.month(asked.month)
    return await call.read(
        lambda ledger: month_of_people(ledger, call.usage, call.zone, month, call.now, community, asked.people)
    )


def _of_month(call: Operation[Any], asked: models.OfMonthAndPeople, found: MonthOfPeople) -> dict[str, Any]:
    kept = found.kept
    left_out = ReportSettings.model_validate(call.usage.reports).without
    without = found.past.without if found.past else LeftOut.of(left_out)
    return {
        "without": models.LeftOut(users=without.users, groups=list(without.groups)),
        "kept": found.past is None,
        "month": str(call.month(asked.month)),
        "time_zone": call.usage.time_zone,
        "counted_until": found.counted_until,
        "total": models.UsedTogether(**_sums(found.total)),
        "people": models.People(
            active=found.total.people,
            new=kept.new,
            returning=kept.returning,
            retained=kept.retained,
            lost=kept.lost,
            last_7_days=found.last_7,
            last_30_days=found.last_30,
        ),
        "lengths": models.SessionLengths(
            ended=found.lengths.count,
            median_hours=found.lengths.median / HOUR,
            p90_hours=found.lengths.p90 / HOUR,
        ),
        "active_per_day": dict(found.per_day),
        "active_per_week": dict(found.per_week),
        "by_profile": [models.ByProfile(profile=name, **_sums(sums)) for name, sums in found.by_profile.items()],
        "by_person": [_person(name, sums) for name, sums in found.by_person],
    }


def _person(name: str, sums: Sums) -> models.ByPerson:
    amounts = {key: value for key, value in _sums(sums).items() if key in models.Used.model_fields}
    return models.ByPerson(user=name, **amounts)


def _used(total: Total) -> dict[str, Any]:
    return {name: getattr(total, name) for name in models.Used.model_fields}


def _sums(sums: Sums) -> dict[str, Any]:
    return {name: getattr(sums, name) for name in models.UsedTogether.model_fields}
