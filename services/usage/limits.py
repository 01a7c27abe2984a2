"""What a person may use, by the groups that the hub says they are in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub_extensions import groups, user_names
from hub_extensions.profiles import Person
from hub_extensions.quotas import allowances

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime, tzinfo

    from hub_extensions.quotas import Allowance, Quotas
    from hub_extensions.usage_service import UsageSettings


def limits_of(
    name: str, in_groups: Collection[str], settings: UsageSettings, quotas: Quotas, now: datetime, zone: tzinfo
) -> list[Allowance]:
    """Return the limits that hold for a person; none holds for a program."""
    if user_names.is_among(name, settings.service_users):
        return []
    mine = groups.keys(in_groups)
    person = Person(
        groups=frozenset(in_groups),
        today=now.astimezone(zone).date(),
        user_name=name,
        communities=tuple(each for each in settings.communities if groups.key(each) in mine),
    )
    return allowances(quotas, person, now, zone)
