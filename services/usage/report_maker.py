"""Makes the files of reports, one at a time, each in a process of its own.

What keeps figures of few people from being worked out takes long for many tables of a large hub, and would keep pages
waiting meanwhile. A process can be ended when nobody waits for it any more.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from typing import TYPE_CHECKING

from .pages import RefusedError
from .reader import LedgerAwayError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub_extensions.usage_service import UsageSettings

log = logging.getLogger(__name__)

_COMMAND = (sys.executable, "-P", "-m", "hub_extensions.commands", "report")
_CALLED_WRONGLY = 2


class ReportMaker:
    """Makes files of reports of the hub that the settings name; ``timeout`` in seconds bounds how long one may take."""

    def __init__(self, settings: UsageSettings, *, timeout: float = 30.0) -> None:
        self.settings = settings
        self.timeout = timeout
        self._one_at_a_time = asyncio.Lock()

    async def make(self, arguments: Sequence[str]) -> bytes:
        """Return the file that ``hub-extensions report`` makes with these arguments.

        Raises ``RefusedError`` when there is no such report or it takes too long, ``LedgerAwayError`` when the ledger
        does not answer.
        """
        try:
            async with asyncio.timeout(self.timeout), self._one_at_a_time:
                status, content, said = await self._run(arguments)
        except TimeoutError:
            raise RefusedError(
                503,
                "This report takes too long to make here, or others are being made. Ask for fewer tables. The people "
                "who run this hub can make it with “hub-extensions report”.",
            ) from None
        if status == 0:
            return content
        log.warning("The report %s cannot be made: %s", " ".join(arguments)[:200], said.strip()[-300:])
        if status == _CALLED_WRONGLY:
            raise RefusedError(
                404,
                "There is no such community, nothing is recorded of this hub yet, or what is asked for is no longer "
                "known of so old a month.",
            )
        raise LedgerAwayError

    async def _run(self, arguments: Sequence[str]) -> tuple[int, bytes, str]:
        # The hub's token is not for it.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTERHUB_")}
        process = await asyncio.create_subprocess_exec(
            *_COMMAND,
            *arguments,
            env=inherited | self.settings.environment(),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
        )
        try:
            content, said = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return process.returncode or 0, content, said.decode(errors="replace")
