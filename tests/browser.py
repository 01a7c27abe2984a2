"""A real browser for tests of pages, and what every page must stand up to in it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import async_playwright, expect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser, Page

WAYS: list[tuple[Literal["light", "dark"], int]] = [("light", 1280), ("dark", 1280), ("dark", 360), ("light", 360)]


expect.set_options(timeout=20_000)  # a busy machine is slow, and no test is about how fast a page changes


@pytest.fixture(scope="module")
async def chromium() -> AsyncIterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("no chromium is installed; on Debian: apt install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures of the pages go: the folder that SCREENSHOTS names, or else a temporary one."""
    folder = Path(os.environ.get("SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


async def assert_pleasant(page: Page, picture: Path) -> None:
    """In light and dark mode, on a desk and on a phone: axe finds nothing, and nothing is wider than the screen.

    Pictures are taken only for people who ask for them, by SCREENSHOTS: to paint them takes longer than to look.
    """
    found = []
    axe = Axe()
    for mode, width in WAYS:
        await page.emulate_media(color_scheme=mode, reduced_motion="reduce")
        await page.set_viewport_size({"width": width, "height": 800})
        if os.environ.get("SCREENSHOTS"):
            await page.screenshot(path=f"{picture}.{mode}-{width}.png", full_page=True, animations="disabled")
        too_wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if too_wide > 0:
            found.append(f"{mode}-{width}: the page is {too_wide} pixels wider than the screen")
        results = await axe.run(page)
        axe = Axe("true")  # its script is in the page by now
        found += [
            f"{mode}-{width}: {violation['id']}: {node['html'][:200]} {node.get('failureSummary', '')}"
            for violation in results.response["violations"]
            for node in violation["nodes"]
        ]
    assert not found, "\n".join(found)
