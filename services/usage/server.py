"""The service's process: it listens where the hub says, and ends when the hub does."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jupyterhub.services.auth import HubOAuth
from tornado.web import Application, RedirectHandler, RequestHandler

from hub_extensions.branding import Branding
from hub_extensions.pages import PageContext
from hub_extensions.share import TEMPLATES
from hub_extensions.usage_service import time_zone

from .pages import CommunityUsage, HubUsage, LoggedIn, MyUsage, NotFound, StyleSheet
from .reader import Reader

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from hub_extensions.usage_service import UsageSettings

log = logging.getLogger(__name__)

_HUB_CHECK_SECONDS = 5


def run(settings: UsageSettings) -> None:
    """Serve until the hub ends or sends a signal.

    Raises ``OSError`` when the address is taken and ``ValueError`` when the database's URL cannot be one.
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
    host, port = url.hostname or "127.0.0.1", url.port or 80
    try:
        server = app.listen(port, address=host, xheaders=True)
    except OSError as error:
        raise OSError(f"the usage service cannot listen on {host}:{port}: {error.strerror}") from None
    log.info("The usage pages are served at http://%s:%d%s", host, port, os.environ["JUPYTERHUB_SERVICE_PREFIX"])
    stop = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    await _stopped(stop)
    server.stop()
    reader.close()


async def _stopped(stop: asyncio.Event) -> None:
    """Wait for a signal, or for the end of the hub: killed, it tells nobody, and its successor needs the port."""
    hub = os.getppid()
    while not stop.is_set():
        try:
            await asyncio.wait_for(stop.wait(), _HUB_CHECK_SECONDS)
        except TimeoutError:
            if os.getppid() != hub:
                log.info("The hub that started this service is gone.")
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
    }
    prefix = os.environ["JUPYTERHUB_SERVICE_PREFIX"]
    return Application(
        [
            (prefix.rstrip("/"), RedirectHandler, {"url": prefix, "permanent": False}),
            (prefix, MyUsage, given),
            (f"{prefix}community/(.+)", CommunityUsage, given),
            (f"{prefix}hub", HubUsage, given),
            (f"{prefix}oauth_callback", LoggedIn, {"hub_auth": hub_auth}),
            (f"{prefix}static/(.+)", StyleSheet, {"sheets": _sheets()}),
            (".*", NotFound, given),
        ],
        # It signs what a login needs for a few seconds; who is logged in is known to the hub.
        cookie_secret=os.urandom(32),
        xsrf_cookies=True,
        log_function=_log_request,
    )


def _sheets() -> dict[str, bytes]:
    return {sheet.name: sheet.read_bytes() for sheet in (TEMPLATES / "usage").glob("*.css")}


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
