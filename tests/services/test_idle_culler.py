"""A real hub and a real culler: idle and old servers are stopped, by profile and group, and the ledger says so."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from hub_extensions.end_reasons import EndReason

from .test_heartbeat import Place, api, is_recorded, start, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .process_hub import Hub

PROFILES = [{"display_name": "Small", "slug": "small"}, {"display_name": "Large", "slug": "large"}]
IDLE = {
    "timeout": "1 hour",
    "rules": [
        {"profiles": ["large"], "groups": ["patient"], "timeout": "never"},
        {"profiles": ["large"], "timeout": "3 seconds"},
        {"groups": ["short-*"], "max_age": "3 seconds"},
    ],
}


@pytest.fixture(scope="module", params=["with a ledger", "without"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Place, Hub]]:
    found = Place(tmp_path_factory.mktemp("hub"), profiles=PROFILES, idle=IDLE)
    if request.param == "without":
        del found.settings["usage"]
    try:
        with found.hub() as hub:
            yield found, hub
    finally:
        found.end_servers()


def begin(hub: Hub, name: str, profile: str, *groups: str) -> None:
    api(hub, "POST", f"users/{name}")
    for group in groups:
        api(hub, "POST", f"groups/{group}")
        assert api(hub, "POST", f"groups/{group}/users", json={"users": [name]}).ok
    start(hub, name, {"profile": profile})


def runs(hub: Hub, name: str) -> bool:
    return "" in api(hub, "GET", f"users/{name}").json()["servers"]


def test_servers_are_stopped_by_what_holds_for_their_profile_and_groups(place: tuple[Place, Hub]) -> None:
    where, hub = place
    begin(hub, "kept", "small")
    begin(hub, "patient", "large", "patient")
    begin(hub, "old", "small", "short-course")
    begin(hub, "idle", "large")
    for name in ("idle", "old"):
        until(lambda name=name: not runs(hub, name), f"the server of {name} is stopped")
    time.sleep(2)
    assert runs(hub, "kept")
    assert runs(hub, "patient")
    if "usage" not in where.settings:
        return
    for name in ("idle", "old"):
        until(lambda name=name: is_recorded(where, name) and where.row(name).ended_at, "the end is in the ledger")
        row = where.row(name)
        assert row.end_reason == EndReason.CULLED
        assert row.ready_at is not None
        assert row.ended_at is not None
        assert row.ended_at - row.ready_at < timedelta(minutes=1)
    assert [where.row(name).ended_at for name in ("kept", "patient")] == [None, None]
