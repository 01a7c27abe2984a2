"""What the REST API is asked and what it answers; the OpenAPI document is made from these.

Hours are decimal numbers of hours. Moments are in UTC; months and days are those of the hub's time zone.
"""

from __future__ import annotations

from datetime import date  # noqa: TC003 - pydantic reads it
from itertools import permutations
from typing import Annotated, Literal, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from hub_extensions.sums import Attribution, Dimension

MONTH = "^20[0-9]{2}-(0[1-9]|1[0-2])$"
_PRINTED = r"^[^\x00-\x1f\x7f]+$"
MOST_PEOPLE = 1_000
MOST_SESSIONS = 500

_Count = Annotated[int, Field(ge=0)]
_Amount = Annotated[float, Field(ge=0)]


class _Query(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OfMonth(_Query):
    """Which month."""

    month: Annotated[
        str | None, Field(pattern=MONTH, description="A calendar month, such as 2026-10; this one if left out.")
    ] = None


class OfMonthAndPeople(OfMonth):
    """Which month, and how many people by name."""

    people: Annotated[
        int, Field(ge=0, le=MOST_PEOPLE, description="How many people to name, those with most hours first.")
    ] = 100


class PageOfSessions(OfMonth):
    """Which sessions of a month."""

    limit: Annotated[int, Field(ge=1, le=MOST_SESSIONS, description="How many sessions to answer with at most.")] = 100
    after: Annotated[
        str | None,
        Field(pattern="^[0-9a-f]{32}$", description="Go on after this session: `next` of the answer before."),
    ] = None


# Pairs are enough for programs: a third dimension makes tables of single people.
_BY = tuple(",".join(each) for count in (1, 2) for each in permutations(get_args(Dimension), count))


class OfReport(OfMonth):
    """Which report."""

    by: Annotated[
        list[Literal[_BY]],  # type: ignore[valid-type]
        Field(
            max_length=6,
            json_schema_extra={"uniqueItems": True},
            description="A table for each: by one thing, or by two. Repeat it for several; left out: what the "
            "hub's settings have under `usage.report_by`. By group only for who sees the whole hub.",
        ),
    ] = []

    @field_validator("by")
    @classmethod
    def _each_once(cls, by: list[str]) -> list[str]:
        if len(set(by)) < len(by):
            raise ValueError("names a table twice.")
        return by

    community: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=255,
            pattern=_PRINTED,
            description="Only what counted for this community; left out: the hub.",
        ),
    ] = None
    attribution: Annotated[
        Attribution | None,
        Field(description="How a session counts for the groups of its person; left out: as in the hub's settings."),
    ] = None
    format: Annotated[Literal["json", "csv"], Field(description="What to answer with.")] = "json"


class Nothing(_Query):
    """No parameters."""


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Error(_Answer):
    """Why there is no answer."""

    status: Annotated[int, Field(ge=400, le=599)]
    message: Annotated[str, Field(description="A sentence for people: what happened and what to do.")]


class Used(_Answer):
    """What running servers were given, times how long."""

    sessions: Annotated[_Count, Field(description="Servers that ran, from ready to gone.")] = 0
    hours: Annotated[_Amount, Field(description="Hours of running servers.")] = 0.0
    gib_hours: Annotated[_Amount, Field(description="GiB of memory times hours.")] = 0.0
    cpu_hours: Annotated[_Amount, Field(description="Cores times hours.")] = 0.0
    gpu_hours: Annotated[_Amount, Field(description="GPUs times hours.")] = 0.0


class UsedByProfile(Used):
    """What servers of one profile used."""

    profile: str


class UsedTogether(Used):
    """What several people used."""

    people: Annotated[_Count, Field(description="People who had a running server.")] = 0
    person_hours: Annotated[
        _Amount, Field(description="Hours, in which somebody with several servers at once counts once.")
    ] = 0.0


class ByProfile(UsedTogether):
    """What the servers of one profile used."""

    profile: str


class ByCommunity(UsedTogether):
    """What the servers of one community used; `""` are those of none."""

    community: str


class ByPerson(Used):
    """What one person used."""

    user: str


class Limit(_Answer):
    """A quota of the person who asks, and what is left of it."""

    resource: Literal["memory", "cpu", "gpu", "hours"]
    community: Annotated[str | None, Field(description="The only community for which it counts; null: for all.")]
    unit: Annotated[str, Field(examples=["GiB-hours"])]
    limit: _Amount
    used: _Amount
    left: _Amount
    counted_since: AwareDatetime
    frees_at: Annotated[
        AwareDatetime | None,
        Field(
            description="If nothing is left: when there is some again, if nothing runs until then; null if never, and "
            "if some is left."
        ),
    ]
    low: Annotated[bool, Field(description="Little is left, or nothing.")]
    spent: Annotated[bool, Field(description="Nothing is left.")]
    text: Annotated[str, Field(description="The same in a sentence.")]


class Running(_Answer):
    """A server of the person who asks that runs."""

    server_name: Annotated[str, Field(description="Empty for the default server.")]
    profile: str
    community: str
    ready_at: AwareDatetime
    stops_at: Annotated[
        AwareDatetime | None,
        Field(description="When the hub is going to stop it because a quota is spent; known within a minute."),
    ]


class Notice(_Answer):
    """Something that the person should know now, such as a page or an extension of JupyterLab may show."""

    kind: Annotated[
        Literal["low", "spent", "stops"],
        Field(description="Little is left; nothing is left; running servers are going to be stopped."),
    ]
    text: str
    servers: Annotated[list[str], Field(description="The names of the servers that it is about.")]


class Me(_Answer):
    """What the person who asks used in a month, and what holds for them now."""

    user: str
    month: Annotated[str, Field(pattern=MONTH)]
    time_zone: str
    total: Used
    by_profile: list[UsedByProfile]
    complete: Annotated[bool, Field(description="False if there were too many sessions to count all of them.")]
    kept: Annotated[bool, Field(description="False if sessions that old are no longer kept: the sums are then empty.")]
    running: Annotated[list[Running], Field(description="Of the sessions of this month, those that run now.")]
    quotas: Annotated[list[Limit], Field(description="As they are now, whatever the month.")]
    notices: list[Notice]


class OwnSession(_Answer):
    """One server of the person who asks, from ready to gone."""

    id: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    server_name: str
    community: str
    profile: str
    choices: dict[str, str]
    image: str
    ready_at: AwareDatetime
    ended_at: Annotated[AwareDatetime | None, Field(description="null while it runs.")]
    end_reason: str
    hours: Annotated[_Amount, Field(description="Inside the month that was asked for.")]


class OwnSessions(_Answer):
    """Sessions of a month, the newest first."""

    sessions: list[OwnSession]
    next: Annotated[str | None, Field(description="Pass it as `after` to go on; null at the end.")]
    kept: Annotated[bool, Field(description="False if sessions that old are no longer kept: there are then none.")]


class People(_Answer):
    """People with a running server."""

    active: Annotated[_Count, Field(description="In the month.")]
    new: Annotated[_Count, Field(description="Active in the month, and in none before.")]
    returning: Annotated[_Count, Field(description="Active in the month and earlier, but not in the month before.")]
    retained: Annotated[_Count, Field(description="Active in the month and in the one before.")]
    lost: Annotated[_Count, Field(description="Active in the month before, and not in this one.")]
    last_7_days: Annotated[_Count, Field(description="In the seven days up to the end of the month, or today.")]
    last_30_days: Annotated[_Count, Field(description="In the thirty days up to the end of the month, or today.")]


class SessionLengths(_Answer):
    """How long sessions were that ended in the month."""

    ended: _Count
    median_hours: _Amount
    p90_hours: Annotated[_Amount, Field(description="Nine of ten were not longer.")]


class LeftOut(_Answer):
    """Who is left out of the figures by the hub's settings: how many people by name, and which groups."""

    users: _Count
    groups: list[str]


class _Month(_Answer):
    title: str
    month: Annotated[str, Field(pattern=MONTH)]
    time_zone: str
    counted_until: Annotated[
        AwareDatetime | None, Field(description="How fresh the figures are; null while nothing has been counted.")
    ]
    without: LeftOut
    kept: Annotated[
        bool, Field(description="False if the sessions of the month are no longer kept: nobody is then named.")
    ]
    total: UsedTogether
    people: People
    lengths: SessionLengths
    active_per_day: Annotated[dict[date, int], Field(description="People by day; days without any are left out.")]
    active_per_week: Annotated[
        dict[Annotated[str, Field(pattern=r"^[0-9]{4}-W[0-9]{2}$")], int],
        Field(description="People by ISO week that ends in the month; weeks without any are left out."),
    ]
    by_profile: list[ByProfile]
    by_person: list[ByPerson]


class CommunityMonth(_Month):
    """What the members of a community used in a month, in the servers that counted for it."""

    community: str


class HubMonth(_Month):
    """What everybody used in a month."""

    by_community: list[ByCommunity]
