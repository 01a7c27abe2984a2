"""Quotas: to whom which limit applies, and what is used of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_extensions.balances import Balance, balance, ended_when_last_seen, since
from hub_extensions.ledger import Ledger
from hub_extensions.mistakes import SettingsError, validated
from hub_extensions.profiles import Person
from hub_extensions.quota_words import in_an_hour, left, number, spent
from hub_extensions.quotas import UNITS, Allowance, Quotas, allowances, span
from hub_extensions.sessions import GIB, HOUR, Session
from hub_extensions.usage_quota_policy import quotas_of
from hub_extensions.z2jh.values import chart_values, look_up

from .corpus import hubs, values_of

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def quotas(*entries: dict[str, Any]) -> Quotas:
    """Entries, each of GiB-hours over 30 days where it does not say something else."""
    found: Quotas = validated(
        Quotas, [{"resource": "memory", "limit": "500 GiB-hours", "window": "30 days", **each} for each in entries], "q"
    )
    return found


def person(name: str = "ada", *groups: str, communities: tuple[str, ...] = ()) -> Person:
    return Person(frozenset(groups), NOW.date(), name, communities)


def session(begin: float, end: float | None, **given: Any) -> Session:
    """A server of 2 GiB from one hour to another, counted back from now."""
    values = {"id": f"{begin}", "hub": "hub", "user_name": "ada", "memory_guarantee": 2 * GIB, **given}
    return Session(ready_at=NOW + begin * HOUR, ended_at=None if end is None else NOW + end * HOUR, **values)


def limits(who: Person, *entries: dict[str, Any], now: datetime = NOW) -> list[int]:
    return [int(each.limit) for each in allowances(quotas(*entries), who, now, UTC)]


def one(**entry: Any) -> Allowance:
    [found] = allowances(quotas(entry), person("ada", communities=("ocean-lab",)), NOW, UTC)
    return found


A, B = {"groups": ["a"], "limit": "100 GiB-hours"}, {"groups": ["b"], "limit": "300 GiB-hours"}
WEEK = {"groups": ["a"], "limit": "20 GiB-hours", "window": "7 days"}
REST = {"otherwise": True, "limit": "10 GiB-hours"}


@pytest.mark.parametrize(
    ("who", "entries", "expected"),
    [
        (person("ada", "a"), [A], [100]),
        (person("ada", "c"), [A], []),
        (person("ada", "A"), [A], [100]),
        (person("ada", "project:x"), [{"groups": ["Project:*"]}], [500]),
        (person("ada"), [{}], [500]),
        (person("Ada"), [{"users": ["ada"]}], [500]),
        (person("adam"), [{"users": ["ada"]}], []),
        (person("ﬁona"), [{"users": ["fiona"]}], []),
        (person("straße"), [{"users": ["Straße"]}], [500]),
        (person("fiona"), [{"exceptions": [{"user": "ﬁona", "limit": "unlimited"}]}], [500]),
        (person("ada@x.org"), [{"users": ["ada"], "groups": ["a"]}], []),
        (person("ada", "a", "b"), [A, B], [100]),
        (person("ada", "a", "b"), [{**A, "intersection": "max"}, B], [300]),
        (person("ada", "a", "b"), [A, {**B, "intersection": "sum"}], [400]),
        (person("ada", "a", "b"), [A, WEEK], [100, 20]),
        (person("ada", "b"), [A, REST], [10]),
        (person("ada", "a"), [A, REST], [100]),
        (person("ada", "a"), [{**A, "resource": "hours", "limit": "5 hours"}, REST], [5, 10]),
        (person("ada", "ocean", communities=("Ocean",)), [{"communities": ["ocean"]}], [500]),
        (person("ada", "ocean"), [{"communities": ["ocean"]}], []),
        (person("ada", communities=("ocean", "ice")), [{"communities": ["ocean", "ice"]}], [500, 500]),
    ],
)  # fmt: skip
def test_who_has_which_limit(who: Person, entries: list[dict[str, Any]], expected: list[int]) -> None:
    assert limits(who, *entries) == expected


def test_an_exception_holds_for_one_person_until_its_day_is_over_and_wins_over_other_entries() -> None:
    more = {"user": "ada", "limit": "900 GiB-hours", "until": "2026-11-20", "reason": "Thesis"}
    entries = [{**A, "exceptions": [more]}, {**B, "groups": ["a"]}]
    assert limits(person("ada", "a"), *entries) == [900]
    assert limits(person("adam", "a"), *entries) == [100]
    assert limits(person("ada", "a"), *entries, now=NOW + timedelta(days=1)) == [100]
    assert limits(person("ada", "a"), {**A, "exceptions": [{**more, "limit": "unlimited"}]}) == []


def test_an_exception_ends_when_its_day_ends_on_clocks_of_the_hub() -> None:
    found = quotas({"exceptions": [{"user": "ada", "limit": "1 GiB-hour", "until": "2026-11-20"}]})
    late = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    assert [each.limit for each in allowances(found, person(), late, UTC)] == [1]
    assert [each.limit for each in allowances(found, person(), late, BERLIN)] == [500]


def test_all_mistakes_are_told_at_once_with_their_places() -> None:
    entries = [
        {"resource": "memory", "limit": "5 CPU-hours", "window": 30},
        {"resource": "gpus", "limit": "5", "window": "400 days", "warn_at": "120 %"},
        {"resource": "cpu", "limit": "5 CPU-hours", "window": "day", "groups": ["a"], "communities": ["b"]},
        {"resource": "cpu", "limit": "5 CPU-hours", "window": "day", "users": ["a"], "otherwise": True},
        {"resource": "cpu", "limit": "5 CPU-hours", "window": "day", "exceptions": [{"user": "x", "limit": "5"}]},
        {"resource": "cpu", "limit": "5 CPU-hours", "window": "day", "weights": {"big": -1}, "when_spent": "warn"},
        {"resource": "cpu", "limt": "5 CPU-hours", "window": "0 days"},
        {"resource": "cpu", "limit": "5 CPU-hours", "window": "30 minutes", "when_spent": "stop", "grace": "soon"},
        {"resource": "cpu", "limit": "5 CPU-hours", "window": "day", "grace": "5 minutes"},
    ]
    with pytest.raises(SettingsError) as error:
        validated(Quotas, entries, "quotas")
    places = [mistake.path for mistake in error.value.mistakes]
    assert places == [
        "[0].limit", "[0].window",
        "[1].resource", "[1].window", "[1].warn_at",
        "[2].communities", "[3].otherwise", "[4].exceptions", "[5].weights.big", "[5].when_spent",
        "[6].limit", "[6].window", "[6].limt", "[7].window", "[7].grace", "[8].grace",
    ]  # fmt: skip
    assert "such as 500 GiB-hours" in str(error.value)
    assert "Did you mean 'limit'?" in str(error.value)


def test_entries_that_come_together_in_two_ways_are_a_mistake() -> None:
    with pytest.raises(SettingsError, match=r"\[0\] and \[1\] are of one resource and window"):
        quotas({**A, "intersection": "max"}, {**B, "intersection": "min", "window": "720 hours"})
    quotas({**A, "intersection": "max"}, {**WEEK, "intersection": "sum"})
    with pytest.raises(SettingsError, match="their when_spent is stop and refuse"):
        quotas({**A, "when_spent": "stop"}, {**B, "when_spent": "refuse"})
    with pytest.raises(SettingsError, match="their grace is 1 hour and 2 hours"):
        quotas({**A, "when_spent": "stop", "grace": "1 hour"}, {**B, "when_spent": "stop", "grace": "2 hours"})


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([A], None),
        ([{**A, "when_spent": "refuse"}], None),
        ([{**A, "when_spent": "stop"}], timedelta(minutes=30)),
        ([{**A, "when_spent": "stop", "grace": "2 hours"}, B], timedelta(hours=2)),
    ],
)
def test_servers_are_stopped_only_where_it_is_said_and_have_a_grace(
    entries: list[dict[str, Any]], expected: timedelta | None
) -> None:
    [found] = allowances(quotas(*entries), person("ada", "a", "b"), NOW, UTC)
    assert found.grace == expected


def test_it_is_known_when_little_or_nothing_will_be_left_at_the_earliest() -> None:
    idle = balance(one(limit="10 GiB-hours"), [session(-1, 0)], NOW, UTC)
    assert idle.reaches_next(NOW) is None
    sessions = [session(-2, None), session(-1, None, memory_guarantee=GIB), session(-1, None, memory_guarantee=None)]
    running = balance(one(limit="10 GiB-hours"), sessions, NOW, UTC)  # 5 used, 3 more each hour: 8 after an hour
    assert running.reaches_next(NOW) == NOW + HOUR
    low = balance(one(limit="6 GiB-hours"), sessions, NOW, UTC)
    assert low.reaches_next(NOW) == NOW + timedelta(minutes=20)
    assert balance(one(limit="5 GiB-hours"), sessions, NOW, UTC).reaches_next(NOW) is None


@pytest.mark.parametrize(
    ("window", "zone", "start", "end"),
    [
        ("30 days", "UTC", "2026-10-21T12:00+00:00", "2026-11-20T12:00+00:00"),
        ("24 hours", "UTC", "2026-11-19T12:00+00:00", "2026-11-20T12:00+00:00"),
        ("2 Weeks", "Asia/Tokyo", "2026-11-06T12:00+00:00", "2026-11-20T12:00+00:00"),
        ("day", "Europe/Berlin", "2026-11-19T23:00+00:00", "2026-11-20T23:00+00:00"),
        ("week", "UTC", "2026-11-16T00:00+00:00", "2026-11-23T00:00+00:00"),
        ("month", "America/New_York", "2026-11-01T04:00+00:00", "2026-12-01T05:00+00:00"),  # clocks change on the 1st
    ],
)
def test_windows_roll_or_are_of_the_calendar_in_the_zone_of_the_hub(
    window: str, zone: str, start: str, end: str
) -> None:
    found = span(window).window(NOW, ZoneInfo(zone))
    assert (found.start, found.end) == (datetime.fromisoformat(start), datetime.fromisoformat(end))


def used(entry: dict[str, Any], *sessions: Session) -> Fraction:
    return balance(one(**entry), sessions, NOW, UTC).used


def test_what_is_used_is_what_was_allocated_for_as_long_as_it_was_inside_the_window() -> None:
    assert used({}, session(-10, -5)) == 10
    assert used({}, session(-10, None)) == 20
    assert used({"window": "1 day"}, session(-30, -20)) == 8
    assert used({"window": "1 day"}, session(-30, -24)) == 0
    assert used({}, session(-1, 0, memory_guarantee=None, memory_limit=8 * GIB)) == 8
    cpu = {"resource": "cpu", "limit": "9 CPU-hours"}
    assert used(cpu, session(-2, 0, cpu_guarantee=0.5, cpu_limit=4)) == 1
    assert used({"resource": "gpu", "limit": "9 GPU-hours"}, session(-2, 0, gpus=4)) == 8
    assert used({"resource": "hours", "limit": "9 hours"}, session(-2, 0), session(-2, -1, server_name="x")) == 3


def test_profiles_have_weights_and_communities_count_their_own() -> None:
    weights = {"weights": {"big": 2.5, "free": 0}}
    assert used(weights, session(-2, 0, profile="big"), session(-2, 0, profile="free"), session(-1, 0)) == 12
    sessions = session(-1, 0, community="ocean-lab"), session(-4, 0, community="ice-lab")
    assert used({"communities": ["ocean-lab"]}, *sessions) == 2
    assert used({}, *sessions) == 10


def test_a_limit_that_rolls_frees_when_enough_has_left_the_window() -> None:
    allowance = one(limit="10 GiB-hours", window="1 day")
    found = balance(allowance, [session(-20, -16), session(-10, -7)], NOW, UTC)
    assert (found.used, found.left, found.is_spent) == (14, 0, True)
    # 4 GiB-hours too many: two hours of the first server have to leave, 24 hours after they were used.
    assert found.frees_at == NOW + 6 * HOUR + timedelta(microseconds=1)
    # All of the first server has to leave, and nothing leaves between the two.
    found = balance(one(limit="6 GiB-hours", window="1 day"), [session(-20, -16), session(-10, -7)], NOW, UTC)
    assert found.frees_at == NOW + 14 * HOUR + timedelta(microseconds=1)


def test_a_limit_of_the_calendar_frees_when_the_next_part_begins() -> None:
    found = balance(one(limit="10 GiB-hours", window="month"), [session(-20, None)], NOW, BERLIN)
    assert found.frees_at == datetime(2026, 12, 1, tzinfo=BERLIN)


def test_a_limit_of_nothing_never_frees_and_one_with_something_left_is_free() -> None:
    assert balance(one(limit="0 GiB-hours"), [session(-1, 0)], NOW, UTC).frees_at is None
    assert balance(one(limit="2.000001 GiB-hours"), [session(-1, 0)], NOW, UTC).frees_at is None
    assert balance(one(limit="2 GiB-hours"), [session(-1, 0)], NOW, UTC).is_spent


def test_people_are_told_from_the_part_on_that_the_setting_names() -> None:
    assert balance(one(limit="10 GiB-hours"), [session(-4, 0)], NOW, UTC).is_low
    assert not balance(one(limit="10 GiB-hours"), [session(-3.99, 0)], NOW, UTC).is_low
    assert not balance(one(limit="10 GiB-hours", warn_at="90 %"), [session(-4, 0)], NOW, UTC).is_low


def test_a_server_whose_end_nobody_saw_counts_until_it_was_last_seen() -> None:
    sessions = [session(-9, None, last_seen_at=NOW - 8 * HOUR), session(-5, None), session(-3, None)]
    found = ended_when_last_seen(sessions, running={"-3"})
    assert balance(one(), found, NOW, UTC).used == 2 + 0 + 6


# Against a count by hand, minute by minute.

minutes = st.integers(-60 * 60, 0)
ledgers = st.lists(
    st.builds(
        lambda begin, length, running, gib, profile: session(
            begin / 60, None if running else min(begin + length, 0) / 60, memory_guarantee=gib * GIB, profile=profile
        ),
        minutes,
        st.integers(0, 3000),
        st.booleans(),
        st.integers(0, 5),
        st.sampled_from(["", "big"]),
    ),
    max_size=6,
)


def by_hand(sessions: list[Session], start: datetime, now: datetime) -> Fraction:
    minute = timedelta(minutes=1)
    total = Fraction()
    for each in sessions:
        assert each.ready_at is not None
        moment, end = each.ready_at, each.ended_at or now
        while moment < end:
            if moment >= start:
                total += Fraction(each.memory, GIB) * (3 if each.profile == "big" else 1) / 60
            moment += minute
    return total


@settings(deadline=None)
@given(ledgers, st.integers(0, 400), st.sampled_from(["1 day", "30 hours", "day", "week"]))
def test_sums_are_those_of_a_count_minute_by_minute(sessions: list[Session], limit: int, window: str) -> None:
    allowance = one(limit=f"{limit} GiB-hours", window=window, weights={"big": 3})
    found = balance(allowance, sessions, NOW, BERLIN)
    assert found.used == by_hand(sessions, span(window).window(NOW, BERLIN).start, NOW)
    assert found.left == max(limit - found.used, 0)
    if not found.is_spent or not limit:
        assert found.frees_at is None


@settings(deadline=None)
@given(ledgers, st.integers(1, 400), st.sampled_from(["1 day", "30 hours", "week"]))
def test_at_the_moment_that_is_told_there_is_something_left_and_just_before_there_is_not(
    sessions: list[Session], limit: int, window: str
) -> None:
    allowance = one(limit=f"{limit} GiB-hours", window=window)
    found = balance(allowance, sessions, NOW, UTC)
    if found.frees_at is None:
        return
    over = [each if each.ended_at else session_ended(each) for each in sessions]
    assert not balance(allowance, over, found.frees_at, UTC).is_spent
    if span(window).length:
        assert balance(allowance, over, found.frees_at - timedelta(microseconds=1), UTC).is_spent


# Names that begin alike, differ in case, look like addresses, or hold what SQL or a pattern would read as its own.
NAMES = ["ann", "anna", "Ann", "ann@x.org", "ann-x-org", "ann%", "an_", "ann'--", "ånn"]


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    found = Ledger(f"sqlite:///{tmp_path_factory.mktemp('ledger')}/usage.sqlite")
    found.migrate()
    return found


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.sampled_from(NAMES), minutes, st.integers(1, 3000), st.booleans()), max_size=12))
def test_of_everybody_in_the_ledger_each_is_charged_for_all_of_their_own_servers_and_no_other(
    ledger: Ledger, servers: list[tuple[str, int, int, bool]]
) -> None:
    hub = uuid4().hex  # each example has the ledger for itself
    mine: dict[str, list[Session]] = {name: [] for name in NAMES}
    for index, (name, begin, length, running) in enumerate(servers):
        end = None if running else min(begin + length, 0) / 60
        named = {"hub": hub, "id": uuid4().hex, "user_name": name, "server_name": str(index) if index else ""}
        made = session(begin / 60, end, **named)
        ledger.open(replace(made, ended_at=None))
        if made.ended_at:
            ledger.close(made.id, made.ended_at, "stopped")
        mine[name].append(made)
    allowance = one(limit="100 GiB-hours", window="1 day")
    for name, sessions in mine.items():
        start = since([allowance], NOW, UTC)
        read = ledger.sessions(hub, start, NOW, users=[name])
        assert balance(allowance, read, NOW, UTC).used == by_hand(sessions, start, NOW)


def session_ended(each: Session) -> Session:
    return ended_when_last_seen([Session(**{**vars(each), "last_seen_at": NOW})], ())[0]


def test_what_is_asked_of_the_ledger_goes_back_to_the_earliest_window() -> None:
    found = allowances(quotas({"window": "7 days"}, {"window": "month"}), person(), NOW, UTC)
    assert since(found, NOW, UTC) == datetime(2026, 11, 1, tzinfo=UTC)


# In words.


def told(used: float, **entry: Any) -> Balance:
    return balance(one(**entry), [session(-used / 2, 0, community="ocean-lab")], NOW, UTC)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (told(188), "312 of 500 GiB-hours of memory left, counted over the last 30 days."),
        (told(12.34), "487 of 500 GiB-hours of memory left, counted over the last 30 days."),
        (
            told(2, communities=["ocean-lab"], window="month"),
            "498 of 500 GiB-hours of memory for Ocean Lab left, counted since 1 November 2026.",
        ),
        (
            told(4, resource="hours", limit="1 hour", window="24 hours"),
            "0 of 1 hour of running servers left, counted over the last 24 hours. "
            "There will be some again from 21 November 2026, 11:01 (UTC).",
        ),
    ],
)
def test_what_is_left_is_told_in_a_sentence(found: Balance, words: str) -> None:
    assert left(found, UTC, {"ocean-lab": "Ocean Lab"}) == words


def test_a_limit_of_the_calendar_is_there_again_on_a_day() -> None:
    found = balance(one(limit="10 GiB-hours", window="month"), [session(-20, -10)], NOW, BERLIN)
    assert left(found, BERLIN, {}).endswith("There will be some again from 1 December 2026.")


def test_what_goes_on_running_uses_up_again_what_leaves_a_window_that_rolls_and_that_is_said() -> None:
    running = [session(-20, -14.5), session(-1, None)]
    rolls = balance(one(limit="10 GiB-hours", window="1 day"), running, NOW, UTC)
    assert spent([rolls], UTC, {}).endswith(" (UTC), if what you have running stops now.")
    assert left(rolls, UTC, {}).endswith(" (UTC), if what you have running stops now.")
    calendar = balance(one(limit="10 GiB-hours", window="month"), running, NOW, UTC)
    assert spent([calendar], UTC, {}).endswith("There will be some again from 1 December 2026.")


def test_who_may_use_nothing_is_told_so() -> None:
    found = balance(one(resource="gpu", limit="0 GPU-hours"), [], NOW, UTC)
    assert spent([found], UTC, {}).endswith("A server that needs this cannot start here.")


def test_a_refusal_says_how_much_of_how_much_since_when_and_when_it_frees() -> None:
    found = balance(one(limit="10 GiB-hours", window="1 day"), [session(-20, -14.5)], NOW, UTC)
    assert spent([found], BERLIN, {}) == (
        "You have used 11 of the 10 GiB-hours of memory that you may use, counted over the last 24 hours. "
        "There will be some again from 20 November 2026, 17:31 (Europe/Berlin)."
    )


def test_what_a_choice_uses_in_an_hour_is_told_in_the_units_of_the_limits() -> None:
    server = session(0, 0, memory_guarantee=16 * GIB, cpu_limit=1, gpus=1, profile="big")
    found = [
        one(resource=resource, limit=f"9 {UNITS[resource]}", weights=weights).counting
        for resource, weights in [("memory", {}), ("cpu", {}), ("gpu", {"big": 2}), ("hours", {})]
    ]
    assert in_an_hour(found, server) == "Uses 16 GiB-hours, 1 CPU-hour and 2 GPU-hours an hour"
    assert in_an_hour(found[3:], server) == ""
    of_a_community = one(communities=["ocean-lab"], resource="gpu", limit="1 GPU-hour").counting
    assert in_an_hour([of_a_community], server) == "Uses 1 GPU-hour an hour"
    assert in_an_hour([], server) == ""


@given(st.fractions(0, 10**9))
def test_numbers_are_cut_never_rounded_up(amount: Fraction) -> None:
    assert 0 <= amount - Fraction(number(amount).replace(",", "")) < 1


# As jupyterhub-usage-quotas has them.


def test_policies_of_jupyterhub_usage_quotas_are_read_as_they_are() -> None:
    policy = [
        {"resource": "memory", "limit": "5000G", "window": 30, "scope": {"group": ["mem-sm"]}},
        {"resource": "memory", "limit": "10000G", "window": 30, "scope": {"group": ["mem-md"]}},
        {"resource": "cpu", "limit": 250, "window": 1.5, "scope": {"group": ["mem-sm"]}},
        {"resource": "memory", "limit": 2**40, "window": 7, "scope": {"group": ["bytes"]}},
        {"resource": "memory", "limit": "1G", "window": 7, "scope": {}},
    ]
    empty = {"resource": "memory", "limit": "512M", "window": 30}
    read = quotas(*quotas_of(policy, {"intersection": "max", "empty": empty}))

    def found(*groups: str) -> list[tuple[str, Fraction, timedelta | None]]:
        return [
            (each.counting.resource, each.limit, each.counting.span.length)
            for each in allowances(read, person("ada", *groups), NOW, UTC)
        ]

    days = timedelta(days=30)
    assert found("mem-sm") == [("memory", 5000, days), ("cpu", 250, timedelta(hours=36))]
    assert found("mem-sm", "mem-md")[0] == ("memory", 10000, days)
    assert found("bytes") == [("memory", 1024, timedelta(days=7))]
    assert found("other") == [("memory", Fraction(1, 2), days)]


@pytest.mark.parametrize("file", hubs())
def test_policies_of_real_hubs_are_read_as_they_are(file: Path) -> None:
    section = look_up(chart_values(values_of(file)), "hub.config.UsageQuotaManager", {})
    policy, strategy = section.get("policy", []), section.get("scope_fallback_strategy", {})
    assert len(quotas(*quotas_of(policy, strategy))) == len(policy) + ("empty" in strategy)


def test_mistakes_in_policies_of_jupyterhub_usage_quotas_are_told_with_their_places() -> None:
    with pytest.raises(SettingsError) as error:
        quotas_of(
            [{"resource": "gpu", "limit": "5x", "window": 0, "scope": {"groups": ["a"]}}],
            {"intersection": "avg", "empty": {"limit": 1, "window": 3, "resource": "cpu"}},
        )
    assert [mistake.path for mistake in error.value.mistakes] == [
        "c.UsageQuotaManager.policy[0].resource",
        "c.UsageQuotaManager.policy[0].limit",
        "c.UsageQuotaManager.policy[0].window",
        "c.UsageQuotaManager.policy[0].scope.groups",
        "c.UsageQuotaManager.scope_fallback_strategy.intersection",
    ]


def test_a_day_that_is_a_date_is_taken_as_one() -> None:
    [quota] = quotas({"exceptions": [{"user": "x", "limit": "1 GiB-hours", "until": date(2026, 1, 1)}]})
    assert quota.exceptions[0].until == date(2026, 1, 1)
