"""A server on loopback that logs its calls and fails when it is told to."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web
from yarl import URL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(eq=False)
class Failure:
    """What the next `times` calls of a path (a pattern) get: an error, or with status 0 their answer, only later.

    A `body` that is text is an error page, anything else is JSON. `seconds` are waited first; with `math.inf` no answer
    ever comes.
    """

    path: str = "*"
    status: int = 0
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0
    times: float = math.inf

    def response(self) -> web.Response:
        """The error, as an answer."""
        if isinstance(self.body, str):
            return web.Response(text=self.body, content_type="text/html", status=self.status, headers=self.headers)
        return web.json_response(self.body, status=self.status, headers=self.headers)


@dataclass(frozen=True)
class Call:
    """A request that arrived; `person` is whom its token belongs to."""

    method: str
    path: str
    query: Mapping[str, str]
    person: str = ""


class RefusedError(Exception):
    """An error as an API tells it: status, JSON, headers."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, body)
        self.response = web.json_response(body, status=status, headers=headers)


class Server:
    """Listens on a free port of 127.0.0.1 in the test's own event loop; `most_at_once` calls were under way at once."""

    def __init__(self) -> None:
        self.url = ""
        self.calls: list[Call] = []
        self.most_at_once = 0
        self.failures: list[Failure] = []
        self._under_way = 0
        self._runner: web.AppRunner | None = None
        self._stopping = asyncio.Event()

    def routes(self) -> list[web.RouteDef]:
        """What it answers."""
        raise NotImplementedError

    def caller(self, request: web.Request) -> str:
        """Whom a call's token belongs to, for the log."""
        raise NotImplementedError

    async def start(self) -> None:
        """Listen; after a stop, on the same port."""
        self._stopping = asyncio.Event()
        application = web.Application(middlewares=[self._receive])
        application.add_routes(self.routes())
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", URL(self.url).port or 0 if self.url else 0).start()
        self.url = "http://{}:{}".format(*self._runner.addresses[0][:2])

    async def stop(self) -> None:
        """Refuse connections from now on; who waits for an answer gets none."""
        self._stopping.set()
        if self._runner:
            await self._runner.cleanup()
        self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @contextmanager
    def failing(self, *failures: Failure) -> Iterator[None]:
        """Fail like that until the block ends; the first failure that fits a call is what it gets."""
        self.failures = [*failures, *self.failures]
        try:
            yield
        finally:
            self.failures = [failure for failure in self.failures if failure not in failures]

    def count(self, pattern: str = "*") -> int:
        """How many calls of these paths have arrived."""
        return sum(fnmatchcase(call.path, pattern) for call in self.calls)

    def counts(self) -> Counter[str]:
        """How many calls have arrived, by path."""
        return Counter(call.path for call in self.calls)

    def forget_calls(self) -> None:
        """Count from nothing again."""
        self.calls.clear()
        self.most_at_once = 0

    @web.middleware
    async def _receive(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.calls.append(Call(request.method, request.path, dict(request.query), self.caller(request)))
        self._under_way += 1
        self.most_at_once = max(self.most_at_once, self._under_way)
        try:
            return await self._fail(request) or await handler(request)
        except RefusedError as refused:
            return refused.response
        finally:
            self._under_way -= 1

    async def _fail(self, request: web.Request) -> web.Response | None:
        failure = next((f for f in self.failures if f.times > 0 and fnmatchcase(request.path, f.path)), None)
        if failure is None:
            return None
        failure.times -= 1
        if failure.seconds:
            await self._wait(failure.seconds)
        return failure.response() if failure.status else None

    async def _wait(self, seconds: float) -> None:
        """Sleep, but not beyond the end of this server."""
        try:
            async with asyncio.timeout(None if seconds == math.inf else seconds):
                await self._stopping.wait()
        except TimeoutError:
            return
