"""Programs that stop idle servers: of two, whichever comes first stops a server."""

from collections.abc import Iterator

from ..additions import listed
from ..findings import Finding, warning
from ..planned_hub import PlannedHub
from ..z2jh.values import look_up

_OTHERS = ("jupyterhub-idle-culler", "jupyterhub-idle-culler-service", "cull-idle")


def check_culling(hub: PlannedHub) -> Iterator[Finding]:
    """A culler beside the one of `idle:`, such as the one that the chart has unless it is switched off."""
    if hub.settings is None or not hub.settings.idle.is_set:
        return
    why = "A server is stopped by whichever comes first, perhaps earlier than idle: says."
    if hub.values is not None and look_up(hub.values, "cull.enabled", True) is not False:
        yield warning("cull.enabled", "stops idle servers beside idle:.", "Set cull.enabled: false.", why)
    for index, service in enumerate(listed(hub.config, "services")):
        if service.get("name") in _OTHERS:
            what = f"{service['name']} stops idle servers beside idle:."
            path = "hub.services" if hub.values is not None else f"c.JupyterHub.services[{index}]"
            yield warning(path, what, "Remove one of them.", why)
