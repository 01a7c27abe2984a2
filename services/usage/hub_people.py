"""Whom the hub has not seen for long: asked of the hub in the name of the person who wants to know."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from .recent import Recent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ssl import SSLContext

_PAGE = 200  # the most that a hub tells at once
_MOST_PAGES = 50
_KEPT_SECONDS = 300.0
_TIMEOUT = 10.0
_MOST_BYTES = 16 * 2**20
_PAGED = "application/jupyterhub-pagination+json"


class HubAwayError(Exception):
    """The hub gave no answer that can be read."""


class NotToldError(Exception):
    """The hub does not show its people to whoever asks."""


@dataclass(frozen=True)
class Unseen:
    """Somebody whom the hub has not seen for long; ``last_seen`` is None for who has never been there."""

    name: str
    last_seen: datetime | None


@dataclass(frozen=True)
class UnseenPeople:
    """Those whom the hub has not seen, longest first; not ``complete`` when there were more than could be asked for."""

    people: tuple[Unseen, ...]
    members: int
    complete: bool
    asked_at: datetime


class HubPeople:
    """Asks the hub at ``api_url``; ``token`` is the service's own, which tells who is in a group."""

    def __init__(
        self,
        api_url: str,
        token: str,
        *,
        ssl: SSLContext | None = None,
        timeout: float = _TIMEOUT,
        most_pages: int = _MOST_PAGES,
    ) -> None:
        self._api_url = api_url.rstrip("/")
        self._token = token
        self._options: dict[str, Any] = {
            "request_timeout": timeout,
            "connect_timeout": timeout,
            "ssl_options": ssl,
            "follow_redirects": False,
        }
        self._most_pages = most_pages
        self._client = SimpleAsyncHTTPClient(force_instance=True, max_body_size=_MOST_BYTES)
        self._unseen: Recent[UnseenPeople] = Recent(_KEPT_SECONDS)

    async def unseen(self, token: str, community: str, before: datetime) -> UnseenPeople:
        """Return the members of a community whom the hub has not seen since ``before``, as ``token`` may know them.

        It is kept for some minutes, for this token alone. Raises ``NotToldError`` when the token does not show people,
        ``HubAwayError`` when the hub does not answer.
        """
        # Not the token itself, which nothing needs to hold on to.
        key = (hashlib.sha256(token.encode()).digest(), community, before.date())
        return await self._unseen.get(key, lambda: self._ask(token, community, before))

    async def _ask(self, token: str, community: str, before: datetime) -> UnseenPeople:
        asked_at = datetime.now(UTC)
        # Who leads several communities is shown the people of all: this tells which are of this one.
        members = await self._members(community)
        found: list[Unseen] = []
        for number in range(self._most_pages):
            # Those whom the hub never saw come first, then who was away longest.
            query = {"sort": "last_activity", "offset": number * _PAGE, "limit": _PAGE}
            answer = await self._get(f"users?{urlencode(query)}", token)
            people, over = _read(answer, before)
            found += [each for each in people if each.name in members]
            if over:
                return UnseenPeople(tuple(found), len(members), complete=True, asked_at=asked_at)
        return UnseenPeople(tuple(found), len(members), complete=False, asked_at=asked_at)

    async def _members(self, community: str) -> frozenset[str]:
        try:
            group = await self._get(f"groups/{quote(community, safe='')}", self._token)
        except NotToldError:
            raise HubAwayError("it does not tell the service who is in a group") from None
        if group is None:
            return frozenset()
        try:
            return frozenset(map(str, group["users"]))
        except (KeyError, TypeError) as error:
            raise HubAwayError("its answer about a group cannot be read") from error

    async def _get(self, path: str, token: str) -> Any:
        headers = {"Authorization": f"token {token}", "Accept": _PAGED}
        request = HTTPRequest(f"{self._api_url}/{path}", headers=headers, **self._options)
        try:
            return json.loads((await self._client.fetch(request)).body)
        except HTTPClientError as error:
            if error.code == 404:
                return None
            if error.code in {401, 403}:
                raise NotToldError from error
            raise HubAwayError(f"it answered {error.code}") from error
        except (OSError, ValueError) as error:
            raise HubAwayError(f"{type(error).__name__}: {str(error)[:200]}") from error

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()


def _read(answer: Any, before: datetime) -> tuple[list[Unseen], bool]:
    """Read a page of the hub's people: who was not seen since, and whether nobody comes after them."""
    found: list[Unseen] = []
    try:
        items = answer["items"]
        for item in items:
            if "last_activity" not in item:
                raise NotToldError
            last_seen = _moment(item)
            if last_seen is not None and last_seen >= before:
                return found, True
            found.append(Unseen(str(item["name"]), last_seen))
        return found, answer["_pagination"]["next"] is None
    except (KeyError, TypeError, ValueError) as error:
        raise HubAwayError("its answer about people cannot be read") from error


def _moment(item: Mapping[str, Any]) -> datetime | None:
    text = item["last_activity"]
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)
