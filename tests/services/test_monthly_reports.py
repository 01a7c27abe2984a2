"""A real hub whose usage service puts last month's report into a folder."""

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

from hub_extensions.ledger.cells import Cells
from hub_extensions.sessions import Month, Session

from .test_heartbeat import BEAT, Place, until


def counted_after(place, moment):
    counted_until = Cells(place.ledger, "hub").counted_until()
    # Two beats later, so that whatever follows a count is over.
    return counted_until is not None and counted_until > moment + timedelta(seconds=2 * BEAT)


def test_the_service_writes_last_months_report_once(tmp_path):
    folder = tmp_path / "reports"
    place = Place(tmp_path)
    place.settings["usage"] |= {"report_folder": str(folder), "report_formats": ["json", "html"]}
    place.settings["hub"] = {"title": "Reef Hub"}
    last = Month.of(datetime.now(UTC), ZoneInfo("UTC")).plus(-1)
    for number in range(6):
        begin = last.window(UTC).start + timedelta(days=number)
        session = Session(id=uuid4().hex, hub="hub", user_name=f"p{number}", profile="small", ready_at=begin)
        place.ledger.open(session)
        place.ledger.close(session.id, begin + timedelta(hours=3), "stopped by person")
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
    assert not path.exists()
