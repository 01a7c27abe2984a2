"""The REST API: what the pages show, for programs that have a token of the hub.

Each operation is a class that says what it is asked and what it answers; the OpenAPI document is made from that.
"""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from http.client import responses
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from tornado.web import HTTPError

from hub_extensions.mistakes import mistakes_in, shown
from hub_extensions.sessions import Month
from hub_extensions.usage_service import SERVICE

from .access import Access
from .api_models import Error, Nothing
from .pages import LogsWithoutQuery, RefusedError
from .reader import LedgerAwayError
from .tokens import owner_of_token

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import tzinfo

    from jupyterhub.services.auth import HubAuth

    from hub_extensions.ledger import Ledger
    from hub_extensions.quotas import Quotas
    from hub_extensions.usage_service import UsageSettings

    from .reader import Reader
    from .report_maker import ReportMaker

T = TypeVar("T")
Q = TypeVar("Q", bound=BaseModel)

VERSION = "1"
FOLDER = f"api/v{VERSION}/"


API_NEEDS = ("hub_auth", "reader", "settings", "zone", "quotas", "stopping", "reports")
"""What operations are made with, of what the application has."""


class Call(LogsWithoutQuery):
    """Something that a program calls: it answers in JSON, mistakes too."""

    def set_default_headers(self) -> None:
        """Keep answers, which name people, out of caches."""
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Allow", "GET")

    def check_xsrf_cookie(self) -> None:
        """Do nothing: no cookie counts here, and nothing can be changed."""

    def write_json(self, answer: BaseModel) -> None:
        """Answer."""
        self.set_header("Content-Type", "application/json")
        self.write(answer.model_dump_json())

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer what happened, in a sentence."""
        error = kwargs.get("exc_info", (None, None))[1]
        if status_code == HTTPStatus.UNAUTHORIZED:
            self.set_header("WWW-Authenticate", 'Bearer realm="JupyterHub"')
        known = _SENTENCES.get(status_code, responses.get(status_code, "Error"))
        message = error.sentence if isinstance(error, RefusedError) else known
        self.write_json(Error(status=status_code, message=message))
        self.finish()


_SENTENCES = {
    400: "This address cannot be read.",
    404: f"There is no such call. What there is stands in {FOLDER}openapi.json.",
    405: "Nothing can be changed here: use GET.",
    500: "Something went wrong on our side. The people who run this hub find the details in its log.",
}


class Operation(Call, Generic[Q]):
    """One operation: subclasses say where it is, what it is asked (``Query``) and what it answers.

    That is a model (``Answer``), or whatever a JSON Schema describes (``answer_schema``).

    ``path_parameters``: the schema of each part of the path in braces, in order. ``also``: kinds of answers besides
    JSON.
    """

    path: ClassVar[str]
    name: ClassVar[str]
    summary: ClassVar[str]
    Query: ClassVar[type[BaseModel]] = Nothing
    Answer: ClassVar[type[BaseModel] | None] = None
    answer_schema: ClassVar[Mapping[str, Any]] = {}
    path_parameters: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    also: ClassVar[tuple[str, ...]] = ()

    def initialize(
        self,
        *,
        hub_auth: HubAuth,
        reader: Reader,
        settings: UsageSettings,
        zone: tzinfo,
        quotas: Quotas,
        stopping: Callable[[], Mapping[str, datetime]],
        reports: ReportMaker,
    ) -> None:
        """Take what the application was made with; ``stopping`` tells when which sessions are going to be stopped."""
        self.reports = reports
        self.stopping = stopping
        self.hub_auth = hub_auth
        self.reader = reader
        self.usage = settings
        self.zone = zone
        self.quotas = quotas
        self.now = datetime.now(UTC)

    async def get(self, *_parts: str) -> None:
        """Find out who asks, check what is asked, and answer."""
        self.owner = await owner_of_token(self, self.hub_auth)
        if not self.hub_auth.check_scopes(self.hub_auth.access_scopes, self.owner):
            raise RefusedError(403, f"This token lacks the scope access:services!service={SERVICE}.")
        self.access = Access.of(self.owner)
        try:
            await self.respond(self._asked())
        except LedgerAwayError:
            raise RefusedError(
                503, "The usage records cannot be read just now. Nothing is lost; please try again in a minute."
            ) from None

    async def respond(self, asked: Q) -> None:
        """Write the answer; parts of the path are in ``path_args``. Raises ``RefusedError`` or ``LedgerAwayError``."""
        raise NotImplementedError

    @classmethod
    def pattern(cls) -> str:
        """The path as a regular expression."""
        return "([^/]+)".join(part.rpartition("}")[2] for part in cls.path.split("{"))

    async def read(self, read: Callable[[Ledger], T]) -> T:
        """Ask the ledger off the event loop. Raises ``LedgerAwayError``."""
        return await self.reader.ask(read)

    def month(self, text: str | None) -> Month:
        """The month that was asked for, or this one."""
        return Month.parse(text) if text else Month.of(self.now, self.zone)

    def _asked(self) -> Q:
        kind = self.Query
        schemas = kind.model_json_schema().get("properties", {})
        try:
            given = {
                name: [value.decode() for value in values] for name, values in self.request.query_arguments.items()
            }
        except UnicodeDecodeError:
            raise RefusedError(400, "The parameters are not UTF-8.") from None
        values: dict[str, str | list[str]] = {}
        for name, found in given.items():
            if schemas.get(name, {}).get("type") == "array":
                values[name] = found
                continue
            if len(found) > 1:
                raise RefusedError(400, f"{shown(name)} stands there {len(found)} times; give it once.")
            values[name] = found[0]
        try:
            asked: Q = kind.model_validate(values)  # type: ignore[assignment]  # subclasses name the two together
        except ValidationError as error:
            raise RefusedError(400, " ".join(map(str, mistakes_in(error, kind)))) from None
        return asked


class NoSuchCall(Call):
    """Every other address below that of the API."""

    def prepare(self) -> None:
        """Say so, whatever is asked for."""
        raise HTTPError(404)


class Document(Call):
    """The OpenAPI document."""

    def initialize(self, *, document: bytes) -> None:
        """Take what the application was made with."""
        self.document = document

    def get(self) -> None:
        """Answer with it; it is no secret."""
        self.set_header("Content-Type", "application/json")
        self.write(self.document)
