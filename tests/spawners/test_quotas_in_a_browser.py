"""What people with a quota see on the start page, in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from hub_extensions.ledger import Ledger
from hub_extensions.pages import PageContext
from hub_extensions.share import TEMPLATES

from ..browser import assert_pleasant
from ..hub import running_hub
from .test_doors import COMMAND
from .test_quotas import PROFILES, used

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import Browser, Page

    from ..hub import RunningHub

QUOTAS = [
    {"groups": ["ocean-lab"], "resource": "memory", "limit": "500 GiB-hours", "window": "30 days"},
    {"communities": ["ocean-lab"], "resource": "hours", "limit": "20 hours", "window": "36 hours"},
]


@pytest.fixture(scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningHub]:
    folder = tmp_path_factory.mktemp("hub")
    ledger = Ledger(f"sqlite:///{folder}/usage.sqlite")
    ledger.migrate()
    used(ledger, "ada", 18.8, community="ocean-lab")
    used(ledger, "spent", 60)
    config = {
        "JupyterHub": {
            "spawner_class": "profile-local",
            "template_paths": [str(TEMPLATES)],
            "template_vars": {"hub_extensions": PageContext("Ocean Data Hub")},
        },
        "UsageLedger": {"database": str(ledger.engine.url)},
        "ProfileLocalSpawner": {
            "profile_list": PROFILES,
            "communities": {"ocean-lab": "Ocean Lab"},
            "quotas": QUOTAS,
            "cmd": COMMAND,
            "home_dir_template": str(folder / "{username}"),
        },
    }
    async with running_hub(config) as running:
        for name in ("ada", "spent"):
            running.user(name, groups=("ocean-lab",))
        yield running


async def start_page(chromium: Browser, hub: RunningHub, name: str, **options: bool) -> Page:
    context = await chromium.new_context(viewport={"width": 1280, "height": 800}, **options)  # type: ignore[arg-type]
    page = await context.new_page()
    await page.goto(f"{hub.url}login?next={hub.app.hub.base_url.replace(' ', '%20')}spawn")
    await page.get_by_label("Username:").fill(name)
    await page.get_by_label("Password:", exact=True).fill(name)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url("**/hub/spawn")
    return page


async def test_what_is_left_stands_above_the_choices_and_what_each_uses_beside_it(
    chromium: Browser,
    hub: RunningHub,
    screenshots: Path,
) -> None:
    page = await start_page(chromium, hub, "ada")
    await expect(
        page.get_by_text("312 of 500 GiB-hours of memory left, counted over the last 30 days.")
    ).to_be_visible()
    await expect(page.get_by_text("1.2 of 20 hours of running servers for Ocean Lab left")).to_be_visible()
    large = page.get_by_role("radio", name="Large")
    await expect(large).to_have_accessible_description("32 GB memory, up to 4 CPUs Uses 16 GiB-hours an hour")
    await assert_pleasant(page, screenshots / "quota-left")
    await page.context.close()


async def test_without_scripts_a_start_over_the_quota_is_refused_in_words_on_the_page(
    chromium: Browser,
    hub: RunningHub,
    screenshots: Path,
) -> None:
    page = await start_page(chromium, hub, "spent", java_script_enabled=False)
    await expect(page.get_by_text("0 of 500 GiB-hours of memory left")).to_be_visible()
    await page.get_by_role("radio", name="Tiny").check()
    await page.get_by_role("button", name="Start").click()
    await expect(page.get_by_text("You have used 600 of the 500 GiB-hours of memory that you may use")).to_be_visible()
    await page.screenshot(path=screenshots / "quota-refused.png", full_page=True)
    await page.context.close()
