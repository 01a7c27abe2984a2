"""What people do with their servers, by the REST API, in the words of a test."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..hub import RunningHub


async def eventually(condition: Callable[[], Awaitable[bool]], what: str, seconds: float = 20) -> None:
    try:
        async with asyncio.timeout(seconds):
            while not await condition():  # noqa: ASYNC110  # what is awaited is on the other side of HTTP
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"{what}: not within {seconds} seconds") from None


async def start(hub: RunningHub, user: str, options: Any = None) -> None:
    reply = await hub.api("POST", f"users/{user}/server", user=user, json=options or {})
    assert reply.status == 201, reply.text


async def stop(hub: RunningHub, user: str) -> None:
    reply = await hub.api("DELETE", f"users/{user}/server", user=user)
    assert reply.status in {202, 204}, reply.text
    await eventually(lambda: is_stopped(hub, user), f"the server of {user} stops")


async def is_stopped(hub: RunningHub, user: str) -> bool:
    return not (await hub.api("GET", f"users/{user}")).json()["servers"]
