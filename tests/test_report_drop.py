"""The folder into which the service puts the report of each month."""

import asyncio
import json
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from hub_extensions.keeping import Keeping
from hub_extensions.ledger import Ledger
from hub_extensions.ledger.counting import Counter
from hub_extensions.ledger.past_months import LeftOut, NotKeptError
from hub_extensions.ledger.retention import Retention
from hub_extensions.report_drop import ReportDrop, month_report
from hub_extensions.sessions import Month, Session
from hub_extensions.usage_service import UsageSettings

ZONE = ZoneInfo("Europe/Berlin")
NOVEMBER = datetime(2026, 11, 1, 9, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger(f"sqlite:///{tmp_path}/usage.sqlite")
    ledger.migrate()
    for number in range(7):
        session = Session(
            id=uuid4().hex, hub="ocean/prod", user_name=f"p{number}", ready_at=datetime(2026, 9, 15, tzinfo=UTC)
        )
        ledger.open(session)
        ledger.close(session.id, datetime(2026, 10, 15, tzinfo=UTC), "stopped")
    yield ledger
    ledger.dispose()


@pytest.fixture
def usage(tmp_path):
    return UsageSettings(
        database="sqlite:///unused",
        hub="ocean/prod",
        time_zone="Europe/Berlin",
        reports={"report_folder": str(tmp_path / "reports"), "report_formats": ["csv", "json"]},
    )


def count(ledger, now):
    Counter(ledger, "ocean/prod", ZONE).count_up(now)


def asked(ledger):
    async def ask(read):
        return await asyncio.to_thread(read, ledger)

    return ask


def names(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_the_files_of_the_last_month_are_written_once(usage, ledger):
    drop = ReportDrop(usage)
    count(ledger, NOVEMBER)
    written = drop.write_due(ledger, NOVEMBER)
    assert names(drop.folder) == ["usage-ocean-prod-2026-10.csv", "usage-ocean-prod-2026-10.json"]
    assert [path.name for path in written] == names(drop.folder)
    value = json.loads(written[1].read_text())
    assert (value["month"], value["tables"][0]["rows"][0]["values"]["people"]) == ("2026-10", 7)
    assert drop.write_due(ledger, NOVEMBER) == []
    for path in written:
        path.unlink()  # somebody took them to where they belong
    assert ReportDrop(usage).write_due(ledger, NOVEMBER + timedelta(days=3)) == []
    assert names(drop.folder) == []


def test_a_report_of_one_community_has_the_settings_tables_without_other_groups(usage, ledger):
    usage = replace(usage, reports={**usage.reports, "report_by": ["community", "group", "profile,group", "profile"]})

    def tables(communities):
        made = month_report(ledger, usage, Month(2026, 10), NOVEMBER, communities=communities)
        return [table.name for table in made.tables if table.name.startswith("by_")]

    assert tables(["ocean-lab"]) == ["by_profile"]
    assert tables(None) == ["by_community", "by_group", "by_profile_group", "by_profile"]


def test_months_in_which_the_service_was_down_are_caught_up_with(usage, ledger):
    drop = ReportDrop(usage)
    count(ledger, NOVEMBER)
    drop.write_due(ledger, datetime(2026, 10, 2, tzinfo=UTC))
    later = datetime(2027, 1, 20, tzinfo=UTC)
    count(ledger, later)
    drop.write_due(ledger, later)
    assert names(drop.folder)[::2] == [
        f"usage-ocean-prod-{month}.csv" for month in ("2026-09", "2026-10", "2026-11", "2026-12")
    ]
    assert len(drop.due(datetime(2030, 1, 20, tzinfo=UTC))) == 12


@pytest.mark.parametrize(
    ("now", "last"),
    [
        (datetime(2026, 10, 31, 22, 59, tzinfo=UTC), "2026-09"),
        (datetime(2026, 10, 31, 23, 30, tzinfo=UTC), "2026-09"),  # half an hour past midnight in Berlin
        (datetime(2026, 11, 1, 0, 1, tzinfo=UTC), "2026-10"),
    ],
)
def test_a_month_is_due_an_hour_after_its_last_midnight(usage, now, last):
    assert ReportDrop(usage).due(now) == [Month.parse(last)]


def test_a_month_is_not_written_before_all_of_it_is_counted(usage, ledger):
    drop = ReportDrop(usage)
    assert drop.write_due(ledger, NOVEMBER) == []
    count(ledger, datetime(2026, 10, 31, 22, 55, tzinfo=UTC))
    assert drop.write_due(ledger, NOVEMBER) == []
    count(ledger, NOVEMBER)
    assert len(drop.write_due(ledger, NOVEMBER)) == 2


def test_what_a_service_that_was_killed_left_is_completed_and_not_changed(usage, ledger):
    drop = ReportDrop(usage)
    count(ledger, NOVEMBER)
    drop.folder.mkdir()
    (drop.folder / "usage-ocean-prod-2026-10.csv").write_text("as it was")
    assert [path.suffix for path in drop.write_due(ledger, NOVEMBER)] == [".json"]
    assert (drop.folder / "usage-ocean-prod-2026-10.csv").read_text() == "as it was"
    assert [path.name for path in drop.folder.iterdir() if path.name.endswith(".part")] == []


def test_two_hubs_may_share_a_folder(usage, ledger):
    count(ledger, NOVEMBER)
    Counter(ledger, "other", ZONE).count_up(NOVEMBER)
    for hub in ("ocean/prod", "other"):
        ReportDrop(replace(usage, hub=hub)).write_due(ledger, NOVEMBER)
    assert len(names(ReportDrop(usage).folder)) == 4


async def test_what_keeps_it_from_writing_is_logged_once_and_tried_again(usage, ledger, tmp_path, caplog):
    (tmp_path / "reports").write_text("a file")
    drop = ReportDrop(usage)
    count(ledger, datetime.now(UTC))
    with caplog.at_level(logging.INFO, logger="hub_extensions.report_drop"):
        assert await drop.drop(asked(ledger)) == []
        assert await drop.drop(asked(ledger)) == []
        (tmp_path / "reports").unlink()
        written = await drop.drop(asked(ledger))
    assert len(written) == 2
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO", "INFO"]


async def test_without_a_folder_nothing_is_written(usage, ledger):
    drop = ReportDrop(replace(usage, reports={}))
    assert not drop.enabled
    assert await drop.drop(asked(ledger)) == []


# Months whose sessions are no longer kept


@pytest.fixture
def gone(ledger):
    """Nothing is kept of September but what reports need, without `p0`, whom the settings left out then."""
    retention = Retention(
        ledger, "ocean/prod", ZONE, left_out=lambda _month: ["P0"], without=LeftOut(1, ("staff", "away:*"))
    )
    retention.let_go(NOVEMBER, Keeping(time=timedelta(days=28)))
    return ledger


def test_a_report_of_an_old_month_leaves_out_who_was_left_out_then(gone, usage):
    made = month_report(gone, usage, Month(2026, 9), NOVEMBER)
    assert made.tables[0].rows[0].values[0] == 6
    assert (made.asked.without_users, made.asked.without_groups) == (1, ("staff", "away:*"))
    assert made.gaps[-1].kind == "not_kept"


def test_its_tables_are_by_what_is_still_known(gone, usage):
    reports = {"report_by": ["image", "profile,choice", "profile", "group,image"]}
    made = month_report(gone, replace(usage, reports=reports), Month(2026, 9), NOVEMBER)
    assert [table.dimensions for table in made.tables if table.name.startswith("by_")] == [("profile",), ("group",)]
    assert month_report(gone, usage, Month(2026, 9), NOVEMBER, by=(("group", "profile"),)).asked.by == (
        ("group", "profile"),
    )


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"by": (("profile",), ("image",))}, "only tables by community, group and profile"),
        ({"communities": ["ocean", "ice"]}, "one community is known at a time"),
    ],
)
def test_what_is_no_longer_known_is_said(gone, usage, asked, said):
    with pytest.raises(NotKeptError, match=said):
        month_report(gone, usage, Month(2026, 9), NOVEMBER, **asked)
