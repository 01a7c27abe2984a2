"""Reports that the usage service makes in processes of their own."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from hub_extensions.ledger import Ledger
from hub_extensions.services.usage.pages import RefusedError
from hub_extensions.services.usage.reader import LedgerAwayError
from hub_extensions.services.usage.report_maker import ReportMaker
from hub_extensions.sessions import HOUR
from hub_extensions.usage_service import UsageSettings

from ..ledger.made import START, made

if TYPE_CHECKING:
    from pathlib import Path

ARGUMENTS = ["--month=2026-10", "--format=json"]


@pytest.fixture
def usage(tmp_path: Path) -> UsageSettings:
    url = f"sqlite:///{tmp_path}/usage.sqlite"
    ledger = Ledger(url)
    ledger.migrate()
    for number in range(6):
        session = made(user_name=f"person-{number}", ready_at=START + number * HOUR)
        ledger.open(session)
        ledger.close(session.id, START + (number + 2) * HOUR, "culled")
    ledger.dispose()
    return UsageSettings(database=url, title="Reef", communities={"ocean-lab": "Ocean Lab"})


async def test_a_report_is_made_of_what_the_service_is_told(usage: UsageSettings) -> None:
    found = json.loads(await ReportMaker(usage).make(ARGUMENTS))
    assert found["title"] == "Reef"
    assert found["tables"][0]["rows"][0]["values"]["hours"] == 12


async def test_of_two_at_once_one_waits_and_both_are_made(usage: UsageSettings) -> None:
    maker = ReportMaker(usage)
    one, other = await asyncio.gather(maker.make(ARGUMENTS), maker.make([*ARGUMENTS, "--by=image"]))
    assert len(json.loads(other)["tables"]) == len(json.loads(one)["tables"]) - 1


async def test_one_that_takes_too_long_is_ended_and_said(usage: UsageSettings) -> None:
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    with pytest.raises(RefusedError) as refused:
        await ReportMaker(usage, timeout=0.05).make(ARGUMENTS)
    assert refused.value.status_code == 503
    assert "takes too long" in refused.value.sentence
    until = time.monotonic() + 10
    while {child.pid for child in psutil.Process().children(recursive=True)} - before:
        assert time.monotonic() < until
        await asyncio.sleep(0.05)


async def test_a_community_that_does_not_exist_has_none(usage: UsageSettings) -> None:
    with pytest.raises(RefusedError) as refused:
        await ReportMaker(usage).make([*ARGUMENTS, "--community=--help"])
    assert refused.value.status_code == 404


async def test_a_ledger_that_does_not_answer_is_no_mistake_of_whoever_asks() -> None:
    nobody = UsageSettings(database="postgresql+psycopg://x@127.0.0.1:1/usage")
    with pytest.raises(LedgerAwayError):
        await ReportMaker(nobody).make(ARGUMENTS)
