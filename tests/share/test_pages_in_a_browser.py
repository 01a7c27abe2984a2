"""What people see: each page in Chromium, in light and dark mode, on a phone and on a desk, checked by axe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import Browser, Page

    from ..hub import RunningHub

WAYS = [("light", 1280), ("dark", 1280), ("light", 360), ("dark", 360)]


@pytest.fixture(params=WAYS, ids=[f"{mode}-{width}" for mode, width in WAYS])
async def page(request: pytest.FixtureRequest, chromium: Browser) -> AsyncIterator[Page]:
    mode, width = request.param
    context = await chromium.new_context(color_scheme=mode, viewport={"width": width, "height": 800})
    page = await context.new_page()
    page.set_default_timeout(10_000)
    yield page
    await context.close()


async def log_in(page: Page, hub: RunningHub, name: str) -> None:
    await page.goto(f"{hub.url}login?next={hub.app.hub.base_url.replace(' ', '%20')}home")
    await page.get_by_label("Username:").fill(name)
    await page.get_by_label("Password:", exact=True).fill(name)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url("**/hub/home")


async def assert_pleasant(page: Page, picture: Path) -> None:
    """Axe finds nothing, nothing is wider than the screen; a picture is kept for people to look at."""
    await page.screenshot(path=picture, full_page=True)
    width = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert width <= 0, f"the page is {width} pixels wider than the screen"
    results = await Axe().run(page)
    found = [
        f"{violation['id']} ({violation['impact']}): {node['html'][:200]} {node.get('failureSummary', '')}"
        for violation in results.response["violations"]
        for node in violation["nodes"]
    ]
    assert not found, "\n".join(found)


@pytest.fixture
def picture(request: pytest.FixtureRequest, screenshots: Path) -> Path:
    name = request.node.name.removeprefix("test_").replace("/", "-").replace("[", ".").rstrip("]")
    return screenshots / f"{name}.png"


async def test_login(page: Page, hub: RunningHub, picture: Path) -> None:
    await page.goto(f"{hub.url}login")
    await assert_pleasant(page, picture)


@pytest.mark.parametrize("path", ["home", "spawn", "token", "nowhere", "spawn-pending/lin"])
async def test_a_page(page: Page, hub: RunningHub, path: str, picture: Path) -> None:
    await log_in(page, hub, "lin")
    await page.goto(hub.url + path)
    await page.wait_for_load_state("networkidle")
    await assert_pleasant(page, picture)
