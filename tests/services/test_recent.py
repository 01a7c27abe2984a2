"""What was read a moment ago."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from hub_extensions.services.usage.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def counted(answers: list[str], text: str) -> Callable[[], Awaitable[str]]:
    async def make() -> str:
        answers.append(text)
        await asyncio.sleep(0)
        return text

    return make


async def test_an_answer_is_kept_for_its_time_and_for_its_key_alone() -> None:
    clock, made = Clock(), list[str]()
    recent: Recent[str] = Recent(60, clock=clock)
    assert await recent.get(("ocean", 1), counted(made, "ocean")) == "ocean"
    assert await recent.get(("ice", 1), counted(made, "ice")) == "ice"
    assert await recent.get((None, 1), counted(made, "hub")) == "hub"
    clock.now = 59
    assert await recent.get(("ocean", 1), counted(made, "again")) == "ocean"
    clock.now = 60
    assert await recent.get(("ocean", 1), counted(made, "later")) == "later"
    assert made == ["ocean", "ice", "hub", "later"]


async def test_those_who_ask_meanwhile_wait_for_the_same_answer() -> None:
    made: list[str] = []
    recent: Recent[str] = Recent(60)
    found = await asyncio.gather(*(recent.get("x", counted(made, "once")) for _ in range(5)))
    assert (found, made) == (["once"] * 5, ["once"])


async def test_a_failure_is_told_and_not_kept() -> None:
    recent: Recent[str] = Recent(60)

    async def fails() -> str:
        raise ValueError("away")

    with pytest.raises(ValueError, match="away"):
        await recent.get("x", fails)
    assert await recent.get("x", counted([], "well")) == "well"


async def test_it_keeps_no_more_than_it_may() -> None:
    made: list[str] = []
    recent: Recent[str] = Recent(60, most=2)
    for name in ("a", "b", "c", "c", "b", "a"):
        await recent.get(name, counted(made, name))
    assert made == ["a", "b", "c", "a"]
