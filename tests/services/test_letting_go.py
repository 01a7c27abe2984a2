"""The service lets go of old sessions by itself, and of nothing else."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub_extensions.ledger import Ledger
from hub_extensions.ledger.totals import Totals
from hub_extensions.services.usage.letting_go import LettingGo
from hub_extensions.sessions import Month
from hub_extensions.sums import Days
from hub_extensions.usage_service import UsageSettings

from ..ledger.made import made

OLD = datetime(2020, 6, 15, 12, tzinfo=UTC)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/usage.sqlite"


@pytest.fixture
def ledger(url: str) -> Ledger:
    ledger = Ledger(url)
    ledger.migrate()
    for name, group in (("ada", "ocean"), ("staff", "ocean"), ("op", "ops")):
        session = made(user_name=name, ready_at=OLD, ended_at=OLD + timedelta(hours=1), groups=frozenset({group}))
        ledger.open(session)
    ledger.open(made(user_name="ada", ready_at=datetime.now(UTC) - timedelta(days=3)))
    return ledger


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110 - what it waits for happens in a database
            await asyncio.sleep(0.05)


def sessions(ledger: Ledger) -> int:
    return len(ledger.sessions("hub", OLD - timedelta(days=9), datetime.now(UTC)))


def brought_to(folder: Path, ledger: Ledger) -> Ledger:
    """Move the database to where it is looked for."""
    ledger.dispose()
    folder.mkdir()
    for file in Path(ledger.engine.url.database or "").parent.glob("usage.sqlite*"):
        file.rename(folder / file.name)
    return Ledger(f"sqlite:///{folder}/usage.sqlite")


async def test_old_sessions_become_sums_without_those_whom_reports_leave_out(url: str, ledger: Ledger) -> None:
    without = {"users": ["staff"], "groups": ["ops"]}
    task = asyncio.create_task(LettingGo(UsageSettings(database=url, reports={"without": without}), first=0).run())
    await until(lambda: sessions(ledger) == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert Totals(ledger, "hub").total(Days.month(Month(2020, 6))).people == 1


async def test_what_is_kept_forever_is_left_alone(url: str, ledger: Ledger) -> None:
    LettingGo(UsageSettings(database=url, keep_sessions="forever")).let_go(datetime.now(UTC))
    assert sessions(ledger) == 4


async def test_sqlite_learns_how_its_indexes_are_filled(url: str, ledger: Ledger) -> None:
    LettingGo(UsageSettings(database=url, keep_sessions="forever")).let_go(datetime.now(UTC))
    with ledger.engine.connect() as connection:
        known = connection.exec_driver_sql("SELECT stat FROM sqlite_stat1 WHERE idx = 'sessions_by_user'").scalar_one()
    assert known.split()[0] == "4"


async def test_a_database_that_is_away_is_told_and_tried_again(
    url: str, ledger: Ledger, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    elsewhere = tmp_path / "not-there-yet"
    settings = UsageSettings(database=f"sqlite:///{elsewhere}/usage.sqlite")
    task = asyncio.create_task(LettingGo(settings, first=0, every=0.1).run())
    await until(lambda: "Old sessions stay for now" in caplog.text)
    moved = brought_to(elsewhere, ledger)
    await until(lambda: sessions(moved) == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not [record for record in caplog.records if record.levelno > logging.WARNING]


async def test_it_ends_with_the_service_between_two_steps(url: str, ledger: Ledger) -> None:
    for number in range(400):
        start = OLD + timedelta(days=number)
        ledger.open(made(user_name=f"user{number}", ready_at=start, ended_at=start + timedelta(hours=1)))
    letting_go = LettingGo(UsageSettings(database=url), first=0)
    task = asyncio.create_task(letting_go.run())
    await until(lambda: Totals(ledger, "hub").total(Days.month(Month(2020, 6))).people > 0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 20)
    assert sessions(ledger) > 1
    letting_go = LettingGo(UsageSettings(database=url))
    letting_go.let_go(datetime.now(UTC))
    assert sessions(ledger) == 1
