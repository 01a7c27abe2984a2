"""The service's process: it listens where the hub says, and ends when the hub does."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from collections import ChainMap
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jupyterhub.services.auth import HubAuth, HubOAuth
from jupyterhub.utils import make_ssl_context
from tornado.web import Application, RedirectHandler, RequestHandler

from hub_extensions.branding import Branding
from hub_extensions.end_reasons import in_words
from hub_extensions.mistakes import validated
from hub_extensions.pages import PageContext
from hub_extensions.quotas import Quotas
from hub_extensions.report_drop import ReportDrop
from hub_extensions.report_settings import FORMATS
from hub_extensions.report_words import called
from hub_extensions.share import TEMPLATES
from hub_extensions.usage_service import HUB_PROCESS_VARIABLE, SERVICE, time_zone

from . import openapi
from .api import API_NEEDS, FOLDER, VERSION, Document, NoSuchCall
from .api_operations import OPERATIONS
from .heartbeat import Heartbeat, HubWatch, ended
from .hub_people import HubPeople
from .invitations import CommunityInvitations
from .kept_months import MonthKeeper
from .letting_go import LettingGo
from .metrics import Metrics, MetricsPage
from .pages import Asset, LoggedIn, MyUsage, NotFound
from .people_pages import CommunityAway, CommunityReport, CommunityUsage, HubReport, HubUsage, kept_for_people
from .reader import Reader
from .report_maker import ReportMaker

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, tzinfo
    from ssl import SSLContext

    from hub_extensions.usage_service import UsageSettings

log = logging.getLogger(__name__)

_HUB_CHECK_SECONDS = 5
_MONTH_SECONDS = 60.0
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
    watch = _watch(settings)
    # What it takes to add up a month of a large hub is not what a page may take, nor does it hold pages up.
    slow = Reader(settings.database, settings.hub, timeout=_MONTH_SECONDS, threads=1)
    heartbeat = _heartbeat(settings, reader, slow, watch) if watch is not None else None
    app = application(settings, reader, heartbeat)
    url = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
    host, port = _interface(url.hostname or "127.0.0.1"), url.port or (443 if url.scheme == "https" else 80)
    where = f"port {port} of {host or 'all interfaces'}"
    try:
        server = app.listen(port, address=host, xheaders=True)
    except OSError as error:
        raise OSError(f"the usage service cannot listen on {where}: {error.strerror}") from None
    log.info("The usage pages are served on %s at %s", where, os.environ["JUPYTERHUB_SERVICE_PREFIX"])
    letting_go = asyncio.create_task(LettingGo(settings).run())
    beating = asyncio.create_task(heartbeat.run()) if heartbeat is not None else None
    stop = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    await _stopped(stop)
    server.stop()
    await ended(letting_go)
    if watch is not None and beating is not None:
        await ended(beating)
        watch.close()
    slow.close()
    reader.close()


def _heartbeat(settings: UsageSettings, reader: Reader, slow: Reader, watch: HubWatch) -> Heartbeat:
    zone = time_zone(settings.time_zone)
    months = MonthKeeper(slow, settings, zone)
    return Heartbeat(watch, reader, zone, every=settings.beat_seconds, reports=ReportDrop(settings), months=months)


def _watch(settings: UsageSettings) -> HubWatch | None:
    """Return what asks the hub which servers run; None for a service that the hub gave no token."""
    hub = HubAuth()
    if not hub.api_token:
        log.error(
            "JUPYTERHUB_API_TOKEN is not set: the ledger is shown as it is, and not kept in agreement with the hub."
        )
        return None
    return HubWatch(hub.api_url, hub.api_token, settings.hub, ssl=_ssl(hub))


def _hub_people(hub: HubAuth) -> HubPeople | None:
    """Return what asks the hub about its people; None for a service that the hub gave no token."""
    return HubPeople(hub.api_url, hub.api_token, ssl=_ssl(hub)) if hub.api_token else None


def _ssl(hub: HubAuth) -> SSLContext | None:
    if not hub.certfile and not hub.keyfile:
        return None
    made: SSLContext = make_ssl_context(hub.keyfile, hub.certfile, cafile=hub.client_ca)
    return made


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


def application(settings: UsageSettings, reader: Reader, heartbeat: Heartbeat | None) -> Application:
    """Return the pages under the prefix that the hub gave in ``JUPYTERHUB_SERVICE_PREFIX``."""
    # A minute instead of the usual five bounds how long somebody who ceased to be a lead still sees the community.
    hub_auth = HubOAuth(cache_max_age=60)
    zone = time_zone(settings.time_zone)
    if heartbeat is not None:  # what the hub tells of its profiles comes before what it knew at its start
        settings = replace(settings, profiles=ChainMap(heartbeat.profiles, dict(settings.profiles)))
    brands = PageContext(
        settings.title,
        Branding.model_validate(settings.branding),
        [
            (name, title, Branding.model_validate(settings.community_branding.get(name, {})))
            for name, title in settings.communities.items()
        ],
        lambda: heartbeat.announcements if heartbeat is not None else (),
        zone,
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
    report_maker = ReportMaker(settings)
    of_people = given | kept_for_people() | {"hub_people": _hub_people(hub_auth), "report_maker": report_maker}
    metrics = Metrics(reader, settings, zone, heartbeat)

    def stopping() -> Mapping[str, datetime]:
        return heartbeat.stopping if heartbeat is not None else {}

    of_api = {**given, "stopping": stopping, "reports": report_maker}
    prefix = os.environ["JUPYTERHUB_SERVICE_PREFIX"]
    return Application(
        [
            (prefix.rstrip("/"), RedirectHandler, {"url": prefix, "permanent": False}),
            (prefix, MyUsage, given),
            (f"{prefix}community/([^/]+)/invitations", CommunityInvitations, given),
            (f"{prefix}community/([^/]+)/away", CommunityAway, of_people),
            (f"{prefix}community/([^/]+)/report[.]({'|'.join(FORMATS)})", CommunityReport, of_people),
            (f"{prefix}community/(.+)", CommunityUsage, of_people),
            (f"{prefix}hub", HubUsage, of_people),
            (f"{prefix}hub/report[.]({'|'.join(FORMATS)})", HubReport, of_people),
            *_api(f"{prefix}{FOLDER}", {name: of_api[name] for name in API_NEEDS}),
            (f"{prefix}metrics", MetricsPage, {"hub_auth": hub_auth, "metrics": metrics, "settings": settings}),
            (f"{prefix}oauth_callback", LoggedIn, {"hub_auth": hub_auth}),
            (f"{prefix}static/(.+)", Asset, {"assets": _assets()}),
            (".*", NotFound, given),
        ],
        # It signs what a login needs for a few seconds; who is logged in is known to the hub.
        cookie_secret=os.urandom(32),
        xsrf_cookies=True,
        log_function=_log_request,
    )


def _api(folder: str, given: dict[str, Any]) -> list[tuple[str, type[RequestHandler], dict[str, Any]]]:
    """Return the routes of the REST API below a path, its document and what says that there is nothing else."""
    title = f"Usage of {given['settings'].title}"
    document = openapi.document(OPERATIONS, title, VERSION, folder, SERVICE)
    return [
        *((f"{folder}{each.pattern()}", each, given) for each in OPERATIONS),
        (f"{folder}openapi.json", Document, {"document": json.dumps(document).encode()}),
        (f"{folder}.*", NoSuchCall, {}),
    ]


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

    def duration(length: timedelta) -> str:
        hours, minutes = divmod(round(length / timedelta(minutes=1)), 60)
        return f"{hours:,} h {minutes:02d} min" if hours else f"{minutes} min"

    def profile(name: str) -> str:
        return called(name, settings.profiles)

    def community(name: str) -> str:
        return called(name, settings.communities)

    environment.filters.update(
        clock=clock, number=number, profile=profile, community=community, duration=duration, ending=in_words
    )
    return environment
