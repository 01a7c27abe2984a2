"""A session, from the start page to the lead's page and file: a real hub, its service, a server, and a browser."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from hub_extensions.ledger.cells import Cells

from .test_heartbeat import Place, api, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.async_api import Browser, Page

    from .process_hub import Hub

SETTINGS = {
    "hub": {"title": "Reef Hub"},
    "communities": {
        "ocean-lab": {"title": "Ocean Lab", "members": [{"users": ["ada"]}], "leads": [{"users": ["lin"]}]},
        "ice-lab": {"title": "Ice Lab", "members": [{"users": ["cy"]}], "leads": [{"users": ["ines"]}]},
    },
    "profiles": [
        {"display_name": "Coral & co.", "slug": "coral", "kubespawner_override": {}},
        {"display_name": "Other work", "slug": "other", "kubespawner_override": {}},
    ],
}
GROUPS = {"ocean-lab": ["ada", "lin"], "ocean-lab:leads": ["lin"], "ice-lab": ["cy"], "ice-lab:leads": ["ines"]}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = Place(tmp_path, **SETTINGS)
    found.settings["usage"] |= {"fewest_people": 0}
    yield found
    found.end_servers()


async def log_in(page: Page, hub: Hub, name: str, then: str) -> None:
    await page.goto(f"{hub.url}hub/login?next={then}")
    await page.get_by_label("Username").fill(name)
    await page.get_by_label("Password").fill("x")
    await page.get_by_role("button", name="Sign in").click()


async def test_a_session_is_followed_from_the_start_page_to_the_leads_file(place: Place, chromium: Browser) -> None:
    with place.hub() as hub:
        for name in ("ada", "lin", "ines", "cy"):
            api(hub, "POST", f"users/{name}")
        for name, users in GROUPS.items():
            api(hub, "POST", f"groups/{name}")
            assert api(hub, "POST", f"groups/{name}/users", json={"users": users}).status_code == 200
        base = "/deep/hub-a/"

        member = await (await chromium.new_context()).new_page()
        await log_in(member, hub, "ada", f"{base}hub/spawn")
        await member.get_by_text("Coral & co.").first.click()
        await member.get_by_role("button", name="Start").click()
        until(lambda: [row.profile for row in place.rows() if row.user_name == "ada"] == ["coral"], "it is recorded")
        session = place.row("ada")
        assert session.community == "ocean-lab"
        until(lambda: counted(place), "it is counted")
        await member.goto(hub.service)
        await expect(member.get_by_role("row").filter(has_text="running")).to_contain_text("Coral & co.")

        lead = await (await chromium.new_context(accept_downloads=True)).new_page()
        await log_in(lead, hub, "lin", f"{base}services/usage/")
        await lead.get_by_role("link", name="Ocean Lab", exact=True).click()
        await expect(lead.get_by_role("heading", name="Usage of Ocean Lab")).to_be_visible()
        people = lead.get_by_role("region", name="By person")
        await expect(people.get_by_role("rowheader")).to_have_text(["ada"])
        await expect(lead.get_by_role("img", name="Hours by profile")).to_contain_text("Coral & co.")
        async with lead.expect_download() as downloading:
            await lead.get_by_role("link", name="CSV").click()
        file = await (await downloading.value).path()
        lines = list(csv.DictReader(io.StringIO(file.read_bytes().decode())))
        [row] = [line for line in lines if line["table"] == "by_profile"]
        assert (row["profile"], row["people"], row["sessions"]) == ("coral", "1", "1")
        await lead.get_by_role("link", name=re.compile("has not logged in")).click()
        await expect(lead.get_by_role("heading", name="Who was away from Ocean Lab")).to_be_visible()
        await expect(lead.get_by_text(re.compile("of 2 members|Each of the 2 members"))).to_be_visible()

        other = await (await chromium.new_context()).new_page()
        await log_in(other, hub, "ines", f"{base}services/usage/community/ocean-lab")
        await expect(other.get_by_text("Only the leads of this community may see its usage.")).to_be_visible()
        await other.goto(f"{hub.service}community/ice-lab")
        await expect(other.get_by_text("No server was running in this month.")).to_be_visible()
        for page in (member, lead, other):
            await page.context.close()


def counted(place: Place) -> bool:
    counted_until = Cells(place.ledger, "hub").counted_until()
    ready_at = place.row("ada").ready_at
    return counted_until is not None and ready_at is not None and counted_until > ready_at
