from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .hubs import HUB_TITLE

if TYPE_CHECKING:
    from ..hub import RunningHub

TITLE = HUB_TITLE.replace("&", "&amp;")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("login", "Sign in"),
        ("home", "Home"),
        ("spawn", "Choose an environment"),
        ("token", ""),
        ("nowhere", "Page not found"),
        ("spawn-pending/ada", "Server not running"),
    ],
)
async def test_every_page_has_the_hub_s_title_in_the_browser_s_tab(hub: RunningHub, path: str, name: str) -> None:
    browser = hub.browser() if path == "login" else await hub.login("ada")
    page = await browser.get(path)
    tab = f"{name} \N{EN DASH} {TITLE}" if name else TITLE
    assert f"<title>{tab}</title>" in page.text
