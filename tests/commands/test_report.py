"""`hub-extensions report`, called as from a shell."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from hub_extensions.ledger import Ledger
from hub_extensions.ledger.cells import Cells
from hub_extensions.ledger.counting import Counter
from hub_extensions.sessions import Session

from .running import run, settings_file

SETTINGS = """
hub: {{title: Reef Hub, service_users: [probe]}}
communities: {{ocean-lab: {{branding: {{primary_color: "#2a6b2f"}}}}, ice-lab: {{}}}}
usage:
  database: "{url}"
  hub_name: reef
  time_zone: Europe/Berlin
  prices: {{currency: EUR, cpu_hour: 0.5}}
  without: {{users: [admin]}}
  report_by: [profile]
branding: {{primary_color: "#0b6e99"}}
"""


@pytest.fixture
def url(tmp_path):
    url = f"sqlite:///{tmp_path}/usage.sqlite"
    ledger = Ledger(url)
    ledger.migrate()
    people = [*(f"p{number}" for number in range(8)), "probe", "Admin"]
    for number, name in enumerate(people):
        begin = datetime(2026, 10, 5, 12, tzinfo=UTC)
        session = Session(
            id=uuid4().hex,
            hub="reef",
            user_name=name,
            community="ocean-lab" if number < 7 else "ice-lab",
            profile="small",
            cpu_guarantee=2,
            ready_at=begin,
        )
        ledger.open(session)
        ledger.close(session.id, begin + timedelta(hours=1), "stopped")
    ledger.dispose()
    return url


@pytest.fixture
def file(tmp_path, url):
    return settings_file(tmp_path, SETTINGS.format(url=url))


call = partial(run, "report")


def test_a_report_has_the_settings_prices_tables_and_who_is_left_out(file):
    ended = call("--settings", file, "--month", "2026-10", "--format", "json")
    assert ended.exit_code == 0, ended.output
    value = json.loads(ended.stdout)
    assert (value["hub"], value["title"], value["time_zone"]) == ("reef", "Reef Hub", "Europe/Berlin")
    assert value["without"] == {"users": 1, "groups": []}
    tables = {table["name"]: table["rows"] for table in value["tables"]}
    assert tables["by_profile"] == [
        {
            "labels": {"profile": "small"},
            "rows_together": 0,
            "values": {
                "people": 8, "sessions": 8, "hours": 8.0, "person_hours": 8.0, "gib_hours": 0.0, "cpu_hours": 16.0,
                "gpu_hours": 0.0, "estimated_cost": 8.0,
            },
        }
    ]  # fmt: skip
    assert tables["people"][0]["values"]["active"] == 8


def test_tables_are_asked_for_and_csv_is_the_default(file):
    ended = call("--config", file, "--month", "2026-10", "--by", "community", "--by", "profile,community")
    assert ended.exit_code == 0, ended.output
    assert "\r\n" in ended.stdout_bytes.decode()
    rows = list(csv.DictReader(io.StringIO(ended.stdout_bytes.decode(), newline="")))
    shown = [(row["table"], row["community"], row["people"]) for row in rows if row["table"].startswith("by_")]
    assert shown[0] == ("by_community", "(others)", "8")
    assert "ice-lab" not in ended.stdout
    everybody = call("--config", file, "--month", "2026-10", "--by", "community", "--fewest-people", "0")
    assert '"ice-lab"' in everybody.stdout


def test_a_page_is_written_to_a_file(file, tmp_path):
    path = tmp_path / "october.html"
    ended = call("--settings", file, "--month", "2026-10", "--format", "html", "--output", str(path))
    assert (ended.exit_code, ended.output) == (0, "")
    page = path.read_text(encoding="utf-8")
    assert "<title>Usage in 2026-10 · Reef Hub</title>" in page
    assert "#0b6e99" in page


def test_a_report_of_a_community_says_so_and_has_no_table_by_community(file):
    path = Path(file)
    by = '["community", "community,profile", "profile"]'
    path.write_text(path.read_text().replace("report_by: [profile]", f"report_by: {by}"))
    ended = call("--settings", file, "--month", "2026-10", "--community", "ocean-lab", "--format", "json")
    value = json.loads(ended.stdout)
    assert value["communities"] == ["ocean-lab"]
    assert value["tables"][0]["rows"][0]["values"]["people"] == 7
    assert [table["name"] for table in value["tables"] if table["name"].startswith("by_")] == ["by_profile"]


def test_a_page_of_one_community_has_its_brand_and_one_of_several_that_of_the_hub(file):
    def brands(*communities):
        ended = call("--settings", file, "--month", "2026-10", "--format", "html", *communities)
        assert ended.exit_code == 0, ended.output
        return [colour for colour in ("#0b6e99", "#2a6b2f") if colour in ended.stdout]

    assert brands("--community", "ocean-lab") == ["#2a6b2f"]
    assert brands("--community", "ice-lab") == ["#0b6e99"]
    assert brands("--community", "ocean-lab", "--community", "ice-lab") == ["#0b6e99"]


def test_without_settings_the_days_are_those_that_the_hub_counts_by(url):
    ledger = Ledger(url)
    Counter(ledger, "reef", ZoneInfo("Asia/Tokyo")).count_up(datetime.now(UTC))
    ended = call("--database", url, "--hub", "reef", "--month", "2026-10", "--format", "json")
    assert json.loads(ended.stdout)["time_zone"] == "Asia/Tokyo"
    assert Cells(ledger, "reef").counted_until() is not None
    ledger.dispose()


def test_another_time_zone_than_the_hubs_changes_nothing(file, url):
    ledger = Ledger(url)
    Counter(ledger, "reef", ZoneInfo("Asia/Tokyo")).count_up(datetime.now(UTC))
    ended = call("--settings", file)
    assert ended.exit_code == 2
    assert "the days of this hub are counted in Asia/Tokyo" in ended.stderr
    assert Cells(ledger, "reef").counted_until() is not None
    ledger.dispose()


def test_a_month_without_anybody_is_a_report_too(file):
    ended = call("--settings", file, "--month", "2031-01", "--format", "json")
    assert ended.exit_code == 0, ended.output
    value = json.loads(ended.stdout)
    assert value["tables"][0]["rows"][0]["values"]["people"] == 0
    assert value["gaps"][0]["kind"] == "not_over"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--month", "2026-13"], "--month: there is no month 2026-13"),
        (["--month", "October"], "--month: expected a month such as 2026-10, found 'October'."),
        (["--by", "comunity"], "--by: there are no tables by 'comunity'. Did you mean 'community'?"),
        (["--by", "profile,profile"], "--by: 'profile,profile' has profile twice."),
        (["--format", "pdf"], "'pdf' is not one of"),
        (["--attribution", "half"], "'half' is not one of"),
        (["--fewest-people", "-1"], "-1 is not in the range"),
        (["--community", "ocean"], "The settings have no community 'ocean'. Did you mean 'ocean-lab'?"),
        (["--hub", "ref"], "The database has no hub 'ref'. Did you mean 'reef'?"),
        (["--database", "oracle://x"], "must be sqlite"),
        (["--database", "sqlite:////nowhere/usage.sqlite"], "There is no database /nowhere/usage.sqlite."),
        (["--output", "/nowhere/report.csv"], "/nowhere/report.csv cannot be written"),
        (["--settings", "nowhere.yaml"], "nowhere.yaml: there is no such file."),
    ],
)
def test_a_wrong_call_ends_in_one_sentence(file, arguments, said):
    ended = call("--settings", file, *arguments)
    assert ended.exit_code == 2
    assert said in ended.stderr
    assert "Traceback" not in ended.output


def test_without_a_database_it_says_where_to_give_one():
    ended = call("--month", "2026-10")
    assert ended.exit_code == 2
    assert "Where is the hub's database?" in ended.stderr


def test_a_database_that_does_not_answer_is_said_in_one_sentence(tmp_path):
    (tmp_path / "usage.sqlite").write_text("this is no database, but a text that is long enough to be read as one")
    ended = call("--database", f"sqlite:///{tmp_path}/usage.sqlite")
    assert ended.exit_code == 1
    assert "The database does not answer" in ended.stderr


def test_all_mistakes_in_the_settings_of_reports_are_told_at_once(tmp_path):
    path = tmp_path / "hub.yaml"
    path.write_text(
        """
usage:
  database: sqlite:///usage.sqlite
  prices: {currency: Euro, cpu_hour: -1, gib_hours: 2, profiles: {course: free}}
  without: {user: [admin]}
  fewest_people: many
  report_by: [comunity]
  report_folder: reports
  report_formats: [pdf]
"""
    )
    ended = call("--settings", str(path))
    assert ended.exit_code == 2
    for said in (
        "9 mistakes",
        "usage.prices.currency: ",
        "usage.prices.cpu_hour: ",
        "usage.prices.gib_hours: unknown key. Did you mean 'gib_hour'?",
        "usage.prices.profiles.course: ",
        "usage.without.user: unknown key. Did you mean 'users'?",
        "usage.fewest_people: ",
        "usage.report_by[0]: there are no tables by 'comunity'. Did you mean 'community'?",
        "usage.report_folder: expected the whole path of a folder, such as /srv/reports, found 'reports'.",
        "usage.report_formats[0]: ",
    ):
        assert said in ended.stderr
