"""Google groups: the token of the service account is asked for without holding up the hub, and in bounded time."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ..providers.google import Google, Person
from ..providers.login import arrive, hub_with

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


class Silent:
    """A server that takes requests and never answers."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[asyncio.StreamWriter] = []
        self.is_asked = asyncio.Event()

    async def take(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append(writer)
        self.is_asked.set()


@pytest.fixture
async def silent() -> AsyncIterator[Silent]:
    found = Silent()
    server = await asyncio.start_server(found.take, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    found.url = f"http://{host}:{port}/token"
    yield found
    server.close()
    for writer in found.asked:
        writer.close()


def service_account(file: Path, token_uri: str) -> str:
    """A key file as Google gives them, whose tokens come from elsewhere."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "type": "service_account",
        "client_email": "hub@project.example",
        "private_key_id": "1",
        "private_key": key.decode(),
        "token_uri": token_uri,
    }
    file.write_text(json.dumps(account), encoding="utf-8")
    return str(file)


def with_groups(file: str) -> dict[str, Any]:
    return {
        "hosted_domain": ["example.edu"],
        "allowed_google_groups": {"example.edu": {"staff"}},
        "gsuite_administrator": {"example.edu": "admin"},
        "google_service_account_keys": {"example.edu": file},
        "provider_timeout": 1.5,
    }


async def test_a_token_endpoint_that_hangs_holds_up_nobody_else(silent: Silent, tmp_path: Path) -> None:
    file, ticks = service_account(tmp_path / "key.json", silent.url), 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    async with (
        Google([Person("ada@example.edu", "example.edu")]) as google,
        hub_with(google, "community-google", with_groups(file)) as hub,
    ):
        asking = asyncio.create_task(arrive(hub, "ada@example.edu"))
        await silent.is_asked.wait()
        ticking = asyncio.create_task(tick())
        arrival = await asyncio.wait_for(asking, 30)
        ticking.cancel()
    assert not arrival.admitted
    assert arrival.page.status == 503
    assert "cannot be asked at the moment" in arrival.page.text
    assert ticks > 5


async def test_a_service_account_that_gets_no_token_is_no_refusal_of_the_person(tmp_path: Path) -> None:
    file = service_account(tmp_path / "key.json", "http://127.0.0.1:1/token")
    async with (
        Google([Person("ada@example.edu", "example.edu")]) as google,
        hub_with(google, "community-google", {**with_groups(file), "provider_timeout": 30}) as hub,
    ):
        arrival = await arrive(hub, "ada@example.edu")
    assert arrival.page.status == 503
