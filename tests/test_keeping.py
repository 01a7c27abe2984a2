"""How long sessions are kept: what settings may say, and which months stay."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_extensions.keeping import USUAL, Keeping
from hub_extensions.quotas import LONGEST_WINDOW

NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("13 months", date(2025, 10, 1)),
        ("1 month", date(2026, 10, 1)),
        ("2 Years", date(2024, 11, 1)),
        (" 30 days ", date(2026, 10, 1)),
        ("52weeks", date(2025, 11, 1)),
        ("400 days", date(2025, 10, 1)),
        ("forever", None),
    ],
)
def test_months_stay_until_all_of_them_is_old_enough(text: str, first: date | None) -> None:
    assert Keeping.parse(text).first_kept(NOW, UTC) == first


def test_months_are_those_of_the_hubs_time_zone() -> None:
    new_year = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    assert Keeping.parse("1 month").first_kept(new_year, UTC) == date(2026, 11, 1)
    assert Keeping.parse("1 month").first_kept(new_year, ZoneInfo("Europe/Berlin")) == date(2026, 12, 1)


@pytest.mark.parametrize(
    "text",
    ["", "13", "months", "0 days", "27 days", "3 weeks", "-1 months", "1.5 years", "month", "9999 years", "١ month"],
)
def test_anything_else_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="such as 13 months"):
        Keeping.parse(text)


def test_what_is_usual_is_enough_for_every_quota() -> None:
    assert Keeping.parse(USUAL).shortest >= LONGEST_WINDOW


@given(
    st.integers(1, 60).map(lambda n: f"{n} months") | st.integers(28, 2000).map(lambda n: f"{n} days"),
    st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)),  # noqa: DTZ001
    st.sampled_from([UTC, ZoneInfo("Europe/Berlin"), ZoneInfo("Pacific/Apia")]),
)
def test_no_session_goes_earlier_than_it_says(text: str, now: datetime, zone: ZoneInfo) -> None:
    keeping = Keeping.parse(text)
    today = now.replace(tzinfo=UTC)
    first = keeping.first_kept(today, zone)
    assert first is not None
    assert today.astimezone(zone).date() - first >= keeping.shortest
    assert today.astimezone(zone).date() - first <= keeping.shortest + timedelta(days=31 + keeping.months)
