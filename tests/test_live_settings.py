"""Settings that change while the hub runs: what is refused, what waits for a restart, and what the log says of it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from traitlets.config import Config

from hub_extensions import configure, planned_hub
from hub_extensions.live_settings import LiveProfiles
from hub_extensions.wiring import wire

from . import z2jh_loader

if TYPE_CHECKING:
    from pathlib import Path

    from hub_extensions.live_file import LiveFile

LOCAL = {"JupyterHub": {"spawner_class": "profile-local"}}
SETTINGS = {
    "hub": {"title": "Reef", "config": LOCAL},
    "communities": {"ocean-lab": {"members": [{"users": ["ada"]}]}},
    "sizes": {"small": {"mem_limit": "1G"}},
    "profiles": [{"display_name": "One", "slug": "one", "size": "small"}],
    "announcements": [{"text": "Hello"}],
}
LIVE = {key: SETTINGS[key] for key in ("sizes", "profiles", "announcements")}
OTHERS = {key: SETTINGS[key] for key in ("hub", "communities")}


class Hub:
    """A configured hub whose file can be written anew."""

    def __init__(self, path: Path, c: Config) -> None:
        self.path = path
        self.page = c.JupyterHub.template_vars["hub_extensions"]
        self.c = c
        self.file: LiveFile[Any] = c.ProfileSpawner.profile_list.file

    def has(self, **changed: Any) -> None:
        """Write the file's settings with these changes, and see them found."""
        self.path.write_text(yaml.safe_dump({**yaml.safe_load(self.path.read_text()), **changed}))
        self.file.look()
        self.file.look()

    @property
    def slugs(self) -> list[str]:
        return [profile.slug for profile in self.c.ProfileSpawner.profile_list(None).profiles]

    @property
    def announced(self) -> list[str]:
        return [each.text for each in self.page(None).announcements]


@pytest.fixture
def in_one_file(tmp_path: Path) -> Hub:
    path = tmp_path / "hub.yaml"
    path.write_text(yaml.safe_dump(SETTINGS))
    c = Config()
    configure(c, path)
    return Hub(path, c)


@pytest.fixture
def in_its_own(tmp_path: Path) -> Hub:
    path = tmp_path / "live.yaml"
    path.write_text(yaml.safe_dump(LIVE))
    c = Config()
    configure(c, {**OTHERS, "live_file": str(path)})
    return Hub(path, c)


@pytest.fixture
def under_z2jh(tmp_path: Path) -> Hub:
    path = tmp_path / "live.yaml"
    path.write_text(yaml.safe_dump(LIVE))
    custom = {"communities": OTHERS["communities"], "live_file": str(path)}
    c = z2jh_loader.load({"custom": custom, "hub": {"config": LOCAL}}, tmp_path)
    return Hub(path, c)


@pytest.fixture(params=["in_one_file", "in_its_own", "under_z2jh"])
def hub(request: pytest.FixtureRequest) -> Hub:
    found: Hub = request.getfixturevalue(request.param)
    return found


TWO = [*SETTINGS["profiles"], {"display_name": "Two", "slug": "two", "size": "small"}]  # type: ignore[misc]


def test_profiles_sizes_and_announcements_change_together(hub: Hub) -> None:
    assert (hub.slugs, hub.announced) == (["one"], ["Hello"])
    hub.has(profiles=TWO, announcements=[{"text": "Bye"}], sizes={"small": {"mem_limit": "2G"}})
    assert (hub.slugs, hub.announced) == (["one", "two"], ["Bye"])
    assert hub.c.ProfileSpawner.profile_list(None).profiles[1].kubespawner_override["mem_limit"] == "2G"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"profiles": [{"display_nam": "Two"}]}, "profiles[0].display_nam: unknown key. Did you mean 'display_name'?"),
        ({"profiles": [{**TWO[0], "kubespawner_override": {"cpu_limit": "2"}}]}, "cpu_limit: expected a number"),
        ({"profiles": [TWO[0], TWO[0]]}, "profiles[1].slug: 'one' is the slug of profiles[0] too."),
        ({"profiles": []}, "profiles: are none any more, which would switch profiles off. Restart the hub with it."),
        ({"sizes": {}}, "profiles[0].size: "),
        ({"announcements": [{"text": "Bye", "communities": ["land"]}]}, "there is no community 'land'"),
        ({"announcments": []}, "announcments: "),
    ],
)
def test_a_version_with_a_mistake_is_refused_whole(
    hub: Hub, changed: dict[str, Any], told: str, caplog: pytest.LogCaptureFixture
) -> None:
    hub.has(**{"announcements": [{"text": "Bye"}], **changed})
    assert (hub.slugs, hub.announced) == (["one"], ["Hello"])
    [error] = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert told in error
    assert str(hub.path) in error


def test_profiles_of_a_hub_that_started_without_them_need_a_restart(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "hub.yaml"
    path.write_text("announcements: [{text: Hello}]")
    c = Config()
    configure(c, path)
    assert "profile_list" not in c.ProfileSpawner
    page = c.JupyterHub.template_vars["hub_extensions"]
    file = page.announcements.file
    path.write_text("announcements: [{text: Bye}]")
    file.look()
    file.look()
    assert [each.text for each in page(None).announcements] == ["Bye"]
    path.write_text("{announcements: [{text: Bye}], profiles: [{display_name: A}]}")
    file.look()
    file.look()
    assert "profiles: the hub has started without any. Restart the hub with it." in caplog.text


def test_other_settings_wait_for_a_restart_and_one_line_says_which(
    in_one_file: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    in_one_file.has(hub={**SETTINGS["hub"], "title": "Sea"}, grants=[])  # type: ignore[dict-item]
    in_one_file.has(announcements=[{"text": "Bye"}])
    assert in_one_file.announced == ["Bye"]
    assert in_one_file.page(None).title == "Reef"
    [line] = [line for line in caplog.messages if "restarted" in line]
    assert line.endswith("takes effect when the hub is restarted: grants, hub.")


def test_a_mistake_in_what_waits_for_a_restart_is_told_before_it(
    in_one_file: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    in_one_file.has(hub={"titel": "Sea"}, announcements=[{"text": "Bye"}])
    assert in_one_file.announced == ["Hello"]
    assert "hub.titel: unknown key. Did you mean 'title'?" in caplog.text


def test_doubts_about_a_new_version_are_logged_when_they_are_new(hub: Hub, caplog: pytest.LogCaptureFixture) -> None:
    twice = [{**each, "default": True} for each in TWO]
    hub.has(profiles=twice)
    hub.has(announcements=[])
    assert hub.slugs == ["one", "two"]
    assert len([line for line in caplog.messages if "is a default too" in line]) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "live.yaml: there is no such file."),
        ("profiles: [", "live.yaml, line 1, column"),
        ("- a", "live.yaml: expected a mapping of settings."),
        ("quotas: []", "live.yaml: quotas: a live file holds only profiles, sizes, announcements."),
        ("communities: {}", "live.yaml: communities: a live file holds only"),
        ("profiles: [{slug: a}]", "live.yaml: profiles[0].display_name: is required and missing."),
    ],
)
@pytest.mark.parametrize("chart", [True, False], ids=["z2jh", "plain"])
def test_a_live_file_with_a_mistake_stops_the_start(text: str | None, told: str, chart: bool, tmp_path: Path) -> None:
    path = tmp_path / "live.yaml"
    if text is not None:
        path.write_text(text)
    settings = {"communities": OTHERS["communities"], "live_file": str(path)}
    start = (
        partial(z2jh_loader.load, {"custom": settings}, tmp_path) if chart else partial(configure, Config(), settings)
    )
    with pytest.raises(SystemExit) as ended:
        start()
    assert f"  {tmp_path}/{told}" in str(ended.value)


def test_what_stands_in_the_live_file_and_in_the_settings_stops_the_start(tmp_path: Path) -> None:
    path = tmp_path / "live.yaml"
    path.write_text("announcements: [{text: A}]")
    with pytest.raises(SystemExit, match=r"live.yaml: announcements: stands in the other settings too. Keep one"):
        configure(Config(), {"announcements": [{"text": "B"}], "live_file": str(path)})


def test_whoever_only_plans_a_hub_follows_nothing_and_may_lack_the_live_file(tmp_path: Path) -> None:
    c = Config()
    wire(c, settings={**OTHERS, "live_file": str(tmp_path / "live.yaml")})
    assert "profile_list" not in c.ProfileSpawner
    (tmp_path / "live.yaml").write_text(yaml.safe_dump(LIVE))
    wire(c, settings={**OTHERS, "live_file": str(tmp_path / "live.yaml")})
    assert [profile["slug"] for profile in c.ProfileSpawner.profile_list] == ["one"]


def test_configuring_twice_is_configuring_once(in_one_file: Hub) -> None:
    configure(in_one_file.c, in_one_file.path)
    assert isinstance(in_one_file.c.ProfileSpawner.profile_list, LiveProfiles)
    assert in_one_file.slugs == ["one"]


def test_a_pipeline_checks_the_file_that_will_be_mounted(tmp_path: Path) -> None:
    (tmp_path / "live.yaml").write_text("profiles: [{display_nam: A}]")
    values = {"hub": {"config": LOCAL}, "custom": {"live_file": "/etc/hub-live/live.yaml"}}
    assert planned_hub.from_values([values]).findings == ()
    found = planned_hub.from_values([values, {"custom": {"live_file": str(tmp_path / "live.yaml")}}]).findings
    assert f"{tmp_path}/live.yaml: profiles[0].display_nam" in [finding.path for finding in found]
