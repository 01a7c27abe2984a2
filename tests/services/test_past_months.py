"""Pages, files and the API of a month whose sessions are no longer kept."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from hub_extensions.ledger import Ledger
from hub_extensions.ledger.counting import Counter
from hub_extensions.ledger.tables import PEOPLE, SESSIONS
from hub_extensions.services.usage.kept_months import month_of_people
from hub_extensions.services.usage.letting_go import LettingGo
from hub_extensions.sessions import GIB, HOUR, Month
from hub_extensions.usage_service import UsageSettings

from ..ledger.made import made
from .process_hub import run_hub
from .seeded_hub import BERLIN, Seeded
from .test_people_pages import charts, figures
from .test_usage import hours, tables, visit
from .tokens import call, new_token

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

PEOPLE_OF_THE_HUB = {
    "lin": ["ocean-lab", "ocean-lab:leads"],
    "root": [],
    **{f"p{number}": ["ocean-lab"] for number in range(6)},
}
NAMES = re.compile(r"\bp\d\b")


def month(back: int = 15) -> Month:
    """A month of which sessions are not kept, which is 13 months, or another."""
    return Month.of(datetime.now(UTC), BERLIN).plus(-back)


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    folder = tmp_path_factory.mktemp("hub")
    url = f"sqlite:///{folder}/usage.sqlite"
    people = {name: {"groups": groups, "admin": name == "root"} for name, groups in PEOPLE_OF_THE_HUB.items()}
    with run_hub(folder, people, base_url="/deep/hub-a/", database=url) as hub:
        ledger = Ledger(url)
        ledger.migrate()
        start = month().window(BERLIN).start
        for number in range(7):
            of_last_month = month(16).window(BERLIN).start if number < 5 else start
            for begin, took in ((start + 24 * number * HOUR, 2), (of_last_month, 1)):
                name = f"p{number}" if number < 6 else "lin"
                session = made(
                    user_name=name, community="ocean-lab" if number else "", profile="Ocean small", ready_at=begin,
                    memory_guarantee=GIB, choices={"size": "large"}, server_name=str(took),
                )  # fmt: skip
                ledger.open(session)
                ledger.close(session.id, begin + took * HOUR, "stopped")
        ledger.open(made(user_name="p1", community="ocean-lab", ready_at=datetime.now(UTC) - timedelta(days=40)))
        Counter(ledger, "hub", BERLIN).count_up(datetime.now(UTC))
        yield Seeded(hub, url)


SETTINGS = UsageSettings(database="sqlite://", time_zone="Europe/Berlin")


def shown(ledger: Ledger, back: int, community: str | None) -> Any:
    """What pages show, but for who it is and what says that nobody knows that any more."""
    found = month_of_people(ledger, SETTINGS, BERLIN, month(back), datetime.now(UTC), community)
    return {name: value for name, value in vars(found).items() if name not in ("by_person", "past", "counted_until")}


@pytest.fixture(scope="module")
def gone(seeded: Seeded) -> Seeded:
    ledger = Ledger(seeded.url)
    asked = [(back, community) for back in (15, 16, 14, 1) for community in (None, "ocean-lab", "nobodys")]
    before = [shown(ledger, *each) for each in asked]
    LettingGo(UsageSettings(database=seeded.url, time_zone="Europe/Berlin")).let_go(datetime.now(UTC))
    assert [shown(ledger, *each) for each in asked] == before
    with ledger.engine.connect() as connection:
        assert set(connection.scalars(SESSIONS.select().with_only_columns(SESSIONS.c.user_name))) == {"p1"}
        assert set(connection.scalars(PEOPLE.select().with_only_columns(PEOPLE.c.user_name))) == {"p1"}
    ledger.dispose()
    return seeded


def test_pages_have_the_figures_and_no_names(gone: Seeded) -> None:
    page = visit(gone, "root", "hub", str(month()))
    assert figures(page) == {
        **figures(page), "People": "7", "Hours": "16.00", "GiB-hours": "16.00", "New": "2", "Retained": "5",
    }  # fmt: skip
    assert hours(page, "By community") == {"Ocean Lab": "14.00", "(none)": "2.00"}
    assert set(charts(page)) == {"People active on each day", "Hours by community", "Hours by profile"}
    assert not NAMES.search(page.text)
    assert "By person" not in page.text
    assert not tables(page).get("Sessions")
    assert "sums are kept, and no sessions" in page.text
    assert "who the people were, are no longer kept" in page.text


def test_a_lead_has_the_figures_of_the_community(gone: Seeded) -> None:
    page = visit(gone, "lin", "community/ocean-lab", str(month()))
    assert figures(page)["People"] == "6"
    assert hours(page, "By profile") == {"Ocean small": "14.00"}
    assert visit(gone, "lin", "hub", str(month())).status_code == 403


def test_a_person_reads_that_theirs_are_gone(gone: Seeded) -> None:
    page = visit(gone, "p1", month=str(month()))
    assert page.status_code == 200
    assert "Sessions of this month are no longer kept" in page.text
    assert "No server was running" not in page.text
    assert "No server was running" in visit(gone, "p2", month=str(month(3))).text


def test_files_can_still_be_had_and_say_what_is_not_known(gone: Seeded) -> None:
    answer = visit(gone, "root", "hub/report.csv", str(month()))
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    [total] = [line for line in lines if line["table"] == "total"]
    assert (total["people"], total["hours"]) == ("7", "16.00")
    assert "not_kept" in {line["name"] for line in lines if line["table"] == "gaps"}
    assert not NAMES.search(answer.text)


def ask(seeded: Seeded, who: str, path: str, **parameters: Any) -> requests.Response:
    return call(seeded.hub, path, new_token(seeded.hub, who, ["inherit"]), **{"month": str(month()), **parameters})


def test_programs_are_told(gone: Seeded) -> None:
    mine = ask(gone, "p1", "me").json()
    assert (mine["kept"], mine["total"]["sessions"]) == (False, 0)
    assert ask(gone, "p1", "me", month=str(month(1))).json()["kept"] is True
    assert ask(gone, "p1", "sessions").json() == {"sessions": [], "next": None, "kept": False}
    hub = ask(gone, "root", "hub").json()
    assert (hub["kept"], hub["total"]["people"], hub["by_person"]) == (False, 7, [])
    assert list(hub["active_per_day"].values()) == [3, 1, 1, 1, 1, 1, 1]  # p5 and lin began on the first day, too
    assert sum(hub["active_per_week"].values()) >= 7
    assert ask(gone, "lin", "communities/ocean-lab").json()["total"]["people"] == 6
    report = ask(gone, "root", "report", by="community,profile").json()
    assert {table["name"] for table in report["tables"]} >= {"by_community_profile", "active_per_week"}
    refused = ask(gone, "root", "report", by="image")
    assert refused.status_code == 404
    assert "no longer known" in refused.json()["message"]
