"""A hub whose file changes while it runs: its pages, its doors, its log and its metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from traitlets.config import Config

from hub_extensions import configure

from .hub import RunningHub, running_hub
from .kube.cluster import QUICK_SERVER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

OCEAN = {"display_name": "Ocean analysis", "slug": "ocean", "kubespawner_override": {"mem_limit": "1G"}}
LAND = {"display_name": "Land use", "slug": "land", "kubespawner_override": {"mem_limit": "2G"}}
SETTINGS: dict[str, Any] = {
    "communities": {"ocean-lab": {"members": [{"users": ["ada"]}]}},
    "profiles": [OCEAN, LAND],
    "announcements": [{"text": "Welcome <everybody>"}],
}


@dataclass
class Changing:
    """A running hub, and its file as Kubernetes mounts a ConfigMap."""

    hub: RunningHub
    folder: Path
    version: int = 0

    def becomes(self, text: str = "", **changed: Any) -> None:
        """Swap the file for these settings, or for a text, and let the hub look."""
        swap(self.folder, self.version + 1, text or yaml.safe_dump({**SETTINGS, **changed}))
        self.version += 1
        file = self.hub.app.config.ProfileSpawner.profile_list.file
        file.look()
        file.look()


def swap(folder: Path, version: int, text: str) -> None:
    there = folder / f"..{version}"
    there.mkdir()
    (there / "hub.yaml").write_text(text)
    (folder / "..new").symlink_to(there.name)
    (folder / "..new").rename(folder / "..data")


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Changing]:
    folder = tmp_path_factory.mktemp("config-map")
    swap(folder, 0, yaml.safe_dump(SETTINGS))
    (folder / "hub.yaml").symlink_to("..data/hub.yaml")
    c = Config({"JupyterHub": {"spawner_class": "profile-local"}})
    c.ProfileLocalSpawner.cmd = QUICK_SERVER
    c.ProfileLocalSpawner.home_dir_template = str(folder / "{username}")
    configure(c, folder / "hub.yaml")
    async with running_hub(c) as hub:
        yield Changing(hub, folder)


@pytest.fixture
def at(running: Changing) -> Changing:
    """The hub, as it started."""
    running.becomes()
    return running


async def test_pages_show_the_new_profiles_and_announcements_without_a_restart(at: Changing) -> None:
    ada = await at.hub.login("ada")
    page = await ada.get("spawn")
    assert "Land use" in page.text
    assert "Welcome &lt;everybody&gt;" in page.text
    ice = {"display_name": "Ice cores", "slug": "ice"}
    at.becomes(profiles=[OCEAN, ice], announcements=[{"text": "New: ice cores.", "pages": ["spawn"]}])
    page = await ada.get("spawn")
    assert "Ice cores" in page.text
    assert "Land use" not in page.text
    assert "New: ice cores." in page.text
    assert "Welcome" not in page.text
    assert "New: ice cores." not in (await ada.get("home")).text
    reply = await at.hub.api("POST", "users/fay/server", user="fay", json={"user_options": {"profile": "ice"}})
    assert reply.status == 201, reply.text


async def test_announcements_are_on_their_pages_and_for_their_community(at: Changing) -> None:
    at.becomes(
        announcements=[
            {"text": "At the door", "pages": ["login"]},
            {"text": "At home", "pages": ["home"]},
            {"text": "For the lab", "communities": ["ocean-lab"]},
            {"text": "Long ago", "until": "2020-01-31"},
        ]
    )
    at.hub.user("ada", groups=("Ocean-Lab",))
    door = await at.hub.browser().get("login")
    ada, eve = await at.hub.login("ada"), await at.hub.login("eve")
    seen = {
        "door": door.text,
        "ada": (await ada.get("home")).text,
        "eve": (await eve.get("home")).text,
        "token": (await ada.get("token")).text,
    }
    texts = ("At the door", "At home", "For the lab", "Long ago")
    assert {page: [text for text in texts if text in shown] for page, shown in seen.items()} == {
        "door": ["At the door"],
        "ada": ["At home", "For the lab"],
        "eve": ["At home"],
        "token": ["For the lab"],
    }


@pytest.mark.parametrize("text", ["", "profiles: [{display_name: Half", "profiles: []", "hub: {titel: X}"])
async def test_a_bad_version_changes_nothing_but_the_log_and_the_metrics(
    text: str, at: Changing, caplog: pytest.LogCaptureFixture
) -> None:
    before = await metric(at.hub, "refused_total")
    at.becomes(text or "\x00")
    assert "Land use" in (await (await at.hub.login("ada")).get("spawn")).text
    assert await metric(at.hub, "refused_total") == before + 1
    assert await metric(at.hub, "current") == 0
    assert "a new version is refused" in caplog.text
    at.becomes()
    assert await metric(at.hub, "current") == 1


async def metric(hub: RunningHub, name: str) -> float:
    await (await hub.login("ada")).get("spawn")  # the hub follows its file once somebody has used it
    text = (await hub.api("GET", "metrics")).text
    [line] = [line for line in text.splitlines() if line.startswith(f"hub_extensions_live_file_{name} ")]
    return float(line.split()[1])


@pytest.mark.parametrize(
    ("name", "profiles", "status", "started"),
    [
        ("ben", [OCEAN, {**LAND, "slug": "earth", "aliases": ["land"]}], 302, "earth"),
        ("cat", [OCEAN, {**LAND, "retired": "2020-01-01", "replaced_by": "ocean"}], 400, ""),
        ("dan", [OCEAN], 400, ""),
    ],
    ids=["another slug", "replaced", "gone"],
)
async def test_a_form_of_the_old_list_is_understood_by_the_new_one_or_refused_in_words(
    name: str, profiles: list[Any], status: int, started: str, at: Changing
) -> None:
    browser = await at.hub.login(name)
    assert 'value="land"' in (await browser.get("spawn")).text
    at.becomes(profiles=profiles)
    reply = await browser.post("spawn", {"profile": "land"}, follow=False)
    assert reply.status == status, reply.text
    spawner = at.hub.app.users[name].spawners[""]
    assert (spawner.resolved.profile if spawner.resolved else "") == started
    if not started:
        assert "Ocean analysis" in reply.text  # the form again, with what there is now


async def test_a_running_server_keeps_what_it_has_and_its_next_start_takes_the_new_list(at: Changing) -> None:
    async def start() -> Any:
        reply = await at.hub.api("POST", "users/eva/server", user="eva", json={"user_options": {"profile": "ocean"}})
        assert reply.status == 201, reply.text
        return at.hub.app.users["eva"].spawners[""]

    first = await start()
    at.becomes(profiles=[{**OCEAN, "kubespawner_override": {"mem_limit": "3G"}}])
    assert first.mem_limit == 2**30
    assert (await at.hub.api("DELETE", "users/eva/server", user="eva")).status == 204
    assert (await start()).mem_limit == 3 * 2**30
