"""The service's process: it listens where the hub says, and ends when the hub does."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jupyterhub.services.auth import HubAuth, HubOAuth
from jupyterhub.utils import make_ssl_context
from tornado.web import Application, RedirectHandler, RequestHandler

from hub_extensions.branding import Branding
from hub_extensions.mistakes import validated
from hub_extensions.pages import PageContext
from hub_extensions.quotas import Quotas
from hub_extensions.report_drop import ReportDrop
from hub_extensions.share import TEMPLATES
from hub_extensions.usage_service import HUB_PROCESS_VARIABLE, time_zone

from .heartbeat import Heartbeat, HubWatch, ended
from .invitations import CommunityInvitations
from .letting_go import LettingGo
from .pages import Asset, CommunityUsage, HubUsage, LoggedIn, MyUsage, NotFound
from .reader import Reader

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from hub_extensions.usage_service import UsageSettings

log = logging.getLogger(__name__)

_HUB_CHECK_SECONDS = 5
_GONE = "The hub that started this service is gone."


def run(settings: UsageSettings) -> None:
    """Serve until the hub ends or sends a signal.

    Raises ``OSError`` when the address is taken. A database that cannot be used costs the reports alone.
    """
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="[%(levelname)1.1s %(asctime)s usage] %(message)s"
    )
    # Alembic names every plug-in it loads.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    asyncio.run(_serve(settings))


async def _serve(settings: UsageSettings) -> None:
    reader = Reader(settings.database, settings.hub)
    app = application(settings, reader)
    url = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
    host, port = _interface(url.hostname or "127.0.0.1"), url.port or (443 if url.scheme == "https" else 80)
    where = f"port {port} of {host or 'all interfaces'}"
    try:
        server = app.listen(port, address=host, xheaders=True)
    except OSError as error:
        raise OSError(f"the usage service cannot listen on {where}: {error.strerror}") from None
    log.info("The usage pages are served on %s at %s", where, os.environ["JUPYTERHUB_SERVICE_PREFIX"])
    watch, beating = _watch(settings), None
    if watch is not None:
        beating = asyncio.create_task(
            Heartbeat(
                watch,
                reader,
                time_zone(settings.time_zone),
                every=settings.beat_seconds,
                reports=ReportDrop(settings),
            ).run()
        )
    letting_go = asyncio.create_task(LettingGo(settings).run())
    stop = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    await _stopped(stop)
    server.stop()
    await ended(letting_go)
    if watch is not None and beating is not None:
        await ended(beating)
        watch.close()
    reader.close()


def _watch(settings: UsageSettings) -> HubWatch | None:
    """Return what asks the hub which servers run; None for a service that the hub gave no token."""
    hub = HubAuth()
    if not hub.api_token:
        log.error(
            "JUPYTERHUB_API_TOKEN is not set: the ledger is shown as it is, and not kept in agreement with the hub."
        )
        return None
    ssl = make_ssl_context(hub.keyfile, hub.certfile, cafile=hub.client_ca) if hub.certfile or hub.keyfile else None
    return HubWatch(hub.api_url, hub.api_token, settings.hub, ssl=ssl)


def _interface(host: str) -> str:
    """Return what to listen on when the proxy calls ``host``: loopback, or else all interfaces, which are ``""``.

    The name by which the proxy calls may be that of something in between, as a Service of Kubernetes is.
    """
    if host == "localhost":
        return host
    try:
        return host if ip_address(host).is_loopback else ""
    except ValueError:
        return ""


async def _stopped(stop: asyncio.Event) -> None:
    """Wait for a signal, or for the end of the hub: killed, it tells nobody, and its successor needs the port."""
    if HUB_PROCESS_VARIABLE not in os.environ:  # it was not the hub that started this process
        await stop.wait()
        return
    hub = os.getppid()
    # The first process adopts those whose parent is gone; in a container it may be the hub itself.
    if hub == 1 and os.environ[HUB_PROCESS_VARIABLE] != "1":
        log.info(_GONE)
        return
    while not stop.is_set():
        try:
            await asyncio.wait_for(stop.wait(), _HUB_CHECK_SECONDS)
        except TimeoutError:
            if os.getppid() != hub:
                log.info(_GONE)
                return


def application(settings: UsageSettings, reader: Reader) -> Application:
    """Return the pages under the prefix that the hub gave in ``JUPYTERHUB_SERVICE_PREFIX``."""
    # A minute instead of the usual five bounds how long somebody who ceased to be a lead still sees the community.
    hub_auth = HubOAuth(cache_max_age=60)
    zone = time_zone(settings.time_zone)
    brands = PageContext(
        settings.title,
        Branding.model_validate(settings.branding),
        [
            (name, title, Branding.model_validate(settings.community_branding.get(name, {})))
            for name, title in settings.communities.items()
        ],
    )
    given = {
        "hub_auth": hub_auth,
        "reader": reader,
        "templates": _templates(settings, zone),
        "settings": settings,
        "zone": zone,
        "brands": brands,
        "quotas": validated(Quotas, settings.quotas, "quotas"),
    }
    prefix = os.environ["JUPYTERHUB_SERVICE_PREFIX"]
    return Application(
        [
            (prefix.rstrip("/"), RedirectHandler, {"url": prefix, "permanent": False}),
            (prefix, MyUsage, given),
            (f"{prefix}community/([^/]+)/invitations", CommunityInvitations, given),
            (f"{prefix}community/(.+)", CommunityUsage, given),
            (f"{prefix}hub", HubUsage, given),
            (f"{prefix}oauth_callback", LoggedIn, {"hub_auth": hub_auth}),
            (f"{prefix}static/(.+)", Asset, {"assets": _assets()}),
            (".*", NotFound, given),
        ],
        # It signs what a login needs for a few seconds; who is logged in is known to the hub.
        cookie_secret=os.urandom(32),
        xsrf_cookies=True,
        log_function=_log_request,
    )


def _assets() -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in (TEMPLATES / "usage").iterdir() if each.suffix in (".css", ".js")}


def _log_request(handler: RequestHandler) -> None:
    """Log a request without its query: that of a login holds a code."""
    request = handler.request
    status = handler.get_status()
    level = logging.ERROR if status >= 500 else logging.DEBUG if status < 400 else logging.INFO
    log.log(level, "%d %s %s %.0f ms", status, request.method, request.path[:200], 1000 * request.request_time())


def _templates(settings: UsageSettings, zone: tzinfo) -> Environment:
    def clock(moment: datetime) -> str:
        return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")

    def number(value: float) -> str:
        return f"{value:,.2f}"

    environment = Environment(
        loader=FileSystemLoader([*settings.template_paths, TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(clock=clock, number=number)
    return environment
