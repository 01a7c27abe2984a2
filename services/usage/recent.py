"""What was read a moment ago, for those who may see the same."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

T = TypeVar("T")


class Recent(Generic[T]):
    """Keeps answers for some seconds, at most so many of them, the oldest of which go first.

    The key must say all that an answer depends on, first of all whose usage it is: who may see that is not asked here.
    """

    def __init__(self, seconds: float, most: int = 64, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._kept: dict[Hashable, tuple[float, asyncio.Task[T]]] = {}

    async def get(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """Return what is kept under a key, or else make it, once for all who ask meanwhile. A failure is not kept."""
        now = self._clock()
        self._kept = {name: each for name, each in self._kept.items() if each[0] > now}
        if key not in self._kept:
            while len(self._kept) >= self._most:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = (now + self._seconds, asyncio.ensure_future(_called(make)))
        mine = self._kept[key]
        try:
            return await asyncio.shield(mine[1])
        except Exception:
            if self._kept.get(key) is mine:
                del self._kept[key]
            raise


async def _called(make: Callable[[], Awaitable[Any]]) -> Any:
    return await make()
