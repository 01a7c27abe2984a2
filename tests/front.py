"""A proxy in front of a running hub, for browsers: one origin for the hub, its services and its servers.

It passes on what comes as it comes, which the proxy that tests can install from PyPI does not.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from .hub import RunningHub

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade"}  # of one connection, never passed on


@asynccontextmanager
async def in_front_of(hub: RunningHub) -> AsyncIterator[str]:
    """The hub's address at a proxy that runs until the block ends; it ends in `/hub/`."""

    async def pass_on(request: web.Request) -> web.StreamResponse:
        url = hub.routed(URL(hub.url).origin().join(URL(request.raw_path, encoded=True)))
        async with hub.session.request(
            request.method,
            url,
            headers=_end_to_end(request.headers),
            data=await request.read(),
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(),
        ) as answer:
            response = web.StreamResponse(status=answer.status, headers=_end_to_end(answer.headers))
            await response.prepare(request)
            try:
                async for chunk in answer.content.iter_any():
                    await response.write(chunk)
            except aiohttp.ClientPayloadError:
                request.transport.abort()  # cut there, cut here
            except ConnectionResetError:
                pass  # the browser has left
            return response

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", pass_on)
    runner = web.AppRunner(application, shutdown_timeout=1, auto_decompress=False)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        _, port = runner.addresses[0]
        yield str(URL(hub.url).with_port(port))
    finally:
        await runner.cleanup()


def _end_to_end(headers: CIMultiDict[str]) -> CIMultiDict[str]:
    return CIMultiDict((name, value) for name, value in headers.items() if name.casefold() not in HOP_BY_HOP)
