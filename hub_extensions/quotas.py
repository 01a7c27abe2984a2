"""Quotas: how much of a resource each person may use in how long, and to whom which limit applies.

- Each person has a limit for themselves; nothing is shared between the members of a group.
- Entries that count alike (the same resource, window, community and weights) come together in one limit: the lowest,
  the highest, or the sum of them. Entries that count differently, such as one of a week and one of a month, hold each.
- An entry for communities counts the sessions that count for the community; every other one, all sessions of a person.
- What is counted is what the ledger holds as allocated: the guarantee, or the limit where nothing is guaranteed.

What a person has used of their limits is told by `hub_extensions.balances`.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from fractions import Fraction
from functools import lru_cache
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

from . import groups as group_names
from . import user_names
from .catalogue import Names
from .durations import duration_of
from .mistakes import Mistake, did_you_mean, shown
from .profiles import Person
from .sessions import Window

Resource = Literal["memory", "cpu", "gpu", "hours"]
Intersection = Literal["min", "max", "sum"]
Calendar = Literal["day", "week", "month"]

UNITS: dict[Resource, str] = {"memory": "GiB-hours", "cpu": "CPU-hours", "gpu": "GPU-hours", "hours": "hours"}
UNLIMITED = "unlimited"
LONGEST_WINDOW = timedelta(days=390)  # the ledger keeps sessions for 13 months
GRACE = timedelta(minutes=30)
LONGEST_GRACE = timedelta(days=7)

_AMOUNT = re.compile(r"(\d{1,12}(?:\.\d{1,6})?) *([A-Za-z-]+)", re.ASCII)
_CALENDAR: dict[str, Calendar] = {"day": "day", "week": "week", "month": "month"}
_PERCENT = re.compile(r"(\d{1,3}) *%", re.ASCII)


@dataclass(frozen=True)
class Span:
    """A window before it is known when it is asked for: rolling, of some length, or a part of the calendar."""

    length: timedelta | None = None
    calendar: Calendar | None = None

    def window(self, now: datetime, zone: tzinfo) -> Window:
        """The window around `now`: up to now if it is rolling, else from midnight to midnight on clocks in `zone`."""
        if self.length is not None:
            return Window(now - self.length, now)
        today = now.astimezone(zone).date()
        if self.calendar == "month":
            first = today.replace(day=1)
            return _days(first, (first + timedelta(days=31)).replace(day=1), zone)
        if self.calendar == "week":
            monday = today - timedelta(days=today.weekday())
            return _days(monday, monday + timedelta(weeks=1), zone)
        return _days(today, today + timedelta(days=1), zone)


def _days(first: date, end: date, zone: tzinfo) -> Window:
    return Window(datetime.combine(first, time(), zone), datetime.combine(end, time(), zone))


@lru_cache(maxsize=1024)
def span(text: str) -> Span:
    """The window that a setting means: `30 days`, `24 hours`, `2 weeks`; or `day`, `week`, `month` of the calendar.

    Raises ValueError for anything else.
    """
    word = text.strip().casefold()
    if word in _CALENDAR:
        return Span(calendar=_CALENDAR[word])
    length = duration_of(word)
    if length is None or not timedelta(hours=1) <= length <= LONGEST_WINDOW:
        raise ValueError(
            f"expected a window such as 30 days, at most {LONGEST_WINDOW.days} days, or one of the calendar: "
            f"day, week or month; found {shown(text)}."
        )
    return Span(length=length)


@lru_cache(maxsize=1024)
def grace(text: str) -> timedelta:
    """How long servers go on when a limit is spent: `30 minutes`, `2 hours`. Raises ValueError for anything else."""
    length = duration_of(text)
    if length is None or length > LONGEST_GRACE:
        raise ValueError(f"expected a time such as 30 minutes, at most {LONGEST_GRACE.days} days; found {shown(text)}.")
    return length


@lru_cache(maxsize=1024)
def amount(text: str, resource: Resource) -> Fraction:
    """How many of the resource's units a limit is: `500 GiB-hours`. Raises ValueError for anything else."""
    found = _AMOUNT.fullmatch(text.strip())
    unit = UNITS[resource]
    if not found or found[2].casefold() not in (unit.casefold(), unit.removesuffix("s").casefold()):
        raise ValueError(f"expected an amount of {resource} such as 500 {unit}, found {shown(text)}.")
    return Fraction(found[1])


def _percent(value: Any) -> Any:
    found = _PERCENT.fullmatch(value.strip()) if isinstance(value, str) else None
    return int(found[1]) if found else value


_Percent = Annotated[int, Field(ge=1, le=100)]


def _is_window(text: Any) -> Any:
    span(text if isinstance(text, str) else repr(text))
    return text


def _is_grace(text: Any) -> Any:
    grace(text if isinstance(text, str) else repr(text))
    return text


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Exemption(_Part):
    """Another limit for one person, up to and with the day `until`; it wins over every other entry that counts alike.

    `reason` is for those who run the hub, who may wonder in a year.
    """

    user: str
    """Whose limit it is."""
    limit: str
    """The amount, such as `900 GiB-hours`, or `unlimited`."""
    until: date | None = None
    """The last day on which it holds."""
    reason: str = ""
    """Why, for those who run the hub."""


class Quota(_Part):
    """One limit, for members of any of the groups and the named users, or for members of communities, or for everybody.

    With `otherwise` it is for people to whom no other entry of its resource applies. `groups` may be patterns.
    `weights` are by the slug of a profile: an hour of one with the weight 2 counts double, with 0 it does not count.
    From `warn_at` percent on the person is told. When nothing is left, new starts are refused; with `when_spent: stop`
    running servers end too, `grace` after their owner was told.
    """

    groups: Names = ()
    """For members of any of these groups; `*` stands for any text."""
    communities: Names = ()
    """For members of any of these communities; only sessions that count for the community are counted."""
    users: Names = ()
    """For these people."""
    otherwise: bool = False
    """Whether it is for people to whom no other entry of its resource applies."""
    resource: Resource
    """What is counted."""
    limit: str
    """How much each person may use in the window: `500 GiB-hours`, `40 CPU-hours`, `10 GPU-hours`, `60 hours`."""
    window: Annotated[str, BeforeValidator(_is_window, str)]
    """In how long: `30 days`, `24 hours`; or `day`, `week`, `month` of the calendar."""
    intersection: Intersection | None = None
    """What several entries come to that count alike: the lowest (`min`), the highest, or their sum."""
    weights: dict[str, Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]] = {}
    """How much an hour of a profile counts, by its slug: 2 is double, 0 is nothing."""
    exceptions: tuple[Exemption, ...] = ()
    """Other limits for single people."""
    when_spent: Literal["refuse", "stop"] | None = None
    """What follows when nothing is left: no new server (`refuse`), or running ones end too (`stop`)."""
    grace: Annotated[str, BeforeValidator(_is_grace, str)] | None = None
    """How long running servers go on after their owner was told: `30 minutes`."""
    warn_at: Annotated[_Percent, BeforeValidator(_percent, _Percent | str)] = 80
    """From how many percent on people are told."""

    @field_validator("limit")
    @classmethod
    def _is_an_amount(cls, text: str, info: ValidationInfo) -> str:
        if "resource" in info.data:
            amount(text, info.data["resource"])
        return text

    @field_validator("exceptions")
    @classmethod
    def _are_amounts(cls, exceptions: tuple[Exemption, ...], info: ValidationInfo) -> tuple[Exemption, ...]:
        for exemption in exceptions:
            if "resource" in info.data and exemption.limit != UNLIMITED:
                amount(exemption.limit, info.data["resource"])
        return exceptions

    @field_validator("grace")
    @classmethod
    def _is_of_a_stop(cls, text: str | None, info: ValidationInfo) -> str | None:
        if text and info.data.get("when_spent") != "stop":
            raise ValueError("is the time until servers are stopped: it needs when_spent: stop.")
        return text

    @field_validator("communities")
    @classmethod
    def _stand_alone(cls, communities: Names, info: ValidationInfo) -> Names:
        if communities and info.data.get("groups"):
            raise ValueError(
                "cannot stand beside groups: theirs are the sessions of a community, not all. Write two entries."
            )
        return communities

    @field_validator("users")
    @classmethod
    def _are_of_no_community(cls, users: Names, info: ValidationInfo) -> Names:
        if users and info.data.get("communities"):
            raise ValueError(
                "cannot stand beside communities, whose are not all sessions of a person. Write two entries."
            )
        return users

    @field_validator("otherwise")
    @classmethod
    def _is_for_nobody_else(cls, otherwise: bool, info: ValidationInfo) -> bool:
        if otherwise and any(info.data.get(name) for name in ("groups", "communities", "users")):
            raise ValueError("stands for all whom no other entry means: leave out groups, communities and users.")
        return otherwise

    def means(self, person: Person) -> bool:
        """Whether the entry names this person, or everybody; those whom `otherwise` stands for, it does not name."""
        if self.otherwise:
            return False
        if self.communities:
            return bool(self.of_communities(person))
        if user_names.is_among(person.user_name, self.users):
            return True
        return group_names.member_of_any(person.groups, self.groups) if self.groups else not self.users

    def of_communities(self, person: Person) -> tuple[str, ...]:
        """Those of the person's communities that the entry names."""
        named = group_names.keys(self.communities)
        return tuple(name for name in person.communities if group_names.key(name) in named)


def _agreeing(quotas: tuple[Quota, ...]) -> tuple[Quota, ...]:
    """Entries that may come together in one limit, which has one of each of these."""
    first: dict[tuple[str, Resource, Span], tuple[int, str]] = {}
    for index, quota in enumerate(quotas):
        for name in ("intersection", "when_spent", "grace"):
            value = getattr(quota, name)
            if value is None:
                continue
            where, said = first.setdefault((name, quota.resource, span(quota.window)), (index, value))
            if said != value:
                raise ValueError(
                    f"[{where}] and [{index}] are of one resource and window, and their {name} is {said} and {value}. "
                    "Say the same in both, or say it once."
                )
    return quotas


Quotas = Annotated[tuple[Quota, ...], AfterValidator(_agreeing)]


class Counting(NamedTuple):
    """What of a person's sessions is counted, and how; limits that count alike are one.

    `community` is the one for which sessions must count, "" if all do; `weights` are (profile, weight).
    """

    resource: Resource
    span: Span
    community: str
    weights: tuple[tuple[str, Fraction], ...]


@dataclass(frozen=True)
class Allowance:
    """What one person may use, in units of the resource; from `warn_at` (also in units) on they are told.

    `grace`: how long after that their servers go on when nothing is left; None if they are left alone.
    """

    counting: Counting
    limit: Fraction
    warn_at: Fraction
    grace: timedelta | None = None


def unknown_communities(quotas: Sequence[Quota], communities: Iterable[str], path: str = "quotas") -> list[Mistake]:
    """Mistakes of entries for communities that there are not: they would hold for nobody."""
    known = {group_names.key(name): name for name in communities}
    return [
        Mistake(f"{path}[{index}].communities", f"there is no community {shown(name)}.", did_you_mean(name, known))
        for index, quota in enumerate(quotas)
        for name in quota.communities
        if group_names.key(name) not in known
    ]


def too_long(quotas: Sequence[Quota], kept: timedelta, setting: str, path: str = "quotas") -> list[Mistake]:
    """Mistakes of windows that reach back further than sessions are `kept`, as `setting` says: they would forget."""
    return [
        Mistake(
            f"{path}[{index}].window", f"{shown(quota.window)} is longer than sessions are kept.", f"Set {setting}."
        )
        for index, quota in enumerate(quotas)
        if (span(quota.window).length or timedelta()) > kept
    ]


def allowances(quotas: Sequence[Quota], person: Person, now: datetime, zone: tzinfo) -> list[Allowance]:
    """The limits that hold for a person now, in the order of the settings; none for whom there is none."""
    named = [quota for quota in quotas if quota.means(person)]
    covered = {quota.resource for quota in named}
    named += [quota for quota in quotas if quota.otherwise and quota.resource not in covered]
    together: dict[Counting, list[Quota]] = {}
    for quota in named:
        for counting in _countings(quota, person):
            together.setdefault(counting, []).append(quota)
    today = now.astimezone(zone).date()
    found = (_allowance(counting, entries, person.user_name, today) for counting, entries in together.items())
    return [allowance for allowance in found if allowance is not None]


def _countings(quota: Quota, person: Person) -> list[Counting]:
    weights = tuple(sorted((profile, Fraction(str(weight))) for profile, weight in quota.weights.items()))
    communities = quota.of_communities(person) or ("",)
    return [Counting(quota.resource, span(quota.window), community, weights) for community in communities]


def _allowance(counting: Counting, entries: Sequence[Quota], user_name: str, today: date) -> Allowance | None:
    """What entries that count alike come to; None if they come to no limit."""
    warn_at = Fraction(min(quota.warn_at for quota in entries), 100)
    exempted = [limit for quota in entries for limit in _exempted(quota, user_name, today)]
    if UNLIMITED in exempted:
        return None
    if exempted:
        limit = max(amount(text, counting.resource) for text in exempted)
    else:
        limit = _together(
            [amount(quota.limit, counting.resource) for quota in entries],
            next((quota.intersection for quota in entries if quota.intersection), "min"),
        )
    stops = any(quota.when_spent == "stop" for quota in entries)
    said = next((quota.grace for quota in entries if quota.grace), None)
    return Allowance(counting, limit, warn_at * limit, (grace(said) if said else GRACE) if stops else None)


def _exempted(quota: Quota, user_name: str, today: date) -> Iterable[str]:
    return (
        exemption.limit
        for exemption in quota.exceptions
        if user_names.is_among(user_name, [exemption.user]) and (exemption.until is None or today <= exemption.until)
    )


def _together(limits: Sequence[Fraction], intersection: Intersection) -> Fraction:
    return {"min": min(limits), "max": max(limits), "sum": sum(limits, Fraction())}[intersection]
