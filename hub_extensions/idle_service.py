"""How jupyterhub-idle-culler is registered with a hub. Only data: what runs it is a plug-in."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .idle import Idle

CULLER = "idle-culler"
CULLERS = (CULLER, "jupyterhub-idle-culler", "jupyterhub-idle-culler-service", "cull-idle")
"""What services that cull are called, here and where operators have configured one."""
IDLE_VARIABLE = "HUB_EXTENSIONS_IDLE"

SCOPES = ("list:users", "read:users:activity", "read:users:groups", "read:servers", "delete:servers")
"""To see who there is, when servers were last active, of which groups their owners are, and to stop them."""

_MODULE = "hub_extensions.services.idle_culler"
_CULLING = re.compile(r"idle.?culler|cull.?idle")
_SELDOM = 600


def check_seconds(idle: Idle) -> int:
    """How often to look: twice in the shortest time, but at least every ten minutes."""
    shortest = idle.shortest()
    return _SELDOM if shortest is None else max(1, min(_SELDOM, int(shortest.total_seconds()) // 2))


def others(services: Iterable[Mapping[str, Any]]) -> list[str]:
    """The names of the services that cull and are not ours."""
    return [
        str(each.get("name"))
        for each in services
        if _MODULE not in (command := " ".join(map(str, _words(each.get("command")))))
        and (each.get("name") in CULLERS or _CULLING.search(command))
    ]


def _words(command: Any) -> Iterable[Any]:
    return command if isinstance(command, (list, tuple)) else [command or ""]


def service(idle: Idle) -> dict[str, Any]:
    """The service, as `JupyterHub.services` has them."""
    return {
        "name": CULLER,
        "command": [sys.executable, "-P", "-m", _MODULE],
        "environment": {IDLE_VARIABLE: idle.model_dump_json(exclude_none=True)},
    }


def role() -> dict[str, Any]:
    """What the service may do, as `JupyterHub.load_roles` has it."""
    return {
        "name": CULLER,
        "description": "Stop servers that are idle or too old",
        "scopes": list(SCOPES),
        "services": [CULLER],
    }
