"""Things that run beside a test: an event loop in a thread, and processes that cannot outlive the test."""

from __future__ import annotations

import asyncio
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator, Sequence

Result = TypeVar("Result")

# Linux ends the process when the thread that started it is gone, however that came about. Set in a Python that then
# becomes the command, as code between fork and exec is not safe in a process with threads.
_LAUNCH = """
import ctypes, os, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL
    if os.getppid() != int(sys.argv[1]):
        sys.exit("the test has ended")
os.execvp(sys.argv[2], sys.argv[2:])
"""


def bound_to(process_id: int, command: Sequence[str]) -> list[str]:
    """A command line that runs `command`, and ends with the thread of process `process_id` that started it."""
    return [sys.executable, "-I", "-S", "-c", _LAUNCH, str(process_id), *command]


class LoopThread:
    """An event loop in a thread of its own, so that a test that blocks does not block what it talks to."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """Run there, and wait for the result here."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout=60)

    async def _cancel_all(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def loop_thread() -> Iterator[LoopThread]:
    """A running `LoopThread`; at the end its tasks are cancelled and it is gone."""
    background = LoopThread()
    background._thread.start()
    try:
        yield background
    finally:
        background.run(background._cancel_all())
        background.loop.call_soon_threadsafe(background.loop.stop)
        background._thread.join()
        background.loop.close()
