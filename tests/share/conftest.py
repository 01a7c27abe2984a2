from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub_extensions.share import TEMPLATES

from ..browser import chromium, screenshots  # noqa: F401 - fixtures
from ..hub import running_hub
from .hubs import FormSpawner, PagesAuthenticator, page_context

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

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
