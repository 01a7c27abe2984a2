"""The report of a month: its tables, cost, and what it leaves out."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hub_extensions.prices import Prices, rounded
from hub_extensions.report_settings import ReportSettings, parse_by, plain
from hub_extensions.report_words import gap_sentence
from hub_extensions.reports import Asked, Figures, Gap, report
from hub_extensions.sessions import Month
from hub_extensions.sums import Kept, Lengths
from hub_extensions.usage_parts import MICROSECONDS, Kind, Part

NOW = datetime(2026, 11, 1, 6, tzinfo=UTC)
ASKED = Asked(hub="hub", title="Ocean Data Hub", time_zone="UTC", month=Month(2026, 10), fewest=0)


def part(people, hours=1.0, *, community="ocean", profile="small", groups=(), choices=(), sessions=1, **given):
    amounts = {"gib_hours": 4 * hours, "cpu_hours": 2 * hours, "gpu_hours": 0.0, **given}
    time = int(hours * MICROSECONDS)
    kind = Kind(community, profile, "image:1", tuple(choices), tuple(groups))
    return Part(kind, frozenset(people), sessions, time, time, **amounts)


def figures(*parts, **given):
    return Figures(
        **{
            "parts": parts,
            "kept": Kept(0, 0, len({person for each in parts for person in each.people}), 0),
            "active_before": 9,
            "active_per_day": {},
            "active_per_week": {},
            "last_day": date(2026, 10, 31),
            "active_7": 0,
            "active_30": 0,
            "lengths": Lengths(0, timedelta(), timedelta()),
            "ended": 0,
            "counted_until": NOW,
            **given,
        }
    )


def table(made, name):
    [found] = [each for each in made.tables if each.name == name]
    return found


def by_name(made, name):
    """Rows as label(s) → figures by column."""
    found = table(made, name)
    columns = [column.name for column in found.columns]
    return {row.labels: dict(zip(columns, row.values, strict=True)) for row in found.rows}


def test_total_and_tables_add_up_people_once_and_hours_exactly():
    parts = [part({1, 2}, 1.5), part({2, 3}, 0.25, profile="large"), part({4}, 10, community="ice")]
    made = report(replace(ASKED, by=(("community",), ("community", "profile"))), figures(*parts), NOW)
    assert by_name(made, "total")[()] == {
        "people": 4,
        "sessions": 3,
        "hours": Decimal("11.75"),
        "person_hours": Decimal("11.75"),
        "gib_hours": Decimal("47.00"),
        "cpu_hours": Decimal("23.50"),
        "gpu_hours": Decimal("0.00"),
    }
    assert {labels: row["people"] for labels, row in by_name(made, "by_community").items()} == {
        ("ice",): 1,
        ("ocean",): 3,
    }
    assert list(by_name(made, "by_community_profile")) == [("ice", "small"), ("ocean", "small"), ("ocean", "large")]


@pytest.mark.parametrize(
    ("attribution", "hours", "overlap"),
    [
        ("full", {"a": "3.00", "b": "6.00", "": "1.00"}, "3.00"),
        ("split", {"a": "1.50", "b": "4.50", "": "1.00"}, "0.00"),
        ("primary", {"a": "3.00", "b": "3.00", "": "1.00"}, "0.00"),
    ],
)
def test_each_way_to_attribute_to_groups_is_named_and_shows_the_overlap(attribution, hours, overlap):
    parts = [part({1}, 3, groups=("a", "b"), community=""), part({2}, 3, groups=("b",)), part({3}, 1)]
    made = report(replace(ASKED, by=(("group",),), attribution=attribution), figures(*parts), NOW)
    assert {label: str(row["hours"]) for (label,), row in by_name(made, "by_group").items()} == hours
    notes = " ".join(table(made, "by_group").notes)
    assert f"Attribution to groups: {attribution}." in notes
    assert f"{overlap} hours more than the total" in notes
    assert any(term == f"groups ({attribution} attribution)" for term, _ in made.definitions)


def test_the_primary_group_is_that_of_the_community_of_the_session():
    parts = [part({1}, 3, groups=("a", "Ocean"), community="ocean")]
    made = report(replace(ASKED, by=(("group",),), attribution="primary"), figures(*parts), NOW)
    assert list(by_name(made, "by_group")) == [("Ocean",)]


def test_a_session_counts_for_each_of_its_choices():
    parts = [part({1}, 2, choices=("image: a", "size: b")), part({2}, 1)]
    made = report(replace(ASKED, by=(("choice",),)), figures(*parts), NOW)
    assert list(by_name(made, "by_choice")) == [("image: a",), ("size: b",), ("",)]
    assert "2.00 hours more than the total" in " ".join(table(made, "by_choice").notes)


PRICES = Prices(currency="EUR", cpu_hour="0.1", gib_hour="0.01", gpu_hour="2", profiles={"course": "0.5"})


def test_cost_is_by_the_profile_or_else_by_what_was_given_and_said_to_be_an_estimate():
    parts = [part({1}, 10), part({2}, 10, profile="course"), part({3}, 1, profile="gpu", gpu_hours=1.0)]
    made = report(replace(ASKED, by=(("profile",),), prices=PRICES), figures(*parts), NOW)
    cost = {label: row["estimated_cost"] for (label,), row in by_name(made, "by_profile").items()}
    assert cost == {"small": Decimal("2.40"), "course": Decimal("5.00"), "gpu": Decimal("2.24")}
    assert by_name(made, "total")[()]["estimated_cost"] == Decimal("9.64")
    assert table(made, "total").columns[-1].title == "Estimated cost (EUR)"
    [meaning] = [meaning for term, meaning in made.definitions if term == "estimated cost"]
    assert "not a bill" in meaning
    assert "0.1 EUR for a CPU-hour" in meaning


def test_without_prices_there_is_no_cost():
    made = report(ASKED, figures(part({1})), NOW)
    assert "cost" not in str(made)


def test_prices_are_the_decimal_numbers_that_were_written():
    """0.1 three hundred times is 30, and not a little more."""
    prices = Prices.model_validate({"currency": "USD", "cpu_hour": 0.1})
    nothing = Fraction()
    costs = [prices.cost("x", hours=nothing, gib_hours=nothing, cpu_hours=Fraction(1), gpu_hours=nothing)] * 300
    assert sum(costs) == 30


@pytest.mark.parametrize(("cost", "shown"), [("0.125", "0.12"), ("0.135", "0.14"), ("0.1251", "0.13"), ("0", "0.00")])
def test_halves_of_a_cent_go_to_the_even_one(cost, shown):
    assert str(rounded(Fraction(cost))) == shown


@pytest.mark.parametrize(
    "wrong", [{"currency": "euro"}, {"currency": "EUR", "cpu_hour": -1}, {"currency": "EUR", "cpu_hour": "nan"}, {}]
)
def test_wrong_prices_are_refused(wrong):
    with pytest.raises(ValidationError):
        Prices.model_validate(wrong)


def test_small_rows_are_pooled_and_add_up_to_the_total():
    parts = [part(range(20), 40), part({20, 21}, 3, profile="p"), part(range(22, 27), 5, profile="q")]
    made = report(replace(ASKED, by=(("profile",),), fewest=5), figures(*parts), NOW)
    rows = table(made, "by_profile").rows
    assert [(row.labels, row.together, row.values[0]) for row in rows] == [(("small",), 0, 20), ((None,), 2, 7)]
    assert sum(row.values[2] for row in rows) == by_name(made, "total")[()]["hours"]
    assert "Rows of fewer than 5 people are shown together with others." in table(made, "by_profile").notes


def test_of_fewer_people_than_that_nothing_is_shown():
    parts = [part({1, 2}, 123.0), part({3}, 7.0)]
    given = figures(
        *parts,
        active_per_day={date(2026, 10, 3): 3},
        active_7=2,
        active_30=3,
        lengths=Lengths(3, timedelta(hours=4), timedelta(hours=8)),
        ended=3,
        gaps=(Gap("not_seen_running", since=date(2026, 10, 3), sessions=20, people=2),),
    )
    made = report(replace(ASKED, by=(("profile",), ("community", "profile")), fewest=5), given, NOW)
    assert made.withheld
    # New, returning and so on of nobody may be told.
    assert {value for each in made.tables for row in each.rows for value in row.values} <= {None, 0}
    assert gap_sentence(made.gaps[0]).startswith("Some sessions are said to run")


def test_weeks_of_few_people_are_not_told():
    given = figures(part(range(9)), active_per_week={"2026-W41": 4, "2026-W40": 5})
    found = table(report(replace(ASKED, fewest=5), given, NOW), "active_per_week")
    assert [(row.labels, row.values) for row in found.rows] == [(("2026-W40",), (5,)), (("2026-W41",), (None,))]
    assert found.dimensions == ("week",)


def test_lengths_of_the_sessions_of_few_people_are_not_shown_and_others_to_the_minute():
    lengths = Lengths(9, timedelta(hours=1, minutes=30, seconds=10), timedelta(hours=8))
    few = report(replace(ASKED, fewest=5), figures(part(range(9)), lengths=lengths, ended=4), NOW)
    many = report(replace(ASKED, fewest=5), figures(part(range(9)), lengths=lengths, ended=5), NOW)
    assert table(few, "sessions").rows[0].values == (1, None, None)
    assert table(many, "sessions").rows[0].values == (1, Decimal("1.50"), Decimal("8.00"))


def test_people_who_came_and_went_are_kept_back_where_they_are_few():
    kept = Kept(new=2, returning=0, retained=9, lost=7)
    made = report(replace(ASKED, fewest=5), figures(part(range(11)), kept=kept), NOW)
    people = by_name(made, "people")[()]
    assert (people["active"], people["new"], people["returning"], people["retained"]) == (11, None, 0, None)


@st.composite
def usages(draw):
    return draw(
        st.lists(
            st.builds(
                part,
                st.frozensets(st.integers(0, 25), min_size=1, max_size=9),
                st.integers(1, 10_000).map(lambda number: number * 1.37),
                community=st.sampled_from(["a", "b", ""]),
                profile=st.sampled_from(["p", "q", "r"]),
                groups=st.lists(st.sampled_from(["g", "h"]), unique=True).map(sorted),
                sessions=st.integers(1, 5),
            ),
            max_size=8,
        )
    )


@given(usages(), st.sampled_from(["full", "split", "primary"]))
def test_rows_of_a_report_are_of_enough_people_and_add_up(parts, attribution):
    by = (("community",), ("profile",), ("group",), ("community", "profile"))
    made = report(replace(ASKED, by=by, fewest=5, attribution=attribution), figures(*parts), NOW)
    total = by_name(made, "total")[()]
    for name in ("by_community", "by_profile", "by_group", "by_community_profile"):
        rows = table(made, name).rows
        assert all(row.values[0] >= 5 for row in rows)
        if rows and not (name == "by_group" and attribution == "full"):
            assert abs(sum(row.values[2] for row in rows) - total["hours"]) <= len(rows) * Decimal("0.01")


def test_what_is_left_out_is_said():
    asked = replace(ASKED, without_users=2, without_groups=("staff", "robots"), communities=("ocean",))
    meanings = dict(report(asked, figures(), NOW).definitions)
    assert "2 people by name and whoever is in the group staff or robots are left out" in meanings["left out"]
    assert "programs are never counted" in meanings["left out"]
    assert meanings["this report"] == "Only sessions that were started for ocean are counted."


@pytest.mark.parametrize(
    ("text", "by"), [("community", ("community",)), (" Community , profile", ("community", "profile"))]
)
def test_tables_are_asked_for_in_words(text, by):
    assert parse_by(text) == by


@pytest.mark.parametrize(
    ("text", "said"),
    [("comunity", "Did you mean 'community'?"), ("profile,profile", "twice"), ("", "Known: "), ("user", "tables by")],
)
def test_a_wrong_table_is_told_in_words(text, said):
    with pytest.raises(ValueError, match=said):
        parse_by(text)


def test_settings_reach_another_process_as_they_are():
    settings = ReportSettings(
        prices=PRICES, without={"users": ["Ada"], "groups": ["staff"]}, report_by=("community, profile",)
    )
    assert settings.report_by == ("community,profile",)
    assert ReportSettings.model_validate(plain(settings)) == settings


@pytest.mark.parametrize(
    ("gap", "said"),
    [
        (
            Gap("not_kept", until=date(2025, 9, 30)),
            "Of the days until 2025-09-30 sums are kept, and no sessions: what was told by image, choice or person is "
            "no longer known.",
        ),
        (Gap("not_over", until=date(2026, 10, 7)), "The month is not over: it is counted through 2026-10-07."),
        (Gap("end_not_seen", date(2026, 10, 1), date(2026, 10, 2), 1), "Nobody saw the end of one session between"),
        (Gap("not_counted", since=date(2026, 10, 1)), "Some sessions since 2026-10-01 are not counted in full yet"),
        (Gap("before_records", until=date(2026, 10, 2)), "There are no records before 2026-10-02."),
    ],
)
def test_gaps_are_told_in_words(gap, said):
    assert gap_sentence(gap).startswith(said)
