"""Announcements: sentences on the hub's pages, each with when, where and for whom it is shown."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, field_validator

from . import groups
from .mistakes import Mistake, did_you_mean, shown

PAGES = ("login", "home", "spawn")
_DATE = re.compile(r"\d{4}-\d\d-\d\d\Z")


def _moment(value: Any) -> Any:
    """A date or a date-time, which YAML may have read already; what is neither is told by a sentence."""
    if value is None or isinstance(value, date):  # a datetime is a date too
        return value
    text = value.strip() if isinstance(value, str) else ""
    try:
        return date.fromisoformat(text) if _DATE.match(text) else datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"expected a date such as 2026-01-31 or a time such as 2026-01-31 18:00, found {shown(value)}."
        ) from None


Moment = Annotated[datetime | date | None, BeforeValidator(_moment, str | None)]


class Announcement(BaseModel):
    """A sentence on the hub's pages, as plain text; `level` chooses its colour.

    It is shown from `from` until `until`: dates, of which the last is a day on which it is still shown, or times. Those
    without an offset are in the hub's time zone. `pages` are those on which it is shown, by default all, and
    `communities` those to whose members it is shown, by default everybody.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    text: str = Field(min_length=1)
    """The sentence, as plain text."""
    level: Literal["info", "success", "warning", "danger"] = "info"
    """Which colour it has."""
    opens: Moment = Field(None, alias="from")
    """From when on it is shown: a date or a time."""
    closes: Moment = Field(None, alias="until")
    """The last day, or the time, until when it is shown."""
    pages: tuple[Annotated[str, WithJsonSchema({"type": "string", "enum": list(PAGES)})], ...] = ()
    """On which pages: `login`, `home`, `spawn`; empty means all."""
    communities: tuple[str, ...] = ()
    """To whose members; empty means everybody."""

    @field_validator("pages")
    @classmethod
    def _exist(cls, pages: tuple[str, ...]) -> tuple[str, ...]:
        for page in pages:
            if page not in PAGES:
                raise ValueError(f"there is no page {shown(page)}. {did_you_mean(page, PAGES)}")
        return pages

    def as_written(self) -> dict[str, Any]:
        """As JSON has it and settings are written, from which it can be read again."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    def is_on(self, page: str) -> bool:
        """Whether it is shown on a page: one of `PAGES`, or "" for all others."""
        return not self.pages or page in self.pages

    def is_for(self, groups_of_person: Iterable[str]) -> bool:
        """Whether it is for a person in these groups; nobody is logged in where there are none."""
        return not self.communities or groups.member_of_any(groups_of_person, self.communities)

    def is_shown_at(self, now: datetime, zone: tzinfo) -> bool:
        """Whether this moment, which has a time zone, is within its dates."""
        opens, closes = self.first_moment(zone), self.end(zone)
        return (opens is None or opens <= now) and (closes is None or now < closes)

    def first_moment(self, zone: tzinfo) -> datetime | None:
        """The moment from which it is shown."""
        return _begin(self.opens, zone)

    def end(self, zone: tzinfo) -> datetime | None:
        """The moment from which it is not shown any more: after a day which is the last."""
        closes = self.closes
        if closes is None or isinstance(closes, datetime):
            return _begin(closes, zone)
        return _begin(closes + timedelta(days=1), zone) if closes < date.max else None


def _begin(moment: date | datetime | None, zone: tzinfo) -> datetime | None:
    if moment is None:
        return None
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time())
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def mistakes(announcements: Sequence[Announcement], communities: Collection[str], zone: tzinfo) -> Iterator[Mistake]:
    """Communities that there are not, and ends before their beginning."""
    known = groups.keys(communities)
    for index, each in enumerate(announcements):
        place = f"announcements[{index}]"
        for number, name in enumerate(each.communities):
            if groups.key(name) not in known:
                advice = did_you_mean(name, communities) if communities else "This hub has no communities."
                yield Mistake(f"{place}.communities[{number}]", f"there is no community {shown(name)}.", advice)
        opens, end = each.first_moment(zone), each.end(zone)
        if opens and end and end <= opens:
            yield Mistake(f"{place}.until", f"{each.closes} is before from, {each.opens}.")
