"""A real Prometheus scrapes a real hub and its usage service; the queries of the dashboard are asked of it."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import time
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
import yaml

from .process_hub import free_ports
from .test_heartbeat import Place, api, is_recorded, start, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .process_hub import Hub

TOKEN = "token-of-prometheus"
DOCUMENTATION = Path(__file__).parents[2] / "docs" / "usage.md"
SETTINGS: dict[str, Any] = {
    "communities": {"ocean-lab": {"title": "Ocean Lab", "members": [{"users": ["ada"]}]}},
    "profiles": [{"display_name": "Small", "slug": "small"}],
}
DASHBOARD = json.loads(files("hub_extensions.share").joinpath("grafana/hub-extensions.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
TARGETS = [
    pytest.param(target["expr"], id=f"{panel['title']}, {target['refId']}")
    for panel in PANELS
    for target in panel["targets"]
]


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Prometheus that has scraped a hub on which somebody has worked."""
    if not shutil.which("prometheus"):
        pytest.skip("Debian's prometheus is not installed")
    folder = tmp_path_factory.mktemp("prometheus")
    place = Place(folder, **SETTINGS)
    roles = [{"name": "prometheus", "scopes": ["read:metrics"], "services": ["prometheus"]}]
    with place.hub(services=[{"name": "prometheus", "api_token": TOKEN}], roles=roles) as hub:
        for name in ("ada", "bo"):
            api(hub, "POST", f"users/{name}")
        api(hub, "POST", "groups/ocean-lab")
        api(hub, "POST", "groups/ocean-lab/users", json={"users": ["ada", "bo"]})
        for name in ("ada", "bo"):
            start(hub, name, {"profile": "small"})
            until(lambda name=name: is_recorded(place, name), "the start is in the ledger")
        api(hub, "DELETE", "users/bo/server")
        with running_prometheus(folder, hub) as url:
            yield url
    place.end_servers()


@contextlib.contextmanager
def running_prometheus(folder: Path, hub: Hub) -> Iterator[str]:
    [port] = free_ports(1)
    # What the documentation shows, with the addresses of here.
    [shown] = re.findall(r"```yaml\n# prometheus.yml\n(.*?)```", DOCUMENTATION.read_text(), flags=re.DOTALL)
    host, _, base_url = hub.url.removeprefix("http://").partition("/")
    (folder / "token").write_text(TOKEN)
    shown = shown.replace("/etc/prometheus/hub-token", str(folder / "token")).replace("hub.example.org", f"'{host}'")
    shown = shown.replace("https", "http").replace("metrics_path: /", f"metrics_path: /{base_url}")
    jobs = {job["job_name"] for job in yaml.safe_load(shown)["scrape_configs"]}
    file = folder / "prometheus.yml"
    file.write_text(f"global: {{scrape_interval: 1s}}\n{shown}")
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={file}",
                f"--storage.tsdb.path={folder / 'series'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: scraped(url, jobs), "both are scraped", 60)
        # Counted after the first scrape, and increases want several.
        until(lambda: found(url, "hub_extensions_usage_month_server_hours > 0"), "hours are scraped", 60)
        until(lambda: found(url, "hub_extensions_group_members"), "sizes of groups are scraped", 60)
        time.sleep(4)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def scraped(url: str, jobs: set[str]) -> bool:
    with contextlib.suppress(requests.RequestException):
        targets = requests.get(f"{url}/api/v1/targets", timeout=10).json()["data"]["activeTargets"]
        return {each["labels"]["job"] for each in targets if each["health"] == "up"} == jobs
    return False


def found(url: str, query: str) -> list[Any]:
    answer = requests.get(f"{url}/api/v1/query", params={"query": query}, timeout=10)
    assert answer.status_code == 200, answer.text
    result: list[Any] = answer.json()["data"]["result"]
    return result


def filled(query: str) -> str:
    """A query as Grafana sends it where all is chosen."""
    for name, value in {"$hub": ".*", "$community": ".*", "$__rate_interval": "4s"}.items():
        query = query.replace(name, value)
    assert "$" not in query
    return query


@pytest.mark.parametrize("query", TARGETS)
def test_each_query_of_the_dashboard_finds_samples(prometheus: str, query: str) -> None:
    assert found(prometheus, filled(query))


def test_the_dashboards_choices_are_labels_that_exist(prometheus: str) -> None:
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            metric, label = variable["definition"].removeprefix("label_values(").removesuffix(")").split(", ")
            assert all(label in each["metric"] for each in found(prometheus, metric))


def test_what_is_scraped_is_what_happened(prometheus: str) -> None:
    def value(query: str) -> float:
        [one] = found(prometheus, query)
        return float(one["value"][1])

    assert value('hub_extensions_running_servers{community="ocean-lab", profile="small"}') == 1
    assert value('hub_extensions_group_members{group="ocean-lab"}') == 2
    assert value('hub_extensions_usage_active_people{period="1d"}') == 2
    assert value('hub_extensions_usage_running_sessions{community="ocean-lab", profile="small"}') == 1
    assert value('hub_extensions_usage_month_ended_sessions{reason="stopped by admin"}') == 1
    assert value("time() - hub_extensions_usage_heartbeat_timestamp_seconds") < 30


def test_every_panel_says_what_it_shows() -> None:
    assert all(panel["title"] and panel["description"].endswith(".") for panel in PANELS)
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    everywhere = [target["expr"] for panel in PANELS for target in panel["targets"]]
    assert all('hub=~"$hub"' in query for query in everywhere)
