"""When servers are stopped for being idle or old: what settings say, and what of it holds for one server.

Each limit is looked for by itself: the first rule that means the server and says it decides, and where none does, what
stands beside the rules. A server is known by its profile and by the groups that its owner had when it started.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from . import groups as group_names
from .catalogue import Names
from .durations import duration_of
from .mistakes import shown

NEVER = "never"
LONGEST = timedelta(days=390)


@lru_cache(maxsize=1024)
def time(text: str) -> timedelta | None:
    """The time that a setting means: `90 minutes`, `12 hours`, `3 days`; None for `never`.

    Raises ValueError for anything else.
    """
    word = text.strip().casefold()
    if word == NEVER:
        return None
    meant = duration_of(word)
    if meant is None or not timedelta() < meant <= LONGEST:
        raise ValueError(
            f"expected a time such as 90 minutes, 12 hours or 3 days, at most {LONGEST.days} days, or never; found "
            f"{shown(text)}."
        )
    return meant


def _is_time(text: Any) -> Any:
    if text is not None:
        time(text if isinstance(text, str) else repr(text))
    return text


_Time = Annotated[str | None, BeforeValidator(_is_time, str | None)]


@dataclass(frozen=True)
class Limits:
    """How long a server may be idle, and how old it may become; None: for ever."""

    timeout: timedelta | None = None
    max_age: timedelta | None = None

    def exceeded_by(self, inactive: timedelta | None, age: timedelta | None) -> bool:
        """Whether a server is to be stopped; what is not known of it (None) is no reason."""
        return (self.timeout is not None and inactive is not None and inactive >= self.timeout) or (
            self.max_age is not None and age is not None and age >= self.max_age
        )


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    timeout: _Time = None
    """Stopped so long after the last activity: `90 minutes`, `12 hours`, `never`."""
    max_age: _Time = None
    """Stopped so long after its start: `3 days`, `never`."""


class Rule(_Part):
    """Other limits for the servers of any of the profiles (by slug) whose owner is in any of the groups.

    Where only one of the two is named, the other does not matter. `groups` may be patterns.
    """

    profiles: Names = ()
    """Slugs of profiles."""
    groups: Names = ()
    """Groups of the server's owner; `*` stands for any text."""

    @model_validator(mode="after")
    def _says_what_for_whom(self) -> "Rule":
        if not (self.profiles or self.groups):
            raise ValueError("names neither profiles nor groups. What holds for all servers stands beside the rules.")
        if self.timeout is None and self.max_age is None:
            raise ValueError("has neither timeout nor max_age. Write never for no limit.")
        return self

    def means(self, profile: str, groups: Iterable[str]) -> bool:
        """Whether the rule is about a server."""
        if self.profiles and profile.casefold() not in map(str.casefold, self.profiles):
            return False
        return not self.groups or group_names.member_of_any(groups, self.groups)


class Idle(_Part):
    """When servers are stopped. `timeout`: so long after the last activity; `max_age`: so long after the start.

    Neither holds unless it is set. `rules` come first, in their order.
    """

    rules: tuple[Rule, ...] = ()
    """Other limits for some servers; the first that means a server and says it decides."""

    @property
    def is_set(self) -> bool:
        """Whether any server is ever stopped."""
        return self.shortest() is not None

    def limits(self, profile: str = "", groups: Iterable[str] = ()) -> Limits:
        """What holds for a server of that profile, whose owner has those groups."""
        groups = frozenset(groups)
        said = [*(rule for rule in self.rules if rule.means(profile, groups)), self]
        timeout = next((each.timeout for each in said if each.timeout), NEVER)
        max_age = next((each.max_age for each in said if each.max_age), NEVER)
        return Limits(time(timeout), time(max_age))

    def shortest(self) -> timedelta | None:
        """The shortest time after which any server is stopped; None: none ever is."""
        said = (text for each in (*self.rules, self) for text in (each.timeout, each.max_age) if text)
        return min((meant for text in said if (meant := time(text))), default=None)
