"""Why a server ends: asked for by somebody, or by itself."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

from traitlets import List, Unicode

from hub_extensions.end_reasons import EndReason
from hub_extensions.idle_service import CULLERS

from .hook_chain import HookChain

if TYPE_CHECKING:
    from datetime import datetime

    from .session import SessionRecord


class Endings(HookChain):
    """Put this before a Spawner class, to tell the ledger why its servers end."""

    cullers = List(
        Unicode(),
        list(CULLERS),
        config=True,
        help="""
        Services of the hub that stop servers which are idle or old.

        The ledger has the reason `culled` for what they stop; for what any other service stops, it has the same as for
        what an admin stops.
        """,
    )

    # What ProfileSpawner has.
    session: SessionRecord

    async def poll(self) -> int | None:
        """Note what became of the server, if it is gone."""
        status: int | None = await super().poll()
        if status is None:
            self.session.runs()
        else:
            self.session.ends(*self.own_end(status))
        return status

    async def stop(self, now: bool = False) -> None:
        """Note who asked for it, then stop."""
        if not now:
            self._note_who_stops()
        await super().stop(now=now)

    async def run_post_stop_hook(self) -> None:
        """Close the session, then run the chain."""
        self.session.close()
        await super().run_post_stop_hook()

    def own_end(self, status: int) -> tuple[EndReason, datetime | None]:
        """Why a server ended unasked, and when if that is known, from its exit status."""
        return EndReason.CRASHED if status else EndReason.ENDED, None

    def _note_who_stops(self) -> None:
        request = _request_that_stops(self)
        if request is not None:
            self._asked_for_by(request.current_user)
        # Ready, but the proxy does not lead to it.
        self.session.ends(EndReason.FAILED if getattr(self, "_proxy_pending", False) else EndReason.STOPPED)

    def _asked_for_by(self, somebody: Any) -> None:
        kind, name = getattr(somebody, "kind", ""), getattr(somebody, "name", "")
        self.log.info("%s is stopped by the %s %s", self._log_name, kind, name)
        if kind == "service":
            culled = name.casefold() in map(str.casefold, self.cullers)
            self.session.ends(EndReason.CULLED if culled else EndReason.BY_ADMIN)
        elif kind == "user":
            self.session.ends(EndReason.BY_PERSON if name == self.user.name else EndReason.BY_ADMIN)


def _request_that_stops(spawner: Any) -> Any:
    """The handler of the request in whose task the server is being stopped; None if there is none, or it is not found.

    JupyterHub tells nobody who asked. But whatever stops a server for a request does so in a task which the spawner
    knows, and whose coroutine belongs to the request's handler.
    """
    task = asyncio.current_task()
    stopping: Any = getattr(spawner, "_stop_future", None)
    if task is None or task is not stopping:
        return None
    coroutine = task.get_coro()
    if not inspect.iscoroutine(coroutine):
        return None
    handler = inspect.getcoroutinelocals(coroutine).get("self")
    return handler if hasattr(handler, "current_user") else None
