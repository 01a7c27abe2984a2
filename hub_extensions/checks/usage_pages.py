"""The usage service in the chart: whether the proxy, in a pod of its own, reaches it, and whether the ledger lasts."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from ..findings import Finding, warning
from ..planned_hub import PlannedHub
from ..z2jh.defaults import DEFAULTS
from ..z2jh.names import resource_names
from ..z2jh.values import look_up, over_defaults

_WHY = "Whoever opens the usage pages gets an error."
_USUAL = "http://hub:10101"
_VOLUME = "/srv/jupyterhub/"  # which the chart mounts for the hub's own database


def check_usage_pages(hub: PlannedHub) -> Iterator[Finding]:
    """What of the chart's values keeps the proxy from the usage service, or the ledger from lasting."""
    if hub.values is None or hub.settings is None or not hub.settings.usage.database:
        return
    yield from _lost_ledger(hub.settings.usage.database, hub.values)
    address = hub.settings.usage.url or ""
    if address in _of_services(hub.values):
        return  # it was reached before, by what stands around the chart
    url = urlsplit(address)
    if not address or url.hostname in ("127.0.0.1", "localhost", "::1"):
        what = f"is {address or 'not set'}: the proxy, in another pod, does not reach the usage service."
        yield warning("custom.usage.url", what, f"Set it to {_USUAL}, and open that port.", _WHY)
    elif url.hostname == resource_names(over_defaults(DEFAULTS, hub.values)).hub:
        yield from _closed(url.port or 80, hub.values)


def _of_services(values: Mapping[str, Any]) -> list[Any]:
    services = look_up(values, "hub.services", {})
    found = services.values() if isinstance(services, Mapping) else ()
    return [service.get("url") for service in found if isinstance(service, Mapping)]


def _closed(port: int, values: Mapping[str, Any]) -> Iterator[Finding]:
    if port not in _ports(look_up(values, "hub.service.extraPorts")):
        what = f"have no port {port}, which custom.usage.url names."
        advice = f"Add {{name: usage, port: {port}, targetPort: {port}}}."
        yield warning("hub.service.extraPorts", what, advice, _WHY)
    policy = look_up(values, "hub.networkPolicy", {})
    rules = look_up(policy, "ingress", [])
    opened = [_ports(rule.get("ports") or [{"port": port}]) for rule in rules if isinstance(rule, Mapping)]
    allowed = look_up(policy, "allowedIngressPorts", [])
    if look_up(policy, "enabled", True) and port not in allowed and not any(port in ports for ports in opened):
        what = f"lets nobody in at port {port}, which custom.usage.url names."
        pods = ", ".join(f"{{podSelector: {{matchLabels: {{component: {each}}}}}}}" for each in ("proxy", "hub"))
        advice = f"Add {{from: [{pods}], ports: [{{port: {port}}}]}}."
        yield warning("hub.networkPolicy.ingress", what, advice, _WHY)


def _ports(entries: Any) -> list[Any]:
    return [each.get("port") for each in entries or () if isinstance(each, Mapping)]


def _lost_ledger(database: str, values: Mapping[str, Any]) -> Iterator[Finding]:
    kind = look_up(values, "hub.db.type", "sqlite-pvc")
    where = database.removeprefix("sqlite:///")
    is_file = database.startswith("sqlite:///") and (not where.startswith("/") or where.startswith(_VOLUME))
    if is_file and kind != "sqlite-pvc":
        what = f"is a file in the hub's container: with hub.db.type {kind} there is no volume at {_VOLUME}."
        why = "All sessions are forgotten when the hub restarts."
        yield warning("custom.usage.database", what, "Name a database, or mount a volume and a path on it.", why)
