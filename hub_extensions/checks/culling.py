"""The chart's own program that stops idle servers; those of an operator are found when the hub is configured."""

from collections.abc import Iterator

from ..findings import Finding, warning
from ..planned_hub import PlannedHub
from ..z2jh.values import look_up


def check_culling(hub: PlannedHub) -> Iterator[Finding]:
    """The culler that the chart starts unless it is switched off, beside the one of `idle:`."""
    if hub.values is None or hub.settings is None or not hub.settings.idle.is_set:
        return
    why = "A server is stopped by whichever comes first, perhaps earlier than idle: says."
    if look_up(hub.values, "cull.enabled", True) is not False:
        yield warning("cull.enabled", "stops idle servers beside idle:.", "Set cull.enabled: false.", why)
