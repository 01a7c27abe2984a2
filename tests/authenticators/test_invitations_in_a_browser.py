"""The link of an invitation as people meet it: in a browser, from another site, without scripts, in any colours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from hub_extensions.invitations import Person, proposed
from hub_extensions.ledger import Ledger
from hub_extensions.ledger.invitations import InvitationStore
from hub_extensions.share import TEMPLATES

from ..browser import assert_pleasant, chromium, screenshots  # noqa: F401 - fixtures
from ..hub import running_hub
from ..share.hubs import page_context

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import Browser, BrowserContext, Page

    from ..hub import RunningHub

OURS = {"template_paths": [str(TEMPLATES)], "template_vars": {"hub_extensions": page_context()}}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> InvitationStore:
    return InvitationStore(Ledger(f"sqlite:///{tmp_path_factory.mktemp('invitations')}/usage.sqlite"), "hub")


@pytest.fixture(scope="module", params=[OURS, {}], ids=["pages of the bundle", "pages of JupyterHub"])
async def hub(store: InvitationStore, request: pytest.FixtureRequest) -> AsyncIterator[RunningHub]:
    community = {"title": "Ocean Lab", "members": [{"invitation": True}]}
    settings = {
        "JupyterHub": {"authenticator_class": "community-dummy", "redirect_to_server": False, **request.param},
        "Authenticator": {"allow_all": False},
        "CommunityAuthenticator": {
            "communities": {"ocean-lab": community, "land-group": {"members": [{"users": ["lena"]}]}},
            "contact": "help@example.org",
        },
        "UsageLedger": {"database": str(store.ledger.engine.url)},
    }
    async with running_hub(settings) as running:
        yield running


@pytest.fixture
async def context(chromium: Browser) -> AsyncIterator[BrowserContext]:  # noqa: F811 - a fixture
    context = await chromium.new_context(java_script_enabled=False)
    context.set_default_timeout(10_000)
    yield context
    await context.close()


def link(hub: RunningHub, store: InvitationStore, *, uses: int = 1) -> str:
    now = datetime.now(UTC)
    _, token = store.make(
        proposed("hub", "ocean-lab", "lin", now, expires_at=now + timedelta(days=1), uses=uses, note="")
    )
    return f"{hub.url}invitation?token={token}"


async def click(page: Page, address: str) -> None:
    """Click a link in a page of no site, as a mail program shows one."""
    await page.set_content(f'<a href="{address}">Join us</a>')
    await page.get_by_role("link").click()


async def log_in(page: Page, name: str) -> None:
    await page.get_by_label("Username:").fill(name)
    await page.get_by_label("Password:", exact=True).fill("x")
    await page.get_by_role("button", name="Sign in").click()


async def test_a_link_in_a_mail_leads_through_the_login_to_the_hub(
    hub: RunningHub, store: InvitationStore, context: BrowserContext
) -> None:
    page = await context.new_page()
    await click(page, link(hub, store))
    await expect(page.get_by_role("heading", level=1)).to_have_text("Join Ocean Lab")
    await page.get_by_role("button", name="Accept and sign in").click()
    carried = [each for each in await context.cookies(hub.url) if each["name"] == "jupyterhub-invitation"]
    assert [(each["httpOnly"], each["sameSite"]) for each in carried] == [(True, "Lax")]
    assert 0 < carried[0]["expires"] - datetime.now(UTC).timestamp() <= 3600
    name = f"ida{len(store.listed('ocean-lab'))}"
    await log_in(page, name)
    await page.wait_for_url("**/hub/home")
    assert not [each for each in await context.cookies(hub.url) if each["name"] == "jupyterhub-invitation"]
    assert [use.person.user_name for use in store.listed("ocean-lab")[0].uses] == [name]


async def test_somebody_who_is_signed_in_joins_by_one_button(
    hub: RunningHub, store: InvitationStore, context: BrowserContext
) -> None:
    page = await context.new_page()
    await page.goto(f"{hub.url}login")
    await log_in(page, "lena")
    address = link(hub, store, uses=5)
    await click(page, address)
    await page.get_by_role("button", name="Accept and join").click()
    await page.wait_for_url("**/hub/home")
    await page.goto(address)
    await expect(page.get_by_text("belong to Ocean Lab already")).to_be_visible()
    store.revoke(store.listed("ocean-lab")[0].id, "ocean-lab", "lin", datetime.now(UTC))  # the next hub knows her too


@pytest.mark.parametrize("state", ["open", "signed-in", "joined", "used-up", "forged"])
async def test_the_page_is_pleasant(
    hub: RunningHub,
    store: InvitationStore,
    chromium: Browser,  # noqa: F811
    screenshots: Path,  # noqa: F811
    state: str,
    request: pytest.FixtureRequest,
) -> None:
    context = await chromium.new_context()
    page = await context.new_page()
    address = link(hub, store, uses=30 if state == "open" else 1)
    if state in ("signed-in", "joined"):
        await page.goto(f"{hub.url}login")
        await log_in(page, "lena")
        hub.user("lena", groups=("ocean-lab",) if state == "joined" else ())
        if state == "signed-in":
            hub.app.users["lena"].sync_groups(["land-group"])
    if state == "used-up":
        store.redeem(store.listed("ocean-lab")[0].id, Person("dummy", "x", "x"), datetime.now(UTC))
    await page.goto(address[:-3] if state == "forged" else address)
    ours = "bundle" in request.node.name
    await assert_pleasant(page, screenshots / f"invitation-{'ours' if ours else 'stock'}-{state}")
    await context.close()
