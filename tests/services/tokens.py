"""Tokens of the people of a running hub, as they make them on its page."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from .process_hub import Hub


def new_token(hub: Hub, name: str, scopes: list[str], visitor: requests.Session | None = None) -> str:
    """A token of that person; `inherit` is all that they may do."""
    visitor = visitor or hub.visitor(name)
    page = visitor.get(f"{hub.url}hub/token", timeout=20)
    found = re.search(r'xsrf_token: "([^"]+)"', page.text)
    assert found
    answer = visitor.post(
        f"{hub.url}hub/api/users/{name}/tokens",
        data=json.dumps({"scopes": scopes}),
        headers={"X-XSRFToken": found[1], "Content-Type": "application/json"},
        timeout=20,
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["token"])


def call(hub: Hub, path: str, token: str | None, /, **parameters: Any) -> requests.Response:
    """Call the API of the usage service."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return requests.get(
        f"{hub.service}api/v1/{path}", params=parameters, headers=headers, timeout=30, allow_redirects=False
    )
