"""The usage pages as people meet them: in a browser, by keyboard, on a phone, in the dark and without scripts."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import expect

from hub_extensions.invitations import Person
from hub_extensions.ledger import Ledger
from hub_extensions.ledger.invitations import InvitationStore

from ..browser import assert_pleasant
from .seeded_hub import Seeded, last_month

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Browser, BrowserContext


async def logged_in(chromium: Browser, seeded: Seeded, who: str, **options: bool) -> BrowserContext:
    context = await chromium.new_context(**options)  # type: ignore[arg-type]
    cookies = [
        {"name": each.name, "value": each.value or "", "domain": "127.0.0.1", "path": each.path}
        for each in seeded.hub.visitor(who).cookies
    ]
    await context.add_cookies(cookies)  # type: ignore[arg-type]
    return context


@pytest.mark.parametrize(
    ("name", "who", "path"),
    [
        ("mine", "ada", ""),
        ("quotas", "bo", ""),
        ("community", "lin", "community/ocean-lab"),
        ("hub", "root", "hub"),
        ("last-month-of-community", "lin", f"community/ocean-lab?month={last_month()}"),
        ("last-month-of-hub", "root", f"hub?month={last_month()}"),
        ("away", "both", "community/ice-lab/away"),
        ("nothing", "ada", "?month=2020-02"),
        ("refused", "ada", "hub"),
    ],
)
async def test_pages_are_pleasant(
    chromium: Browser, seeded: Seeded, screenshots: Path, name: str, who: str, path: str
) -> None:
    context = await logged_in(chromium, seeded, who)
    page = await context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    await page.goto(f"{seeded.hub.service}{path or f'?month={last_month()}'}")
    assert errors == []
    await assert_pleasant(page, screenshots / f"usage-{name}")
    await context.close()


async def test_the_month_is_chosen_by_keyboard_and_without_scripts(chromium: Browser, seeded: Seeded) -> None:
    context = await logged_in(chromium, seeded, "ada", java_script_enabled=False)
    page = await context.new_page()
    await page.goto(seeded.hub.service)
    await page.get_by_label("Month").focus()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**month={last_month()}")
    assert await page.get_by_role("cell", name="Ice secret").count() == 1
    assert await page.get_by_role("button", name="Toggle dark mode").count() == 0
    await context.close()


async def test_a_month_prints_as_a_report_on_a4_without_what_one_clicks(chromium: Browser, seeded: Seeded) -> None:
    context = await logged_in(chromium, seeded, "root")
    page = await context.new_page()
    await page.goto(f"{seeded.hub.service}hub?month={last_month()}")
    await page.emulate_media(media="print", color_scheme="dark")
    for role in ("button", "combobox", "navigation", "link"):
        for each in await page.get_by_role(role, include_hidden=True).all():  # type: ignore[arg-type]
            if role != "navigation" and await each.evaluate("e => !e.closest('footer') && !e.closest('.hub-brand')"):
                await expect(each).not_to_be_visible()
    # The table of days is folded on the screen only.
    await expect(page.get_by_role("rowheader", name=f"{last_month()}-01", include_hidden=True)).to_be_visible()
    assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    pdf = await page.pdf(prefer_css_page_size=True)
    sizes = set(re.findall(rb"/MediaBox \[([^]]*)\]", pdf))
    assert [[round(float(each)) for each in size.split()] for size in sizes] == [[0, 0, 595, 842]]
    await context.close()


async def test_the_theme_chosen_on_the_hubs_pages_holds_here_too(chromium: Browser, seeded: Seeded) -> None:
    context = await logged_in(chromium, seeded, "ada")
    page = await context.new_page()
    await page.goto(seeded.hub.service)
    shown = await page.locator("html").get_attribute("data-bs-theme")
    await page.get_by_role("button", name="Toggle dark mode").click()
    await page.goto(f"{seeded.hub.url}hub/token")
    assert await page.locator("html").get_attribute("data-bs-theme") != shown
    await context.close()


async def test_the_page_of_invitations_is_pleasant_and_the_link_can_be_copied(
    chromium: Browser, seeded: Seeded, screenshots: Path
) -> None:
    context = await logged_in(chromium, seeded, "lin")
    await context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = await context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    await page.goto(f"{seeded.hub.service}community/ocean-lab")
    await page.get_by_role("link", name="Invite people").click()
    await page.get_by_label("How many people").fill("30")
    await page.get_by_label("Note").fill("Summer school on sea ice and ocean currents")
    await page.get_by_role("button", name="Make an invitation").click()
    link = page.get_by_label("Pass this link on")
    await expect(link).to_be_focused()
    await page.get_by_role("button", name="Copy").click()
    await expect(page.get_by_text("Copied.")).to_be_visible()
    assert await page.evaluate("navigator.clipboard.readText()") == await link.input_value()
    token = parse_qs(urlsplit(await link.input_value()).query)["token"][0]
    store = InvitationStore(Ledger(seeded.url), "hub")
    made = store.look_up(token)
    assert made is not None
    for name in ("guest", "another-guest-with-a-long-name@example.org"):
        store.redeem(made.id, Person("oidc", name, name), datetime.now(UTC))
    await assert_pleasant(page, screenshots / "invitations-made")
    await page.goto(page.url)
    await assert_pleasant(page, screenshots / "invitations")
    assert errors == []
    await context.close()


async def test_an_invitation_is_made_and_withdrawn_by_keyboard_and_without_scripts(
    chromium: Browser, seeded: Seeded
) -> None:
    context = await logged_in(chromium, seeded, "lin", java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{seeded.hub.service}community/ocean-lab/invitations")
    await page.get_by_label("Note").focus()
    await page.keyboard.type("By keyboard")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Pass this link on")).to_have_value(re.compile("/hub/invitation[?]token="))
    await expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    row = page.get_by_role("row").filter(has_text="By keyboard")
    await row.get_by_role("button").focus()
    await page.keyboard.press("Enter")
    await expect(row).to_contain_text("withdrawn by lin")
    await context.close()
