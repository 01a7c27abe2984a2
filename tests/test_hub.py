from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .hub import running_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from .hub import RunningHub


@pytest.fixture(scope="module")
async def hub() -> AsyncIterator[RunningHub]:
    async with running_hub() as running:
        yield running


async def test_a_person_logs_in_and_starts_a_server_from_its_form(hub: RunningHub) -> None:
    browser = await hub.login("ada")
    assert (await browser.get("home")).status == 200
    reply = await browser.api("POST", "users/ada/server")
    assert reply.status in {201, 202}, reply.text
    page = await browser.get("../user/ada/")
    assert page.text == "/@/space%20word/user/ada/"
    assert (await browser.api("DELETE", "users/ada/server")).status in {202, 204}


async def test_a_page_without_its_xsrf_token_changes_nothing(hub: RunningHub) -> None:
    browser = await hub.login("ada")
    browser.cookies = {key: value for key, value in browser.cookies.items() if key[1] != "_xsrf"}
    assert (await browser.api("POST", "users/ada/tokens", json={})).status == 403


async def test_the_api_answers_each_user_by_their_own_scopes(hub: RunningHub) -> None:
    hub.user("lin", groups=("ocean-lab",))
    assert (await hub.api("GET", "users/lin")).json()["groups"] == ["ocean-lab"]
    assert (await hub.api("GET", "users/lin", user="ada")).status == 404
    assert (await hub.api("GET", "user", token="not-a-token")).status == 403
