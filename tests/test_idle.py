from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hub_extensions.idle import LONGEST, Idle, Limits, time
from hub_extensions.idle_service import check_seconds
from hub_extensions.settings import check

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("90 minutes", 90 * MINUTE),
        ("1 Hour", HOUR),
        (" 12hours ", 12 * HOUR),
        ("3 days", 3 * DAY),
        ("2 weeks", 14 * DAY),
        ("30 seconds", timedelta(seconds=30)),
        ("never", None),
        ("Never", None),
    ],
)
def test_times_are_words(text, meant):
    assert time(text) == meant


@pytest.mark.parametrize(
    "text", ["", "0 hours", "1.5 hours", "-1 hours", "3600", "1 month", "never ever", "999 weeks", "١ hour"]
)
def test_what_is_no_time_is_told(text):
    with pytest.raises(ValueError, match=r"expected a time such as 90 minutes, 12 hours or 3 days"):
        time(text)


IDLE = Idle.model_validate(
    {
        "timeout": "1 hour",
        "max_age": "3 days",
        "rules": [
            {"profiles": ["GPU"], "groups": ["staff"], "timeout": "never"},
            {"profiles": ["gpu"], "timeout": "20 minutes", "max_age": "12 hours"},
            {"groups": ["ocean-*", "Ice-Lab"], "timeout": "4 hours"},
        ],
    }
)


@pytest.mark.parametrize(
    ("profile", "groups", "timeout", "max_age"),
    [
        ("", [], HOUR, 3 * DAY),
        ("small", ["desert"], HOUR, 3 * DAY),
        ("gpu", [], 20 * MINUTE, 12 * HOUR),
        ("gpu", ["ocean-lab"], 20 * MINUTE, 12 * HOUR),  # the rule that comes first
        ("gpu", ["staff"], None, 12 * HOUR),  # each limit is looked for by itself
        ("small", ["staff"], HOUR, 3 * DAY),
        ("small", ["ocean-lab"], 4 * HOUR, 3 * DAY),
        ("small", ["ice-lab"], 4 * HOUR, 3 * DAY),
    ],
)
def test_the_first_rule_that_means_a_server_and_says_it_decides_each_limit(profile, groups, timeout, max_age):
    assert IDLE.limits(profile, groups) == Limits(timeout, max_age)


@pytest.mark.parametrize(
    ("limits", "inactive", "age", "exceeded"),
    [
        (Limits(), DAY, DAY, False),
        (Limits(timeout=HOUR), HOUR, DAY, True),
        (Limits(timeout=HOUR), HOUR - timedelta(microseconds=1), DAY, False),
        (Limits(timeout=HOUR), None, DAY, False),
        (Limits(max_age=DAY), MINUTE, DAY, True),
        (Limits(max_age=DAY), DAY, None, False),
        (Limits(HOUR, DAY), MINUTE, HOUR, False),
        (Limits(HOUR, DAY), -HOUR, -HOUR, False),  # clocks differ
    ],
)
def test_a_server_is_stopped_when_a_limit_is_reached(limits, inactive, age, exceeded):
    assert limits.exceeded_by(inactive, age) is exceeded


def test_without_settings_nothing_is_ever_stopped():
    assert not Idle().is_set
    assert not Idle.model_validate({"rules": [{"groups": ["a"], "timeout": "never"}]}).is_set
    assert Idle().limits("gpu", ["a"]) == Limits()


@given(st.integers(1, int(LONGEST.total_seconds()) // 86400))
def test_the_culler_looks_often_enough(days):
    assert check_seconds(Idle(timeout=f"{days} days")) == 600
    assert check_seconds(Idle(timeout=f"{days} seconds")) == max(1, days // 2)


@pytest.mark.parametrize(
    ("idle", "told"),
    [
        ({"timeout": "soon"}, "idle.timeout"),
        ({"rules": [{"timeout": "1 hour"}]}, "names neither profiles nor groups"),
        ({"rules": [{"groups": ["a"]}]}, "has neither timeout nor max_age"),
        ({"rules": [{"group": ["a"], "timeout": "1 hour"}]}, "idle.rules[0].group"),
    ],
)
def test_mistakes_of_the_section_are_told_with_their_place(idle, told):
    with pytest.raises((ValueError, ValidationError)) as raised:
        check({"idle": idle}, "settings")
    assert told in str(raised.value)
