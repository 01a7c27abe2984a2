"""Who sends a token of the hub along, for programs: no cookie, no redirect."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tornado.httpclient import HTTPError as ClientError
from tornado.web import HTTPError

from .pages import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyterhub.services.auth import HubAuth
    from tornado.web import RequestHandler

_SAY_WHO = (
    "This needs a valid token of the hub, sent as “Authorization: Bearer TOKEN”. People make one on the page “Token” "
    "of the hub."
)
# As the hub takes them, and nothing that could be another header.
_TOKEN = re.compile(r"(?:token|bearer) +([!-~]{1,1024})", re.IGNORECASE)


async def owner_of_token(handler: RequestHandler, hub_auth: HubAuth) -> Mapping[str, Any]:
    """Return what the hub says of the owner of the token in the request's header, with the token's scopes.

    Raises ``RefusedError`` with 401 when there is none that is valid, and 503 when the hub does not answer.
    """
    sent = _TOKEN.fullmatch(handler.request.headers.get("Authorization", ""))
    try:
        found: Mapping[str, Any] | None = sent and await hub_auth.user_for_token(sent[1], sync=False)
    except (HTTPError, ClientError, OSError):
        raise RefusedError(503, "The hub does not answer just now. Please try again in a minute.") from None
    if not found:
        raise RefusedError(401, _SAY_WHO)
    return found
