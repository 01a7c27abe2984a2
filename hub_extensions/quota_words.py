"""Quotas in words: what is left, what is spent and when it is there again, and what a choice uses in an hour."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from fractions import Fraction
from typing import Any

from . import sizes
from .balances import Balance, rate
from .overrides import merged
from .quotas import UNITS, Counting, Resource
from .sessions import Session

Override = Mapping[str, Any]
Uses = Callable[[str, Override, Override | None], str]

_AMOUNTS: dict[Resource, str] = {
    "memory": "GiB-hours of memory",
    "cpu": "CPU-hours",
    "gpu": "GPU-hours",
    "hours": "hours of running servers",
}


def left(balance: Balance, zone: tzinfo, titles: Mapping[str, str]) -> str:
    """`312 of 500 GiB-hours of memory left, counted over the last 30 days.`; `titles` are those of communities."""
    words = f"{number(balance.left)} of {_limit(balance, titles)} left, {counted(balance, zone)}."
    return words if balance.frees_at is None else f"{words} {again(balance, zone)}"


def spent(balances: Sequence[Balance], zone: tzinfo, titles: Mapping[str, str]) -> str:
    """Why a server cannot start, for each limit that is spent: how much of how much, since when, when it frees."""
    return " ".join(
        f"You have used {number(each.used)} of the {_limit(each, titles)} that you may use, {counted(each, zone)}. "
        f"{again(each, zone) or 'A server that needs this cannot start here.'}"
        for each in balances
    )


def stopping(balances: Sequence[Balance], at: datetime, zone: tzinfo, titles: Mapping[str, str]) -> str:
    """That a running server is going to be stopped, when, and why."""
    return f"Your server stops at {_clock(at, zone)}: save your work. {spent(balances, zone, titles)}"


def in_an_hour(countings: Sequence[Counting], server: Session) -> str:
    """What a server would use of the limits: `Uses 16 GiB-hours and 4 CPU-hours an hour`.

    Empty if it uses nothing that is limited; that an hour uses an hour is not said either. For which community it
    counts is not chosen yet.
    """
    most: dict[Resource, Fraction] = {}
    for counting in countings:
        units = rate(counting, replace(server, community=counting.community))
        if units and not (counting.resource == "hours" and units == 1):
            most[counting.resource] = max(units, most.get(counting.resource, Fraction()))
    parts = [f"{number(units)} {_unit(resource, units)}" for resource, units in most.items()]
    return f"Uses {_listed(parts)} an hour" if parts else ""


def uses_of(countings: Sequence[Counting], server: Session) -> Uses:
    """What servers would use in an hour, in words, which are otherwise as `server`, which has the hub's defaults.

    It is asked with the slug of a profile, its override, and that of a choice or None. It says nothing for a choice
    that sets no size, and where sizes are computed only at the start.
    """

    def uses(profile: str, override: Override, choice: Override | None) -> str:
        if choice is not None and not (_SIZES.keys() | {_EXTRA}) & choice.keys():
            return ""
        try:
            sized = _sized(server, [override, choice or {}])
        except ValueError:
            return ""
        return in_an_hour(countings, replace(sized, profile=profile))

    return uses


def _sized(server: Session, overrides: Sequence[Override]) -> Session:
    """The server with the sizes that overrides set, one after the other. ValueError where one is not told yet."""
    values: dict[str, Any] = {}
    extra: Any = {}
    for override in overrides:
        for trait, (name, read) in _SIZES.items():
            if trait in override:
                values[name] = read(override[trait])
        extra = merged(extra, override.get(_EXTRA, {}))
    gpus = sizes.gpus(extra) if isinstance(extra, Mapping) else 0
    return replace(server, **values, gpus=gpus or server.gpus)


def _cores(amount: Any) -> float | None:
    if amount is None or (isinstance(amount, (int, float)) and not isinstance(amount, bool)):
        return amount
    raise ValueError(f"not a number of CPUs: {amount!r}")


_EXTRA = "extra_resource_limits"
_SIZES: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "mem_limit": ("memory_limit", sizes.memory_bytes),
    "mem_guarantee": ("memory_guarantee", sizes.memory_bytes),
    "cpu_limit": ("cpu_limit", _cores),
    "cpu_guarantee": ("cpu_guarantee", _cores),
}


def number(amount: Fraction) -> str:
    """An amount, cut and not rounded: what is shown as used is used, what is shown as left is there."""
    digits = 0 if amount >= 100 else 1 if amount >= 10 else 2
    cut = amount * 10**digits // 1
    text = f"{cut / 10**digits:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def of(balance: Balance, titles: Mapping[str, str]) -> str:
    """What is limited: `GiB-hours of memory for Ocean Lab`."""
    community = balance.allowance.counting.community
    words = _AMOUNTS[balance.allowance.counting.resource]
    return f"{words} for {titles.get(community) or community}" if community else words


def _limit(balance: Balance, titles: Mapping[str, str]) -> str:
    limit, words = balance.allowance.limit, of(balance, titles)
    return f"{number(limit)} {words.replace('hours', 'hour', 1) if limit == 1 else words}"


def counted(balance: Balance, zone: tzinfo) -> str:
    """Since when it is counted: `counted over the last 30 days`, `counted since 1 November 2026`."""
    length = balance.allowance.counting.span.length
    if length is None:
        return f"counted since {_day(balance.since, zone)}"
    days, rest = divmod(length, timedelta(days=1))
    last = f"{length // timedelta(hours=1)} hours" if rest or days == 1 else f"{days} days"
    return f"counted over the last {last}"


def frees(balance: Balance, zone: tzinfo) -> str:
    """When there is something left again, on clocks in the zone: `3 November 2026, 14:20 (Europe/Berlin)`; or ""."""
    if balance.frees_at is None:
        return ""
    if balance.allowance.counting.span.length is None:
        return _day(balance.frees_at, zone)
    # The next whole minute: whoever comes at the time that is shown is not sent away again.
    whole = balance.frees_at.replace(second=0, microsecond=0) + timedelta(minutes=1)
    return f"{_day(whole, zone)}, {_clock(whole, zone)}"


def again(balance: Balance, zone: tzinfo) -> str:
    """That there will be something left again, when, and on what condition; "" if that is not to be told."""
    at = frees(balance, zone)
    if not at:
        return ""
    # What leaves a window that rolls is used up again by what goes on; a part of the calendar begins with nothing used.
    goes_on = balance.speed and balance.allowance.counting.span.length
    return f"There will be some again from {at}{', if what you have running stops now' if goes_on else ''}."


def _clock(at: datetime, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%H:%M} ({zone})"


def _day(at: datetime, zone: tzinfo) -> str:
    local = at.astimezone(zone)
    return f"{local.day} {local:%B %Y}"


def _unit(resource: Resource, units: Fraction) -> str:
    return UNITS[resource].removesuffix("s") if units == 1 else UNITS[resource]


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
