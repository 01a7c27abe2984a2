"""The pages of a community and of the hub: figures, charts, files, and who was away; and who may see which."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import requests

from hub_extensions.ledger import Ledger
from hub_extensions.ledger.counting import Counter
from hub_extensions.services.usage.people_month import read_people_month
from hub_extensions.sessions import HOUR
from hub_extensions.sums import Days
from hub_extensions.usage_service import UsageSettings

from ..ledger.made import made
from .seeded_hub import BERLIN, Seeded, last_month
from .test_usage import hours, tables, visit

if TYPE_CHECKING:
    from pathlib import Path

OTHERS = re.compile(r"\b(Ice|eve|Open to all)\b")
"""What a page of the other community, or of the hub, has and that of ocean-lab has not."""
FILES = ("report.csv", "report.json", "report.html")


def figures(page: requests.Response) -> dict[str, str]:
    assert page.status_code == 200, page.text
    return dict(re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", page.text))


def charts(page: requests.Response) -> dict[str, str]:
    return {re.findall("<title[^>]*>([^<]+)", each)[0]: each for each in re.findall(r"<svg.*?</svg>", page.text, re.S)}


# What they show


def test_a_lead_sees_the_people_of_their_community(seeded: Seeded) -> None:
    found = figures(visit(seeded, "lin", "community/ocean-lab", str(last_month())))
    # One of the four had a server as the month began.
    assert {name: found[name] for name in ("Active", "New", "Returning", "Retained", "Lost")} == {
        "Active": "4", "New": "3", "Returning": "0", "Retained": "1", "Lost": "0",
    }  # fmt: skip
    assert (found["Sessions"], found["Hours"], found["Person-hours"]) == ("5", "13.00", "13.00")


def test_a_lead_sees_how_long_sessions_were(seeded: Seeded) -> None:
    page = " ".join(visit(seeded, "lin", "community/ocean-lab", str(last_month())).text.split())
    assert "half were at most 2 h 00 min long, and nine in ten at most 7 h 00 min." in page


def test_pages_say_until_when_they_are_counted_and_what_is_missing(seeded: Seeded) -> None:
    page = visit(seeded, "root", "hub", str(last_month()))
    assert re.search(r"Counted until\s+<time datetime=\"20\d\d-", page.text)
    assert "There are no records before" in page.text
    assert "is not over" in visit(seeded, "root", "hub").text


def test_profiles_and_communities_are_called_as_people_know_them(seeded: Seeded) -> None:
    page = visit(seeded, "root", "hub", str(last_month()))
    assert hours(page, "By profile")["Open to all"] == "10.00"
    assert hours(page, "By community") == {"Ocean Lab": "13.00", "(none)": "10.00", "Ice Lab": "9.00"}
    assert {row[2] for row in tables(page)["Sessions"]} >= {"Open to all", "Ice sheets"}


def test_each_chart_has_a_table_with_the_same_figures(seeded: Seeded) -> None:
    page = visit(seeded, "root", "hub", str(last_month()))
    drawn = charts(page)
    assert set(drawn) == {"People active on each day", "Hours by community", "Hours by profile"}
    for name, value in hours(page, "By community").items():
        assert f">{name}</text>" in drawn["Hours by community"]
        assert f">{float(value):.0f}</text>" in drawn["Hours by community"]
    days = {day: count for day, count in tables(page)["People"][1:] if re.fullmatch(r"\d{4}-\d\d-\d\d", day)}
    assert len(days) >= 28
    assert sorted(re.findall(r">(\d+)</text>", drawn["People active on each day"])) == sorted(
        [str(int(day[-2:])) for day in days] + [count for count in days.values() if count != "0"]
    )


def test_the_people_of_each_week_are_told(seeded: Seeded) -> None:
    page = visit(seeded, "root", "hub", str(last_month()))
    weeks = {week: int(count) for week, count in tables(page)["People"][1:] if "-W" in week}
    began = Days.month(last_month()).start  # all ran within the four days that began then
    first = f"{began:%G}-W{began:%V}"
    assert set(weeks) <= {first, f"{began + timedelta(days=3):%G-W%V}"}
    # Those of the first day are ada, from the day before on, and ada2.
    assert weeks[first] >= 2


def test_a_person_sees_their_hours_of_each_day(seeded: Seeded) -> None:
    page = visit(seeded, "ada", month=str(last_month()))
    days = {day: value for day, value in tables(page)["Hours on each day"][1:] if value != "0.00"}
    # Five hours and two on the first day, one on the third.
    assert list(days.values()) == ["7.00", "1.00"]
    assert list(charts(page)) == ["Hours on each day"]


# What can be kept


@pytest.mark.parametrize("path", FILES)
def test_a_report_can_be_kept_and_gives_nobody_away(seeded: Seeded, path: str) -> None:
    answer = visit(seeded, "root", f"hub/{path}", str(last_month()))
    assert answer.status_code == 200
    kind = path.partition(".")[2]
    assert answer.headers["Content-Disposition"] == f'attachment; filename="usage-hub-{last_month()}.{kind}"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Ocean Data" in answer.text
    assert not re.search(r"\b(ada|bo|eve|mallory)\b", answer.text)


def test_the_report_of_a_community_is_of_it_alone(seeded: Seeded) -> None:
    for path in FILES:
        answer = visit(seeded, "lin", f"community/ocean-lab/{path}", str(last_month()))
        assert answer.status_code == 200
        assert not OTHERS.search(answer.text)
        assert f'filename="usage-ocean-lab-{last_month()}.' in answer.headers["Content-Disposition"]
    told = json.loads(visit(seeded, "lin", "community/ocean-lab/report.json", str(last_month())).text)
    assert told["communities"] == ["ocean-lab"]
    assert told["month"] == str(last_month())
    assert [table["name"] for table in told["tables"] if table["name"].startswith("by_")] == ["by_profile"]
    assert told["withheld"] is True  # four people are too few


def test_the_file_has_the_hours_of_the_page(seeded: Seeded) -> None:
    lines = list(csv.DictReader(io.StringIO(visit(seeded, "root", "hub/report.csv", str(last_month())).text)))
    [total] = [line for line in lines if line["table"] == "total"]
    page = figures(visit(seeded, "root", "hub", str(last_month())))
    assert (total["people"], total["hours"], total["gib_hours"]) == (page["People"], page["Hours"], page["GiB-hours"])


# Who was away


def test_a_lead_sees_who_of_their_members_the_hub_has_not_seen(seeded: Seeded) -> None:
    for name in ("both", "cy"):  # cy is there, and has not come back since
        seeded.hub.visitor(name)
    ice = visit(seeded, "both", "community/ice-lab/away")
    assert ["cy", "never", "–"] in tables(ice)["Longest away first"]
    ocean = visit(seeded, "both", "community/ocean-lab/away")
    assert ocean.status_code == 200
    assert not re.search(r"\bcy\b", ocean.text)


def test_an_admin_sees_it_too_and_whom_the_hub_shows_nobody_reads_why_not(seeded: Seeded) -> None:
    seeded.hub.visitor("cy")
    assert re.search(r"\bcy\b", visit(seeded, "root", "community/ice-lab/away").text)
    refused = visit(seeded, "zoe", "community/ice-lab/away")
    assert refused.status_code == 403
    assert "The hub does not show you the people of this community." in refused.text


# Who sees what


@pytest.mark.parametrize("path", ["", *(f"/{each}" for each in FILES), "/away"])
@pytest.mark.parametrize("query", ["", "community=ocean-lab", "communities=ice-lab", "user=ada", "by=person", "scope="])
def test_nobody_reaches_what_is_of_others_by_any_address(seeded: Seeded, path: str, query: str) -> None:
    month = f"month={last_month()}"
    for who, place in [
        ("lin", "community/ice-lab"),
        ("lin", "community/ice-lab%2f..%2focean-lab"),
        ("lin", "community/ICE-LAB"),
        ("lin", "community/ocean-lab%00"),
        ("ada2", "community/ocean-lab"),
        ("tui", "community/ocean-lab"),
        ("ines", "community/ocean-lab"),
    ]:
        answer = visitor(seeded, who).get(f"{seeded.hub.service}{place}{path}?{month}&{query}", timeout=20)
        assert answer.status_code in {400, 403, 404}, (who, place, path)
        assert not re.search(r"Ice sheets|Ice secret|Ocean analysis|<svg", answer.text)
    answer = visitor(seeded, "lin").get(f"{seeded.hub.service}hub{path}?{month}&{query}", timeout=20)
    assert answer.status_code in {403, 404}
    ours = visitor(seeded, "lin").get(f"{seeded.hub.service}community/ocean-lab{path}?{month}&{query}", timeout=20)
    assert ours.status_code == 200
    assert not OTHERS.search(ours.text)


def test_what_an_admin_has_just_seen_is_not_shown_to_a_lead(seeded: Seeded) -> None:
    month = str(last_month().plus(-1))
    for who in ("root", "lin", "both", "root"):
        for place in ("hub", "community/ice-lab", "community/ocean-lab"):
            for path in ("", "/report.json"):
                page = visit(seeded, who, f"{place}{path}", month)
                allowed = {"root": True, "lin": place.endswith("ocean-lab"), "both": place != "hub"}[who]
                assert page.status_code == (200 if allowed else 403)
    page = visit(seeded, "both", "community/ice-lab", month)
    assert "ada" not in page.text  # who had a server then, for another community


def test_sessions_of_another_hub_in_the_same_database_are_on_no_page(seeded: Seeded) -> None:
    for path in ("hub", "community/ocean-lab"):
        page = visit(seeded, "root", path)
        assert "Running now" in page.text
        assert "Of another hub" not in page.text


def test_a_stranger_is_sent_to_log_in_and_nothing_can_be_posted(seeded: Seeded) -> None:
    lin = visitor(seeded, "lin")
    lin.get(f"{seeded.hub.service}community/ocean-lab", timeout=20)
    for path in (
        "community/ocean-lab",
        *(f"community/ocean-lab/{each}" for each in (*FILES, "away")),
        "hub/report.csv",
    ):
        answer = requests.get(f"{seeded.hub.service}{path}", timeout=20, allow_redirects=False)
        assert answer.status_code == 302
        assert lin.post(f"{seeded.hub.service}{path}", timeout=20).status_code in {403, 405}


def test_the_first_month_that_there_is_has_no_page(seeded: Seeded) -> None:
    for month in ("0002-01", "0001-01"):
        assert visit(seeded, "root", "hub", month).status_code == 400
    assert visit(seeded, "root", "hub", "9998-12").status_code == 200


@pytest.mark.parametrize("path", ["", *(f"/{each}" for each in FILES), "/away"])
def test_a_name_that_no_community_can_have_has_no_page_for_anybody(seeded: Seeded, path: str) -> None:
    answer = visitor(seeded, "root").get(f"{seeded.hub.service}community/ocean%00lab{path}", timeout=20)
    assert (answer.status_code, "There is no such page" in answer.text) == (404, True)


_VISITORS: dict[tuple[str, str], requests.Session] = {}


def visitor(seeded: Seeded, who: str) -> requests.Session:
    """Somebody who has logged in once and goes on with it."""
    key = (seeded.hub.url, who)
    if key not in _VISITORS:
        _VISITORS[key] = seeded.hub.visitor(who)
    return _VISITORS[key]


# What is read


@pytest.fixture
def large(tmp_path: Path) -> Ledger:
    """A month of 130 people, of whom one is staff."""
    ledger = Ledger(f"sqlite:///{tmp_path}/usage.sqlite")
    ledger.migrate()
    start = last_month().window(BERLIN).start
    for number in range(130):
        session = made(user_name=f"p{number:03}", community="reef", ready_at=start + number * HOUR)
        ledger.open(session)
        ledger.close(session.id, session.ready_at + number * HOUR, "stopped")
    Counter(ledger, "hub", BERLIN).count_up(datetime.now(UTC))
    return ledger


def test_a_hundred_people_and_fifty_sessions_have_rows_of_their_own(large: Ledger) -> None:
    usage = UsageSettings(
        database="sqlite://",
        reports={"without": {"users": ["P129"]}},
        service_users=("p128",),
        time_zone="Europe/Berlin",
    )
    found = read_people_month(large, usage, BERLIN, last_month(), datetime.now(UTC), "reef")
    assert found.figures.total.people == 128
    assert [name for name, _ in found.figures.by_person] == [f"p{number:03}" for number in range(127, 27, -1)]
    assert found.more_people == 28
    assert [row.session.user_name for row in found.rows] == [f"p{number:03}" for number in range(127, 77, -1)]
