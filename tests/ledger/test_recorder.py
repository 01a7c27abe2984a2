"""The hub records into the ledger, whatever the database does."""

import logging
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from hub_extensions.ledger import Ledger, Recorder
from hub_extensions.sessions import Session

from .made import at, made

Blocked = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def recorder(url: str) -> Iterator[Recorder]:
    recorder = Recorder(Ledger(url, timeout=0.3), capacity=5, retry=0.02)
    yield recorder
    recorder.stop(5)
    recorder.ledger.dispose()


def everything(url: str) -> list[Session]:
    ledger = Ledger(url)
    found = ledger.sessions("hub", datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
    ledger.dispose()
    return found


def migrated(url: str) -> None:
    ledger = Ledger(url)
    ledger.migrate()
    ledger.dispose()


def lost(kind: str) -> float:
    return REGISTRY.get_sample_value("hub_extensions_ledger_lost_writes_total", {"kind": kind}) or 0


def failed(kind: str) -> float:
    return REGISTRY.get_sample_value("hub_extensions_ledger_failed_writes_total", {"kind": kind}) or 0


def test_what_is_recorded_is_in_the_ledger_after_a_flush(recorder: Recorder, url: str) -> None:
    session = made(choices={"image": "r"}, groups=frozenset({"ocean-lab"}))
    recorder.opened(session)
    recorder.closed(session.id, at(4), "stopped")
    assert recorder.flush(10)
    (found,) = everything(url)
    assert (found.choices, found.groups, found.ended_at, found.end_reason) == (
        {"image": "r"}, frozenset({"ocean-lab"}), at(4), "stopped",
    )  # fmt: skip


def test_nothing_is_opened_and_no_thread_runs_before_the_first_session(tmp_path: Path) -> None:
    before = threading.active_count()
    recorder = Recorder(Ledger(f"sqlite:///{tmp_path}/usage.sqlite"))
    assert recorder.flush(1)
    assert threading.active_count() == before
    assert list(tmp_path.iterdir()) == []


def test_what_happened_while_the_database_was_away_is_written_when_it_is_back(
    recorder: Recorder, url: str, blocked: Blocked, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "hub_extensions")
    migrated(url)
    sessions = [made(user_name=str(n)) for n in range(3)]
    failures = failed("open")
    with blocked():
        for each in sessions:
            recorder.opened(each)
        recorder.closed(sessions[0].id, at(4), "stopped")
        assert not recorder.flush(1)
    assert recorder.flush(10)
    assert {each.id: each.ended_at for each in everything(url)} == {
        sessions[0].id: at(4), sessions[1].id: None, sessions[2].id: None,
    }  # fmt: skip
    assert failed("open") > failures
    said = [record.message for record in caplog.records if record.name.startswith("hub_extensions")]
    assert len(said) == 2, said
    assert "cannot be written" in said[0]
    assert "answers again" in said[1]


def test_a_full_buffer_drops_what_comes_last_counts_it_and_says_so_once(
    recorder: Recorder, url: str, blocked: Blocked, caplog: pytest.LogCaptureFixture
) -> None:
    migrated(url)
    kept, dropped = [made(user_name=str(n)) for n in range(5)], [made(user_name=str(n)) for n in range(5, 9)]
    before = lost("open"), lost("close")
    with blocked():
        for each in [*kept, *dropped]:
            recorder.opened(each)
        recorder.closed(kept[0].id, at(4), "stopped")
        recorder.closed(dropped[0].id, at(4), "stopped")
    assert recorder.flush(10)
    assert {each.id for each in everything(url)} == {each.id for each in kept}
    assert [each.id for each in everything(url) if each.ended_at] == [kept[0].id]
    assert (lost("open") - before[0], lost("close") - before[1]) == (4, 0)
    assert len([record for record in caplog.records if "lost" in record.message]) == 1


def test_a_write_that_the_database_refuses_does_not_hold_up_the_others(
    recorder: Recorder, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = lost("open")
    recorder.opened(made(memory_limit=2**80))
    good = made()
    recorder.opened(good)
    assert recorder.flush(10)
    assert [each.id for each in everything(url)] == [good.id]
    assert lost("open") - before == 1
    assert "refused a write" in caplog.text


def test_a_ledger_that_vanishes_is_made_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/usage.sqlite"
    recorder = Recorder(Ledger(url), retry=0.02)
    recorder.opened(made())
    assert recorder.flush(10)
    recorder.ledger.dispose()
    for file in tmp_path.iterdir():
        file.unlink()
    session = made(user_name="bo")
    recorder.opened(session)
    assert recorder.stop(10)
    assert [each.id for each in everything(url)] == [session.id]


def test_a_folder_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/later/usage.sqlite"
    recorder = Recorder(Ledger(url), retry=0.02)
    recorder.opened(made())
    assert not recorder.flush(0.2)
    (tmp_path / "later").mkdir()
    assert recorder.flush(10)
    assert len(everything(url)) == 1
    assert recorder.stop(5)
    shutil.rmtree(tmp_path / "later")


def test_after_a_stop_nothing_raises_and_what_comes_is_counted_as_lost(recorder: Recorder) -> None:
    recorder.stop(5)
    before = lost("open"), lost("close")
    recorder.opened(made())
    recorder.closed("0" * 32, at(1), "stopped")
    assert (lost("open") - before[0], lost("close") - before[1]) == (1, 1)


_PROCESS = """
import sys
from datetime import datetime, UTC
from hub_extensions.ledger import Ledger, Recorder
from hub_extensions.sessions import Session
recorder = Recorder(Ledger(sys.argv[1], timeout=0.2), exit_timeout=float(sys.argv[2]))
for n in range(50):
    session = Session(id=f"{n:032x}", hub="hub", user_name=str(n), ready_at=datetime.now(UTC))
    recorder.opened(session)
    recorder.closed(session.id, datetime.now(UTC), "stopped")
"""


def process(url: str, exit_timeout: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _PROCESS, url, str(exit_timeout)], capture_output=True, text=True, timeout=60, check=True
    )


def test_what_is_queued_when_the_interpreter_exits_is_written(url: str) -> None:
    process(url, 30)
    found = everything(url)
    assert len(found) == 50
    assert all(each.ended_at for each in found)


def test_a_database_that_is_away_does_not_keep_the_interpreter_from_exiting(url: str, blocked: Blocked) -> None:
    migrated(url)
    with blocked():
        said = process(url, 0.5).stderr
    assert "100 starts and stops are lost" in said
