"""What Prometheus reads of a usage service: at a real hub's, and of ledgers of the test."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
import requests

from hub_extensions.ledger import Ledger
from hub_extensions.ledger.counting import Counter
from hub_extensions.series import LARGEST, OTHERS
from hub_extensions.services.usage.metrics import Metrics
from hub_extensions.services.usage.reader import Reader
from hub_extensions.sessions import GIB, HOUR, Month
from hub_extensions.usage_service import UsageSettings

from ..ledger.made import made
from .process_hub import free_ports
from .seeded_hub import PEOPLE, Seeded
from .test_usage import first_line, serving
from .tokens import new_token

if TYPE_CHECKING:
    from pathlib import Path

UTC_ZONE = ZoneInfo("UTC")


def scrape(seeded: Seeded, token: str | None) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return requests.get(f"{seeded.hub.service}metrics", headers=headers, timeout=20, allow_redirects=False)


def series(text: str) -> dict[str, float]:
    found = re.findall(r"^(hub_extensions_usage_\w+(?:\{.*\})?) (\S+)$", text, re.M)
    return {name.removeprefix("hub_extensions_usage_"): float(value) for name, value in found}


# Who may


def test_a_token_with_the_hubs_own_scope_for_metrics_is_enough(seeded: Seeded) -> None:
    answer = scrape(seeded, "token-of-prometheus")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    hub = requests.get(
        f"{seeded.hub.url}hub/metrics", headers={"Authorization": "Bearer token-of-prometheus"}, timeout=20
    )
    assert hub.status_code == 200


def test_nobody_else_sees_metrics(seeded: Seeded) -> None:
    assert scrape(seeded, None).status_code == 401
    assert scrape(seeded, "x").status_code == 401
    assert scrape(seeded, "token-of-the-curious").status_code == 403
    assert scrape(seeded, new_token(seeded.hub, "lin", ["inherit"])).status_code == 403
    assert seeded.hub.visitor("root").get(f"{seeded.hub.service}metrics", timeout=20).status_code == 401


def test_an_admins_token_sees_them_as_it_sees_the_hubs(seeded: Seeded) -> None:
    assert scrape(seeded, new_token(seeded.hub, "root", ["inherit"])).status_code == 200


def test_they_are_open_where_the_hubs_own_are(tmp_path: Path) -> None:
    [port] = free_ports(1)
    for is_open, status in ((True, 200), (False, 401)):
        told = {"HUB_EXTENSIONS_USAGE": json.dumps({"metrics_open": is_open})}
        with serving(f"sqlite:///{tmp_path}/usage.sqlite", f"http://127.0.0.1:{port}", **told) as process:
            assert "are served" in first_line(process)
            answer = requests.get(f"http://127.0.0.1:{port}/services/usage/metrics", timeout=20)
            assert answer.status_code == status


def test_no_metric_names_a_person(seeded: Seeded) -> None:
    labels = set(re.findall(r'="([^"]*)"', scrape(seeded, "token-of-prometheus").text))
    assert not labels & (set(PEOPLE) | {"eve"})
    assert "ocean-lab" in labels


# What it says


async def told(folder: Path, sessions: list[dict[str, object]], **settings: object) -> dict[str, float]:
    url = f"sqlite:///{folder}/usage.sqlite"
    ledger = Ledger(url)
    ledger.migrate()
    now = datetime.now(UTC)
    for given in sessions:
        end = given.pop("end", None)
        session = made(**given)
        ledger.open(session)
        if end:
            ledger.close(session.id, end, str(given.get("reason", "culled")))
        else:
            ledger.seen([session.id], now)
    Counter(ledger, "hub", UTC_ZONE).count_up(now)
    ledger.dispose()
    reader = Reader(url, "hub")
    usage = UsageSettings(database=url, **settings)
    try:
        return series((await Metrics(reader, usage, UTC_ZONE, None).text()).decode())
    finally:
        reader.close()


async def test_this_month_is_told_by_community_and_profile_by_group_and_by_image(tmp_path: Path) -> None:
    begin = Month.of(datetime.now(UTC), UTC_ZONE).window(UTC_ZONE).start
    common = {"ready_at": begin, "end": begin + 2 * HOUR, "image": "img:1", "memory_guarantee": 3 * GIB, "gpus": 1}
    found = await told(
        tmp_path,
        [
            {**common, "user_name": "ada", "community": "ocean", "profile": "big", "groups": frozenset(["a", "b"])},
            {**common, "user_name": "bo", "community": "ocean", "profile": "big", "groups": frozenset(["b"])},
            {**common, "user_name": "bo", "server_name": "x", "community": "ice", "profile": "small"},
            {**common, "user_name": "cy", "hub": "other", "community": "ocean", "profile": "big"},
            {"ready_at": begin - 40 * 24 * HOUR, "end": begin - 39 * 24 * HOUR, "user_name": "dee", "community": "ice"},
        ],
    )
    assert found['month_server_hours{community="ocean",profile="big"}'] == 4
    assert found['month_gib_hours{community="ice",profile="small"}'] == 6
    assert found['month_gpu_hours{community="ocean",profile="big"}'] == 4
    assert found['month_sessions{community="ocean",profile="big"}'] == 2
    assert found['group_month_server_hours{group="a"}'] == 2
    assert found['group_month_server_hours{group="b"}'] == 4
    assert found['image_month_server_hours{image="img:1"}'] == 6
    assert found['month_ended_sessions{reason="culled"}'] == 3
    assert found['month_ended_sessions{reason="crashed"}'] == 0
    assert found["ledger_up"] == 1
    assert found["counted_timestamp_seconds"] > begin.timestamp()


def an_hour(days_ago: int) -> dict[str, object]:
    begin = datetime.now(UTC) - timedelta(days=days_ago)
    return {"ready_at": begin, "end": begin + HOUR}


async def test_active_people_and_running_sessions_are_those_of_now(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    found = await told(
        tmp_path,
        [
            {"user_name": "ada", "community": "ocean", "profile": "big", "ready_at": now - timedelta(seconds=1)},
            {"user_name": "bo", "community": "ocean", **an_hour(days_ago=5)},
            {"user_name": "cy", "community": "ice", **an_hour(days_ago=20)},
            {"user_name": "dee", "community": "ice", **an_hour(days_ago=70)},
        ],
    )  # fmt: skip
    assert [found[f'active_people{{period="{period}"}}'] for period in ("1d", "7d", "30d")] == [1, 2, 3]
    assert found['community_active_people{community="ocean",period="7d"}'] == 2
    assert found['community_active_people{community="ice",period="30d"}'] == 1
    assert found['running_sessions{community="ocean",profile="big"}'] == 1


async def test_many_communities_do_not_make_many_series(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    begin = Month.of(now, UTC_ZONE).window(UTC_ZONE).start
    found = await told(
        tmp_path,
        [
            {"user_name": "ada", "server_name": f"s{number}", "community": f"c{number:03}", "ready_at": begin,
             "end": begin + HOUR}
            for number in range(LARGEST + 20)
        ],
    )  # fmt: skip
    hours = {name: value for name, value in found.items() if name.startswith("month_server_hours{")}
    assert len(hours) == LARGEST + 1
    assert hours[f'month_server_hours{{community="{OTHERS}",profile="{OTHERS}"}}'] == 20
    active = {name: value for name, value in found.items() if "community_active_people" in name and '"30d"' in name}
    assert len(active) == LARGEST + 1
    assert active[f'community_active_people{{community="{OTHERS}",period="30d"}}'] == 1


@pytest.mark.parametrize("wanted", [False, True])
async def test_people_are_named_only_where_the_operator_wants_it(tmp_path: Path, wanted: bool) -> None:
    begin = Month.of(datetime.now(UTC), UTC_ZONE).window(UTC_ZONE).start
    session = {"user_name": "ada", "community": "ocean", "ready_at": begin, "end": begin + HOUR}
    found = await told(tmp_path, [session], metrics_per_user=wanted)
    assert found.get('person_month_server_hours{user="ada"}') == (1.0 if wanted else None)
    assert any("ada" in name for name in found) is wanted


async def test_a_ledger_that_does_not_answer_is_told_as_such(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/none/usage.sqlite"
    reader = Reader(url, "hub")
    try:
        text = await Metrics(reader, UsageSettings(database=url), UTC_ZONE, None).text()
    finally:
        reader.close()
    assert series(text.decode()) == {"ledger_up": 0.0}
