"""A real hub whose usage service puts last month's report into a folder, and lets go of what need not be kept."""

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

from hub_extensions.ledger.cells import Cells
from hub_extensions.ledger.totals import Totals
from hub_extensions.sessions import Month, Session
from hub_extensions.sums import Days

from .test_heartbeat import BEAT, Place, until


def counted_after(place, moment):
    counted_until = Cells(place.ledger, "hub").counted_until()
    # Two beats later, so that whatever follows a count is over.
    return counted_until is not None and counted_until > moment + timedelta(seconds=2 * BEAT)


def test_the_service_writes_last_months_report_once_and_lets_go_of_what_is_old(tmp_path):
    folder = tmp_path / "reports"
    place = Place(tmp_path)
    place.settings["usage"] |= {"report_folder": str(folder), "report_formats": ["json", "html"]}
    place.settings["hub"] = {"title": "Reef Hub"}
    last = Month.of(datetime.now(UTC), ZoneInfo("UTC")).plus(-1)
    window = last.window(UTC)
    for number in range(6):
        begin = window.start + timedelta(days=number)
        session = Session(id=uuid4().hex, hub="hub", user_name=f"p{number}", profile="small", ready_at=begin)
        place.ledger.open(session)
        place.ledger.close(session.id, begin + timedelta(hours=3), "stopped by person")
    old = datetime(2020, 6, 15, 12, tzinfo=UTC)
    session = Session(id=uuid4().hex, hub="hub", user_name="ada", profile="small", ready_at=old)
    place.ledger.open(session)
    place.ledger.close(session.id, old + timedelta(hours=2), "stopped by person")
    path = folder / f"usage-hub-{last}.json"
    with place.hub():
        until(path.exists, "the report is there")
        until(path.with_suffix(".html").exists, "the page is there")
    value = json.loads(path.read_text())
    assert value["title"] == "Reef Hub"
    assert value["tables"][0]["rows"][0]["values"]["hours"] == 18
    path.unlink()
    with place.hub():
        started = datetime.now(UTC)
        until(lambda: counted_after(place, started), "it has counted")
        until(lambda: not place.ledger.sessions("hub", old, old + timedelta(days=1)), "the old session is gone")
    assert not path.exists()
    assert Totals(place.ledger, "hub").total(Days.month(Month(2020, 6))).hours == 2
    assert len(place.ledger.sessions("hub", window.start, window.end)) == 6
