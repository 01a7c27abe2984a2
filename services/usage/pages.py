"""The pages and who they answer."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from http.client import responses
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from jupyterhub.services.auth import HubOAuthCallbackHandler, HubOAuthenticated, UserNotAllowed
from tornado.httpclient import HTTPError as ClientError
from tornado.web import HTTPError, RequestHandler

from hub_extensions.sessions import Month

from .access import Access
from .limits import limits_of
from .own_month import read_own_month
from .reader import LedgerAwayError
from .report import quota_rows

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from datetime import tzinfo
    from types import TracebackType

    from jinja2 import Environment
    from jupyterhub.services.auth import HubOAuth

    from hub_extensions.ledger import Ledger
    from hub_extensions.pages import PageContext
    from hub_extensions.quotas import Allowance, Quotas
    from hub_extensions.usage_service import UsageSettings

    from .own_month import OwnMonth
    from .reader import Reader

T = TypeVar("T")
log = logging.getLogger(__name__)

MONTHS = 13
"""How many months the picker offers: as many as the ledger keeps sessions."""


class RefusedError(HTTPError):
    """An answer other than a page; ``sentence`` is what the person reads."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(status, sentence.replace("%", "%%"))
        self.sentence = sentence


class LogsWithoutQuery(RequestHandler):
    """Answers whose errors are logged without the query of their address: that of a login holds a code."""

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Log what nobody foresaw, with its traceback; an answer with an error status has its line already."""
        if typ is not None and value is not None and not isinstance(value, HTTPError):
            log.error("%s %s failed", self.request.method, self.request.path[:200], exc_info=(typ, value, tb))


class Page(HubOAuthenticated, LogsWithoutQuery):
    """A page for somebody who is logged in at the hub."""

    access: Access

    def initialize(
        self,
        *,
        hub_auth: HubOAuth,
        reader: Reader,
        templates: Environment,
        settings: UsageSettings,
        zone: tzinfo,
        brands: PageContext,
        quotas: Quotas,
    ) -> None:
        """Take what the application was made with."""
        self.hub_auth = hub_auth
        self.reader = reader
        self.templates = templates
        self.usage = settings
        self.zone = zone
        self.brands = brands
        self.quotas = quotas
        self.person = SimpleNamespace(groups=())
        self.now = datetime.now(UTC)

    def set_default_headers(self) -> None:
        """Keep pages, which name people, out of caches and of other sites' frames."""
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "same-origin")

    async def prepare(self) -> None:
        """Find out who asks, without holding up the others, and send those who are not logged in to the hub."""
        # Empty, except where the hub has a host of its own and each person's server another.
        host = self.hub_auth.hub_host
        # The brand's colours come in a style element, the same as on the hub's own pages.
        styles, images = f"style-src 'self' 'unsafe-inline' {host}", f"img-src 'self' data: https: {host}"
        policy = f"default-src 'self' {host}; {styles}; {images}"
        self.set_header("Content-Security-Policy", f"{policy}; frame-ancestors 'none'; form-action 'self'")
        try:
            model = await self.hub_auth.get_user(self, sync=False)
            allowed = model and self.check_hub_user(model)
        except UserNotAllowed:
            raise RefusedError(
                403, "Your account may not use the usage pages. Ask the people who run this hub."
            ) from None
        except (ClientError, OSError):
            raise RefusedError(503, "The hub does not answer just now. Please try again in a minute.") from None
        if not allowed:
            self.redirect(self.get_login_url())
            return
        self.current_user = allowed
        self.access = Access.of(allowed)
        self.person = SimpleNamespace(groups=allowed.get("groups", ()))

    def month(self) -> Month:
        """Return the month that is asked for, or this one."""
        try:
            text = self.get_query_argument("month", "")
            found = Month.parse(text) if text else Month.of(self.now, self.zone)
            found.plus(-1)  # which some figures are compared with
        except (ValueError, HTTPError):  # not a month, not even text
            raise RefusedError(
                400, "That is not a month. Choose one from the list, or write it like 2026-10."
            ) from None
        return found

    def picked_from(self, month: Month) -> list[Month]:
        """The months to choose from, the newest first; the one that is shown is among them."""
        this_month = Month.of(self.now, self.zone)
        return sorted({month, *(this_month.plus(-back) for back in range(MONTHS))}, reverse=True)

    async def answered(self, question: Awaitable[T]) -> T:
        """Wait for what the ledger is asked; people read a sentence when it does not answer."""
        try:
            return await question
        except LedgerAwayError:
            raise RefusedError(
                503, "The usage records cannot be read just now. Nothing is lost; please try again in a minute."
            ) from None

    def write_page(self, template: str, **context: Any) -> None:
        """Render a template with what every page needs."""
        hub = f"{self.hub_auth.hub_host}{self.hub_auth.hub_prefix}"
        access: Access | None = getattr(self, "access", None)
        prefix = self.hub_auth.base_url
        titles = self.usage.communities
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.write(
            self.templates.get_template(template).render(
                hub_title=self.usage.title,
                hub_extensions=self.brands(self.person),
                hub_prefix=hub,
                prefix=prefix,
                path=self.request.path,
                access=access,
                communities=[
                    (titles.get(name, name), f"{prefix}community/{quote(name, safe='')}")
                    for name in (access.communities if access else ())
                ],
                zone=self.zone,
                zone_name=self.usage.time_zone,
                now=self.now,
                **context,
            )
        )

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer with a page that says what happened, in words for the person who reads it."""
        info: tuple[type[BaseException], BaseException, TracebackType] | None = kwargs.get("exc_info")
        error = info and info[1]
        sentence = error.sentence if isinstance(error, RefusedError) else _SENTENCES.get(status_code, _SENTENCES[500])
        reason = responses.get(status_code, "Error")
        self.write_page("usage/error.html", title=f"{status_code} {reason}", sentence=sentence)
        self.finish()


_SENTENCES = {
    400: "This address cannot be read. Please start again from one of the links above.",
    404: "There is no such page here.",
    405: "These pages can only be looked at.",
    500: "Something went wrong on our side. The people who run this hub find the details in its log.",
}


class MyUsage(Page):
    """What the person who asks used."""

    async def get(self) -> None:
        """Answer with their own sessions: there is no parameter that could name somebody else."""
        if not self.access.user:
            raise RefusedError(403, "This page shows a person's own usage, and you are logged in as a service.")
        user, month, now = self.access.user, self.month(), self.now

        def read(ledger: Ledger) -> OwnMonth:
            return read_own_month(ledger, self.usage.hub, user, month, self.zone, now, self.reader.limit)

        own = await self.answered(self.reader.ask(read))
        limits = self._limits()
        balances = await self.answered(self.reader.balances(limits, user, now, self.zone)) if limits else []
        self.write_page(
            "usage/own.html",
            title="My usage",
            month=month,
            months=self.picked_from(month),
            own=own,
            report=own.report,
            quotas=quota_rows(balances, self.zone, self.usage.communities),
        )

    def _limits(self) -> list[Allowance]:
        """The person's limits."""
        return limits_of(self.access.user, self.person.groups, self.usage, self.quotas, self.now, self.zone)


class NotFound(Page):
    """Every other address."""

    async def get(self, *_path: str) -> None:
        """Say so."""
        raise HTTPError(404)


class LoggedIn(LogsWithoutQuery, HubOAuthCallbackHandler):
    """Where the hub sends a person who has logged in."""

    def initialize(self, *, hub_auth: HubOAuth) -> None:
        """Take what the application was made with."""
        self.hub_auth = hub_auth


class Asset(LogsWithoutQuery):
    """The few style sheets and scripts, from memory: tornado's own handler refuses the links of an editable install."""

    def initialize(self, *, assets: dict[str, bytes]) -> None:
        """Take what the application was made with."""
        self.assets = assets

    async def get(self, name: str) -> None:
        """Answer with one; tornado adds an ETag, and answers that nothing has changed."""
        if name not in self.assets:
            raise HTTPError(404)
        kind = "text/css" if name.endswith(".css") else "text/javascript"
        self.set_header("Content-Type", f"{kind}; charset=utf-8")
        self.set_header("Cache-Control", "no-cache")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.write(self.assets[name])
