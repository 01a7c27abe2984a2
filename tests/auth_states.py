"""Logins that leave an auth_state behind."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from jupyterhub.auth import DummyAuthenticator
from jupyterhub.crypto import CryptKeeper

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@contextmanager
def logins_with(states: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The configuration of a hub whose people have these states, name → auth_state, after they log in."""

    class StatefulAuthenticator(DummyAuthenticator):  # type: ignore[misc]  # JupyterHub publishes no types
        async def authenticate(self, handler: Any, data: Any = None) -> Any:
            return {"name": data["username"], "auth_state": states.get(data["username"])}

    CryptKeeper.clear_instance()  # it takes its keys from the first hub of a process
    try:
        yield {
            "CryptKeeper": {"keys": [secrets.token_bytes(32)]},
            "JupyterHub": {"authenticator_class": StatefulAuthenticator},
            "Authenticator": {"allow_all": True, "enable_auth_state": True, "admin_users": {"admin"}},
        }
    finally:
        CryptKeeper.clear_instance()
