"""What a report says in words: titles, what its figures mean, and notes below its tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .reports import Asked, Gap

TITLES = {
    "total": "The whole month",
    "people_table": "People",
    "sessions_table": "Sessions",
    "active_per_day": "People active on each day",
    "active_per_week": "People active in each ISO week",
    "people": "People",
    "sessions": "Sessions",
    "hours": "Hours",
    "person_hours": "Person-hours",
    "gib_hours": "GiB-hours",
    "cpu_hours": "CPU-hours",
    "gpu_hours": "GPU-hours",
    "estimated_cost": "Estimated cost",
    "active": "Active",
    "new": "New",
    "returning": "Returning",
    "retained": "Retained",
    "lost": "Lost",
    "active_7_days": "Active in 7 days",
    "active_30_days": "Active in 30 days",
    "median_hours": "Median length (hours)",
    "p90_hours": "90 % are at most (hours)",
}

ATTRIBUTIONS = {
    "full": (
        "A session of a person in several groups counts in full for each of them, so that the rows add up to more than "
        "the total."
    ),
    "split": (
        "The hours of a session of a person in several groups are divided evenly among them, so that hours add up to "
        "the total; people and sessions count for each group."
    ),
    "primary": (
        "A session counts for one group only, its primary group: that of the session's community, or else the first "
        "of the person's groups by name."
    ),
}


def definitions(asked: Asked) -> tuple[tuple[str, str], ...]:
    """Return the terms that a report uses, each with what it means there."""
    found = {
        "session": (
            "One server from the moment it was ready until it ended. A session counts if any part of it lies in the "
            "month; of its hours only those that do."
        ),
        "hours": (
            "Hours of running servers, used or idle; two servers at once count two hours in an hour. A server that "
            "runs counts until it was last seen running."
        ),
        "person-hours": "Hours in which people had a running server; several of one person at once count once.",
        "GiB-hours, CPU-hours, GPU-hours": (
            "What was reserved, times hours: the memory and cores that a server was guaranteed, or its limit where "
            "nothing is guaranteed, and the GPUs it was given. It is not what programs used of them."
        ),
        "people, active": (
            "People who had a running server in the time meant. In a table, somebody counts in each row in which they "
            "had one; no person is counted twice in a total."
        ),
        "new, returning, retained, lost": (
            "Of the people of the month: new had never had a server before, retained had one in the month before too, "
            "returning had one earlier but not in the month before. Lost had one in the month before and none in this "
            "one. Whoever was away for longer than the hub keeps records of people is new again."
        ),
        "active in 7 or 30 days": "People of the 7 or 30 days that end with the last day of the month, or with today.",
        "median, 90 %": (
            "Of the whole lengths of those sessions that ended in the month, to the minute: half of them, and nine in "
            "ten, were at most so long."
        ),
        "days and months": f"They begin and end at midnight in the time zone {asked.time_zone}.",
        "rounding": "Figures are rounded one by one, so that rows may add up to a little more or less than a total.",
    }
    if any("group" in by for by in asked.by):
        found[f"groups ({asked.attribution} attribution)"] = (
            "The groups that the person was in when the server started. " + ATTRIBUTIONS[asked.attribution]
        )
    if asked.communities is not None:
        titles = asked.titles.get("community", {})
        of = _listed(called(name, titles) for name in asked.communities)
        found["this report"] = f"Only sessions that were started for {of} are counted."
    if asked.prices:
        found["estimated cost"] = _cost(asked)
    found["left out"] = _left_out(asked)
    if asked.fewest > 1:
        found["few people"] = (
            f"Rows of fewer than {asked.fewest} people are not shown by themselves but together with others, and with "
            "as many others as it takes for them not to follow from the rest. A figure that is left out is of fewer "
            "people, or another would follow from it."
        )
    else:
        found["few people"] = "Figures of single people are shown: this report is not for everybody."
    return tuple(found.items())


def _cost(asked: Asked) -> str:
    prices = asked.prices
    if prices is None:
        return ""
    profiles = f", or an hour of a profile with a price of its own ({len(prices.profiles)})" if prices.profiles else ""
    return (
        f"An estimate, not a bill: {prices.cpu_hour:f} {prices.currency} for a CPU-hour, {prices.gib_hour:f} for a "
        f"GiB-hour and {prices.gpu_hour:f} for a GPU-hour{profiles}. What a provider bills also depends on nodes that "
        "were up, storage, traffic and discounts."
    )


def _left_out(asked: Asked) -> str:
    people = []
    if asked.without_users == 1:
        people.append("one person by name")
    elif asked.without_users:
        people.append(f"{asked.without_users} people by name")
    if asked.without_groups:
        people.append(f"whoever is in the group {_listed(asked.without_groups, 'or')}")
    always = "Users that are programs are never counted."
    return f"{always} By the hub's settings {_listed(people)} are left out, too." if people else always


def _listed(names: Any, word: str = "and") -> str:
    names = list(names)
    return f" {word} ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def notes_of(table: str, asked: Asked, **known: Any) -> tuple[str, ...]:
    """Return the sentences below a table: `total`, `people`, `sessions`, `by`, `active_per_day`, `active_per_week`."""
    some = asked.fewest > 1
    found = []
    if table == "people":
        found.append(f"The 7 and the 30 days end with {known['last_day']}.")
    if table == "active_per_day":
        found.append("A day that is not listed had nobody.")
    if table == "active_per_week":
        found.append(
            "The weeks, from Monday to Sunday, that end in the month, with all of their days; one that is not over is "
            "counted so far, and one that is not listed had nobody."
        )
    if table == "by":
        if "group" in known["by"]:
            found.append(f"Attribution to groups: {asked.attribution}. {ATTRIBUTIONS[asked.attribution]}")
        if "choice" in known["by"]:
            found.append("A session counts in full for each of its choices.")
        if {"group", "choice"} & set(known["by"]):
            found.append(f"Overlap: the rows add up to {known['overlap']:,} hours more than the total.")
        if known["pooled"]:
            found.append(f"Rows of fewer than {asked.fewest} people are shown together with others.")
        if known["is_one"]:
            found.append(
                "All rows are shown together: nothing finer was found that gives no few people away beside the other "
                "tables. A report with fewer tables may show more."
            )
    elif some and table != "total":
        found.append(f"A figure of fewer than {asked.fewest} people, and what it would follow from, is left out.")
    return tuple(found)


def called(name: str, titles: Mapping[str, str]) -> str:
    """Return what people call something: its title, with its name where another has the same title."""
    title = titles.get(name, name) or "(none)"
    is_shared = name in titles and list(titles.values()).count(title) > 1
    return f"{title} ({name})" if is_shared else title


_GAPS: dict[str, Callable[[Gap], str]] = {
    "not_over": lambda gap: f"The month is not over: it is counted through {gap.until}.",
    "not_counted": lambda gap: (
        f"{_sessions(gap)} since {gap.since} {_are(gap)} not counted in full yet; make the report again later."
    ),
    "end_not_seen": lambda gap: (
        f"Nobody saw the end of {_sessions(gap)} between {gap.since} and {gap.until}, because the hub or the usage "
        "service was away; they count until they were last seen running, which may be less than they ran."
    ),
    "not_seen_running": lambda gap: (
        f"{_sessions(gap)} {_are(gap)} said to run, but {_have(gap)} not been seen running since {gap.since}; they "
        "count until then."
    ),
    "before_records": lambda gap: (
        f"There are no records before {gap.until}. Servers that ran earlier are not counted, and people who were "
        "active earlier are counted as new."
    ),
    "not_kept": lambda gap: (
        f"Of the days until {gap.until} sums are kept, and no sessions: what was told by image, choice or person is no "
        "longer known."
    ),
}


def gap_sentence(gap: Gap) -> str:
    """Return what is missing, and since when."""
    sentence = _GAPS[gap.kind](gap)
    return sentence[0].upper() + sentence[1:]


def _sessions(gap: Gap) -> str:
    return (
        "some sessions"
        if gap.sessions is None
        else "one session"
        if gap.sessions == 1
        else f"{gap.sessions:,} sessions"
    )


def _are(gap: Gap) -> str:
    return "is" if gap.sessions == 1 else "are"


def _have(gap: Gap) -> str:
    return "has" if gap.sessions == 1 else "have"
