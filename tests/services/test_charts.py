"""Charts, as a page has them: they run and fetch nothing, and say in words what they show."""

from __future__ import annotations

from datetime import date, timedelta
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_extensions.services.usage.charts import MOST_BARS, bars, compact, per_day

SVG = "{http://www.w3.org/2000/svg}"
OCTOBER = [date(2026, 10, 1) + timedelta(days=number) for number in range(31)]


def words(chart: str) -> list[str]:
    root = ElementTree.fromstring(chart)
    return [each.text for each in root.iter(f"{SVG}text") if each.text]


def test_a_chart_is_one_image_that_says_what_it_shows() -> None:
    chart = per_day("chart-active", "People active on each day", dict.fromkeys(OCTOBER, 3) | {OCTOBER[7]: 12}, "people")
    root = ElementTree.fromstring(chart)
    assert root.get("role") == "img"
    told = {each.get("id"): each.text for each in root if each.tag in (f"{SVG}title", f"{SVG}desc")}
    assert told[root.get("aria-labelledby")] == "People active on each day"
    assert told[root.get("aria-describedby")].startswith("At most 12 people, on 2026-10-08.")


def test_every_day_and_its_figure_stand_on_the_chart() -> None:
    chart = per_day("chart-active", "People", {day: float(day.day) for day in OCTOBER}, "people")
    assert [words(chart).count(str(day.day)) for day in OCTOBER] == [2] * 31


def test_the_first_bar_is_on_top_and_what_there_is_no_room_for_is_one_bar() -> None:
    chart = bars("chart-x", "Hours", "", {f"profile {number}": 100.0 - number for number in range(20)})
    root = ElementTree.fromstring(chart)
    heights = {each.text: float(each.get("y", "")) for each in root.iter(f"{SVG}text") if each.text}
    assert heights["profile 0"] < heights["profile 1"] < heights["9 others"]
    assert len([each for each in heights if each.startswith("profile")]) == MOST_BARS - 1


@given(st.text(min_size=1), st.floats(0, 1e12))
def test_whatever_a_profile_is_called_the_chart_runs_and_fetches_nothing(name: str, hours: float) -> None:
    chart = bars("chart-x", "Hours", f"Most are those of {name}.", {name: hours, "</svg><script>alert(1)</script>": 1})
    for forbidden in ("<script", "href", "url(", "onload", "http://www.k", "foreignObject"):
        assert forbidden not in chart


def test_colours_are_those_of_the_page() -> None:
    chart = bars("chart-x", "Hours", "", {"small": 3.0})
    assert "var(--hub-accent" in chart
    assert "currentColor" in chart


@pytest.mark.parametrize(
    ("value", "written"),
    [(0, "0"), (0.04, "0"), (0.5, "0.5"), (9, "9"), (10.4, "10"), (999, "999"), (999.4, "999"), (999.6, "1k"),
     (1000, "1k"), (1249, "1.2k"), (99_960, "100k"), (999_400, "999k"), (2_500_000, "2.5M"), (3e9, "3G")],
)  # fmt: skip
def test_figures_on_charts_are_short(value: float, written: str) -> None:
    assert compact(value) == written


@given(st.floats(0, 9e11))
def test_no_figure_is_wider_than_its_column(value: float) -> None:
    assert len(compact(value)) <= 5
