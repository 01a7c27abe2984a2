"""Whom a part of the catalogue is for, compared with whom another part is for, as far as settings can tell.

Settings name groups, not who is in them. Two different groups may have a common member; what is said here holds for
someone who is in one of them only.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from . import groups as group_names
from .catalogue import Profile, Restricted

_MOST_NAMES = 5  # that a message lists


def meet(one: Restricted, other: Restricted) -> bool:
    """Whether one group or user is enough to be admitted to both parts."""
    return (
        one.for_everyone
        or other.for_everyone
        or group_names.member_of_any(one.groups, other.groups)
        or group_names.member_of_any(other.groups, one.groups)
        or not one.users.isdisjoint(other.users)
    )


def meet_in_time(one: Profile, other: Profile) -> bool:
    """Whether there is a day on which both profiles are offered."""
    return max(_first_day(one), _first_day(other)) <= min(_last_day(one), _last_day(other))


def left_out(whole: Restricted, parts: Sequence[Restricted]) -> str:
    """Who is admitted to `whole` and to none of its parts, in words; "" if nobody is."""
    if any(part.for_everyone for part in parts):
        return ""
    groups = [group for part in parts for group in part.groups]
    users = frozenset[str]().union(*(part.users for part in parts))
    if whole.for_everyone:
        named = [*dict.fromkeys(groups), *sorted(users)]
        return f"people other than {_listed(named)}" if named else "everyone"
    # A named user may also be in one of the groups.
    missing = [group for group in whole.groups if not group_names.member_of_any([group], groups)]
    missing += [] if groups else sorted(whole.users - users)
    return _listed(missing)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more


def _first_day(profile: Profile) -> date:
    return profile.opens or date.min


def _last_day(profile: Profile) -> date:
    gone = profile.retired or date.max
    return min(profile.closes or date.max, gone - timedelta(days=1) if gone > date.min else gone)
