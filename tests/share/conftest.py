from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hub_extensions.share import TEMPLATES
from playwright.async_api import async_playwright

from ..hub import running_hub
from .hubs import FormSpawner, PagesAuthenticator, page_context

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser

    from ..hub import RunningHub


@pytest.fixture(scope="module")
async def hub() -> AsyncIterator[RunningHub]:
    settings = {
        "JupyterHub": {
            "authenticator_class": PagesAuthenticator,
            "spawner_class": FormSpawner,
            "template_paths": [str(TEMPLATES)],
            "template_vars": {"hub_extensions": page_context()},
            "allow_named_servers": True,
        },
        "Spawner": {"start_timeout": 60},
    }
    async with running_hub(settings) as running:
        running.user("ada", groups=("Ocean-Lab",))
        running.user("ben", groups=("ocean-lab", "land-group"))
        running.user("lin", groups=("land-group",))
        yield running


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
