"""What people see: each page in Chromium, in light and dark mode, on a phone and on a desk, checked by axe."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from ..browser import assert_pleasant
from .hubs import PROFILES, profile, render_form

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import Browser, Page

    from ..hub import RunningHub


@pytest.fixture
async def page(chromium: Browser) -> AsyncIterator[Page]:
    context = await chromium.new_context(viewport={"width": 1280, "height": 800})
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


@pytest.fixture
def picture(request: pytest.FixtureRequest, screenshots: Path) -> Path:
    name = request.node.name.removeprefix("test_").replace("/", "-").replace("[", ".").rstrip("]")
    return screenshots / name


async def test_login(page: Page, hub: RunningHub, picture: Path) -> None:
    await page.goto(f"{hub.url}login")
    await assert_pleasant(page, picture)


@pytest.mark.parametrize("path", ["home", "spawn", "token", "nowhere", "spawn-pending/lin"])
async def test_a_page(page: Page, hub: RunningHub, path: str, picture: Path) -> None:
    await log_in(page, hub, "lin")
    await page.goto(hub.url + path)
    await page.wait_for_load_state("networkidle")
    await assert_pleasant(page, picture)


@pytest.mark.parametrize("way", ["refused-account", "crash"])
async def test_an_error(page: Page, hub: RunningHub, way: str, picture: Path) -> None:
    await page.goto(f"{hub.url}fails/{way}")
    await assert_pleasant(page, picture)


async def test_a_start_that_takes_its_time(page: Page, hub: RunningHub, picture: Path) -> None:
    await log_in(page, hub, f"slow-{secrets.token_hex(2)}")
    await page.goto(f"{hub.url}spawn")
    await page.get_by_role("radio", name="Slow").check()
    await page.get_by_role("button", name="Start").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Your server is starting")
    await expect(page.get_by_role("status")).to_have_text(
        "Fetching the environment: the first time can take some minutes."
    )
    await expect(page.locator("[aria-current=step]")).to_have_text("Fetching the environment")
    await expect(page.get_by_role("status")).to_have_text("The environment is here. Starting your server.")
    await expect(page.locator("[aria-current=step]")).to_have_text("Starting it")
    for event in await page.get_by_text("quay.io/x/y").all():
        await expect(event).not_to_be_visible()
    await assert_pleasant(page, picture)


async def test_a_start_that_fails_later(page: Page, hub: RunningHub, picture: Path) -> None:
    await log_in(page, hub, f"late-{secrets.token_hex(2)}")
    await page.goto(f"{hub.url}spawn")
    await page.get_by_role("radio", name="Late").check()
    await page.get_by_role("button", name="Start").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Your server did not start")
    await expect(page.get_by_role("link", name="Try again")).to_be_visible()
    await expect(page.get_by_text("Event log")).to_be_visible()
    await expect(page.locator("#progress-log")).not_to_be_visible()
    await assert_pleasant(page, picture)


async def test_a_start_that_fails_at_once(page: Page, hub: RunningHub, picture: Path) -> None:
    await log_in(page, hub, f"broken-{secrets.token_hex(2)}")
    await page.goto(f"{hub.url}spawn")
    await page.get_by_role("radio", name="Broken").check()
    await page.get_by_role("button", name="Start").click()
    await expect(page.get_by_text("There is no <free> place on this hub.").first).to_be_visible()
    await assert_pleasant(page, picture)


async def test_only_the_chosen_environment_shows_its_options(page: Page) -> None:
    await page.set_content(render_form(PROFILES))
    ocean, land = (page.get_by_role("group", name=f"Options of {name}") for name in ("Ocean analysis", "Land use"))
    await expect(ocean).to_be_visible()
    await expect(land).not_to_be_visible()
    await page.get_by_text("For maps and surveys.").click(force=True)
    await expect(ocean).not_to_be_visible()
    await expect(land).to_be_visible()


async def test_keys_are_enough(page: Page) -> None:
    await page.set_content(render_form(PROFILES))
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("radio", name="Ocean analysis")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_role("radio", name="Land use")).to_be_checked()


async def submitted(page: Page) -> dict[str, str]:
    """What the form would send now; None of it when the browser refuses."""
    sent: dict[str, str] = await page.evaluate(
        "() => { const form = document.forms[0];"
        " return form.checkValidity() ? Object.fromEntries(new FormData(form)) : {}; }"
    )
    return sent


async def test_a_write_in_is_asked_for_checked_and_sent_only_when_chosen(page: Page) -> None:
    await page.set_content(f"<form>{render_form(PROFILES)}</form>")
    field = page.get_by_label("Name of your image")
    start = {"profile": "ocean", "profile-option-ocean--image": "python", "profile-option-ocean--size": "small"}
    assert await submitted(page) == start
    await expect(field).not_to_be_visible()
    await page.get_by_label("Another image…").check()
    assert await submitted(page) == {}
    await field.fill("docker.io/evil")
    assert await submitted(page) == {}
    await page.get_by_role("radio", name="Python").check()
    await expect(field).not_to_be_visible()
    assert await submitted(page) == start
    await page.get_by_label("Another image…").check()
    await field.fill("quay.io/me/x:1")
    assert await submitted(page) == {
        **start,
        "profile-option-ocean--image": "unlisted-choice",
        "profile-option-ocean--image--unlisted-choice": "quay.io/me/x:1",
    }
    await page.get_by_role("radio", name="Land use").check()
    assert await submitted(page) == {"profile": "land", "profile-option-land--size": "small"}


async def test_search_narrows_the_list_and_keeps_what_is_chosen(page: Page) -> None:
    profiles = [profile(f"p{n}", f"Profile {n}", description="even" if n % 2 == 0 else "odd") for n in range(12)]
    await page.set_content(f"<form>{render_form([*profiles, profile('ice', 'Sea ice', selected=True)])}</form>")
    await page.get_by_label("Find an environment").fill("EVEN pro")
    await expect(page.get_by_role("radio")).to_have_count(7)
    await expect(page.locator("#hub-search-found")).to_have_text("6 of 13 environments")
    await page.get_by_label("Find an environment").press("Enter")
    await expect(page.get_by_role("radio", name="Sea ice")).to_be_checked()


async def test_a_server_is_started_without_scripts(chromium: Browser, hub: RunningHub) -> None:
    name = f"plain-{secrets.token_hex(2)}"
    context = await chromium.new_context(java_script_enabled=False)
    page = await context.new_page()
    await log_in(page, hub, name)
    await page.goto(f"{hub.url}spawn")
    await expect(page.get_by_label("Name of your image")).not_to_be_visible()
    await page.get_by_role("radio", name="Land use").check()
    await page.get_by_role("radio", name="Large").check()
    await page.get_by_role("button", name="Start").click()
    await page.wait_for_url(re.compile("/spawn-pending/|/user/"))  # the second where the start is quick
    [spawner] = hub.app.users[name].spawners.values()
    assert spawner.user_options["profile"] == "land"
    assert spawner.user_options["profile-option-land--size"] == "large"
    await context.close()


async def test_the_theme_is_changed_by_the_button(page: Page, hub: RunningHub) -> None:
    await page.goto(f"{hub.url}login")
    before = await page.evaluate("getComputedStyle(document.body).getPropertyValue('--hub-accent')")
    await page.get_by_role("button", name="Toggle dark mode").click()
    assert await page.evaluate("getComputedStyle(document.body).getPropertyValue('--hub-accent')") != before
