"""What the usage service takes for an answer of its hub, and what not."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from hub_extensions.services.usage.heartbeat import Heartbeat, HubAwayError, HubWatch, ended
from hub_extensions.session_json import written

from ..ledger.made import made

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from hub_extensions.ledger import Ledger

ADA = made(user_name="ada")
GOOD = {"hub": "hub", "ledger": True, "at": datetime.now(UTC).isoformat(), "servers": [written(ADA)], "stopping": {}}


class Told(RequestHandler):
    """Answers what the test says."""

    status, body = 200, ""

    async def get(self) -> None:
        self.set_status(Told.status)
        self.write(Told.body)


@pytest.fixture
async def watch() -> AsyncIterator[HubWatch]:
    socket, port = bind_unused_port()
    server = HTTPServer(Application([("/hub/api/hub-extensions/servers", Told)]))
    server.add_socket(socket)
    found = HubWatch(f"http://127.0.0.1:{port}/hub/api", "token", "hub", timeout=5, most_bytes=100_000)
    yield found
    found.close()
    server.stop()


async def test_a_complete_answer_is_what_runs(watch: HubWatch) -> None:
    Told.status, Told.body = 200, json.dumps(GOOD)
    assert (await watch.running()).sessions == {ADA.id: ADA}


@pytest.mark.parametrize(
    ("told", "texts"),
    [([{"text": "Hello", "until": "2030-01-31"}], ["Hello"]), ([{"text": "Hello", "colour": "red"}], []), (3, [])],
)
async def test_what_the_hub_announces_comes_along_and_costs_nothing_where_it_is_strange(
    told: object, texts: list[str], watch: HubWatch
) -> None:
    Told.status, Told.body = 200, json.dumps({**GOOD, "announcements": told})
    found = await watch.running()
    assert [each.text for each in found.announcements] == texts
    assert found.sessions == {ADA.id: ADA}


@pytest.mark.parametrize(
    ("told", "names"), [({"ice": "Ice cores"}, {"ice": "Ice cores"}), ({"ice": ["Ice"]}, {}), (3, {})]
)
async def test_so_do_the_names_of_its_profiles(told: object, names: dict[str, str], watch: HubWatch) -> None:
    Told.status, Told.body = 200, json.dumps({**GOOD, "profiles": told})
    assert (await watch.running()).profiles == names


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, json.dumps(GOOD)),
        (500, "{}"),
        (200, ""),
        (200, "[]"),
        (200, "{}"),
        (200, json.dumps(GOOD)[:-2]),
        (200, json.dumps({**GOOD, "hub": "another"})),
        (200, json.dumps({**GOOD, "ledger": False})),
        (200, json.dumps({**GOOD, "servers": None})),
        (200, json.dumps({**GOOD, "servers": [{"id": "a"}]})),
        (200, json.dumps({**GOOD, "at": "now"})),
        (200, json.dumps(GOOD) + " " * 200_000),
    ],
    ids=[
        "refused", "failed", "empty", "a list", "nothing", "cut", "of another hub", "without a ledger", "no list",
        "a part of a session", "no moment", "too long",
    ],
)  # fmt: skip
async def test_anything_else_is_none(status: int, body: str, watch: HubWatch) -> None:
    Told.status, Told.body = status, body
    with pytest.raises(HubAwayError):
        await watch.running()


async def test_a_hub_that_is_not_there_gives_none() -> None:
    socket, port = bind_unused_port()
    socket.close()
    watch = HubWatch(f"http://127.0.0.1:{port}/hub/api", "token", "hub", timeout=2)
    with pytest.raises(HubAwayError):
        await watch.running()
    watch.close()


class AnswersJustThen:
    """A ledger whose first answer comes just when the wait for it is cancelled: Python 3.11 then loses the latter."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def ask(self, read: Callable[[Ledger], Any]) -> Any:
        if not self.asked.is_set():
            self.asked.set()
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
        return 0


async def test_a_heartbeat_ends_also_when_that_falls_together_with_an_answer(watch: HubWatch) -> None:
    Told.status, Told.body = 200, json.dumps(GOOD)
    ledger = AnswersJustThen()
    beating = asyncio.create_task(Heartbeat(watch, ledger, UTC, every=0.01, first=0).run())
    await asyncio.wait_for(ledger.asked.wait(), 10)
    ending = asyncio.create_task(ended(beating))
    await asyncio.wait([ending], timeout=5)
    assert beating.done()
