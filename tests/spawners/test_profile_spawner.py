"""A real hub with ProfileLocalSpawner: what is applied of a profile, and what its page shows."""

import asyncio
import json
import re
import sys
import textwrap

import pytest
from traitlets import TraitError

from hub_extensions.spawners.local import ProfileLocalSpawner

from ..hub import running_hub

PROFILES = [
    {
        "display_name": "Small",
        "slug": "small",
        "default": True,
        "kubespawner_override": {"environment": {"PROFILE": "small"}, "node_selector": {"pool": "small"}},
    },
    {
        "display_name": "Ocean analysis",
        "slug": "ocean",
        "allowed_groups": ["Ocean-Lab"],
        "kubespawner_override": {"environment": {"PROFILE": "ocean", "DEPTH": "deep"}, "mem_limit": "2G"},
        "profile_options": {
            "tide": {
                "display_name": "Tide",
                "choices": {
                    "low": {"display_name": "Low", "kubespawner_override": {"environment": {"TIDE": "low"}}},
                    "high": {"display_name": "High", "kubespawner_override": {"environment": {"TIDE": "high"}}},
                },
                "unlisted_choice": {
                    "enabled": True,
                    "allowed_groups": ["makers"],
                    "validation_regex": "[0-9]+ m",
                    "kubespawner_override": {"environment": {"TIDE": "{value}"}},
                },
            }
        },
    },
]
# A server that answers, and tells in a file of its home which environment it was given.
SERVER = textwrap.dedent("""
    import json, os, pathlib, runpy
    pathlib.Path("environment.json").write_text(json.dumps(dict(os.environ)))
    runpy.run_module("jupyterhub.tests.mocksu", run_name="__main__")
""")


@pytest.fixture(scope="module")
async def homes(tmp_path_factory):
    return tmp_path_factory.mktemp("homes")


@pytest.fixture(scope="module")
async def hub(homes):
    config = {
        "JupyterHub": {"spawner_class": "profile-local", "allow_named_servers": True},
        "ProfileLocalSpawner": {
            "profile_list": PROFILES,
            "communities": {"ocean-lab": "Ocean Lab"},
            "cmd": [sys.executable, "-c", SERVER],
            "home_dir_template": str(homes / "{username}"),
        },
    }
    async with running_hub(config) as running:
        yield running


@pytest.fixture
async def ada(hub):
    hub.user("ada", groups=("ocean-lab",))
    yield "ada"
    await hub.api("DELETE", "users/ada/server")
    await hub.api("DELETE", "users/ada")
    hub._tokens.pop("ada", None)


def environment_of(homes, name):
    return json.loads((homes / name / "environment.json").read_text())


async def by_rest(hub, name, options):
    return await hub.api("POST", f"users/{name}/server", user=name, json={"user_options": options})


async def test_nothing_of_one_profile_is_left_in_the_next_start(hub, ada, homes):
    assert (await by_rest(hub, ada, {"profile": "ocean", "tide": "high"})).status == 201
    spawner = hub.app.users[ada].spawners[""]
    await hub.api("DELETE", f"users/{ada}/server")
    spawner.clear_state()
    await spawner._run_apply_user_options({"profile": "small"})
    assert spawner.environment == {"PROFILE": "small"}
    assert spawner.mem_limit is None
    assert (await by_rest(hub, ada, {"profile": "small"})).status == 201
    assert "TIDE" not in environment_of(homes, ada)


async def test_someone_to_whom_nothing_is_open_is_refused_on_the_page_and_by_rest(homes):
    config = {
        "JupyterHub": {"spawner_class": "profile-local"},
        "ProfileLocalSpawner": {
            "profile_list": PROFILES[1:],
            "cmd": [sys.executable, "-c", SERVER],
            "home_dir_template": str(homes / "{username}"),
        },
    }
    async with running_hub(config) as hub:
        page = await (await hub.login("dan")).get("spawn")
        reply = await hub.api("POST", "users/dan/server", user="dan", json={})
    for answer in (page, reply):
        assert answer.status == 403
        assert "members of Ocean-Lab" in answer.text


async def test_the_page_holds_no_override(hub, ada):
    page = await (await hub.login(ada)).get("spawn")
    assert "Ocean analysis" in page.text
    assert "node_selector" not in page.text
    assert "DEPTH" not in page.text


async def test_profiles_may_come_from_a_function(homes):
    async def profile_list(spawner):
        return [{"display_name": f"Of {spawner.user.name}", "slug": "own", "kubespawner_override": {"mem_limit": "3G"}}]

    config = {
        "JupyterHub": {"spawner_class": "profile-local"},
        "ProfileLocalSpawner": {
            "profile_list": profile_list,
            "cmd": [sys.executable, "-c", SERVER],
            "home_dir_template": str(homes / "{username}"),
        },
    }
    async with running_hub(config) as hub:
        assert "Of eve" in (await (await hub.login("eve")).get("spawn")).text
        assert (await by_rest(hub, "eve", {"profile": "own"})).status == 201
        assert environment_of(homes, "eve")["MEM_LIMIT"] == str(3 * 2**30)


def broken(spawner):
    raise RuntimeError("it holds a secret")


def misspelt(spawner):
    return [{"display_name": "A", "allowed_group": ["a"]}]


def nameless(spawner):
    return "ocean"


@pytest.mark.parametrize("profile_list", [broken, misspelt, nameless])
async def test_a_function_that_gives_no_profiles_starts_nothing_and_is_told_of_in_words(profile_list, homes, caplog):
    config = {
        "JupyterHub": {"spawner_class": "profile-local"},
        "ProfileLocalSpawner": {"profile_list": profile_list, "home_dir_template": str(homes / "{username}")},
    }
    async with running_hub(config) as hub:
        page = await (await hub.login("eve")).get("spawn")
        reply = await hub.api("POST", "users/eve/server", user="eve", json={})
        assert not hub.app.users["eve"].active
    for answer in (page, reply):
        assert "profile_list, a step of this hub, failed. Please tell those who run it." in answer.text
        assert "secret" not in answer.text
    assert "profile_list failed for the server eve" in caplog.text


async def test_what_was_chosen_last_is_selected_again_for_each_server(hub, ada):
    assert (await by_rest(hub, ada, {"profile": "ocean", "tide": "high"})).status == 201
    await hub.api("DELETE", f"users/{ada}/server")
    browser = await hub.login(ada)
    assert re.search(r'value="ocean"[^>]* checked', (await browser.get("spawn")).text)
    assert re.search(r'value="small"[^>]* checked', (await browser.get(f"spawn/{ada}/second")).text)


async def test_building_is_offered_only_where_the_hub_has_a_builder_and_its_images_are_taken_only_there(homes):
    option = {"choices": {"a": {"display_name": "A"}}, "dynamic_image_building": {"enabled": True}}
    config = {
        "JupyterHub": {"spawner_class": "profile-local"},
        "ProfileLocalSpawner": {
            "profile_list": [{"display_name": "Own", "slug": "own", "profile_options": {"image": option}}],
            "built_images": "registry[.]example[.]org/.+",
            "cmd": [sys.executable, "-c", SERVER],
            "home_dir_template": str(homes / "{username}"),
        },
    }
    request = {"profile": "own", "image--unlisted-choice": "registry.example.org/x:1"}
    async with running_hub(config) as hub:
        assert "Build from a repository" not in (await (await hub.login("eve")).get("spawn")).text
        assert (await by_rest(hub, "eve", request)).status == 400
    builder = await asyncio.start_server(
        lambda _, answer: answer.write(b"HTTP/1.1 204 No Content\r\n\r\n"), "127.0.0.1", 0
    )
    port = builder.sockets[0].getsockname()[1]
    config["JupyterHub"]["services"] = [{"name": "images", "url": f"http://127.0.0.1:{port}"}]
    config["ProfileLocalSpawner"]["binder_service"] = "images"
    async with builder, running_hub(config) as hub:
        assert 'data-service="images"' in (await (await hub.login("eve")).get("spawn")).text
        browser = await hub.login("eve")
        await browser.get("spawn")
        page = await browser.post("spawn", {"profile": "own", "profile-option-own--image": "built-image"})
        assert "choose from the list" in page.text
        assert (await by_rest(hub, "eve", request)).status == 201
        assert hub.app.users["eve"].spawners[""].resolved.overrides[-1] == {"image": "registry.example.org/x:1"}


WRONG = [
    {
        "display_name": "Small",
        "slug": "small",
        "allowed_group": ["crew"],
    },
    {
        "display_name": "Big",
        "kubespawner_override": {"mem_limit": "1G", "mem_guarantee": "2G", "environmet": {}},
    },
]


def test_profiles_that_cannot_work_are_told_all_at_once_when_the_first_spawner_is_made():
    with pytest.raises(TraitError) as told:
        ProfileLocalSpawner(profile_list=WRONG)
    assert str(told.value).splitlines() == [
        "profile_list: 3 mistakes",
        "  profile_list[0].allowed_group: unknown key. Did you mean 'allowed_groups'?",
        "  profile_list[1].kubespawner_override.environmet: is not a setting of the spawner. "
        "Did you mean 'environment'?",
        "  profile_list[1]: mem_guarantee 2G is more than mem_limit 1G. Kubernetes starts no such server.",
    ]


async def test_doubts_about_profiles_are_logged_once_for_a_hub(caplog):
    profiles = [{"display_name": "A", "slug": "a", "allowed_teams": ["x"]}, {"display_name": "B"}]
    config = {"JupyterHub": {"spawner_class": "profile-local"}, "ProfileLocalSpawner": {"profile_list": profiles}}
    async with running_hub(config) as hub:
        for name in ("ada", "ben"):
            await (await hub.login(name)).get("home")
    told = [record.getMessage() for record in caplog.records if "allowed_teams" in record.getMessage()]
    assert told == [
        "profile_list[0].allowed_teams: is what allowed_groups was called before. Rename it to allowed_groups."
    ]


def test_a_pattern_of_built_images_that_cannot_work_stops_the_start():
    with pytest.raises(TraitError, match=r"^built_images is not a regular expression: missing \)"):
        ProfileLocalSpawner(built_images="(")
    # What only the library can read that matches it.
    assert ProfileLocalSpawner(built_images=r"[[a-z]--[aeiou]]+(?|x|y)").built_images


async def test_whatever_happens_to_one_spawner_and_its_list_the_offer_to_others_stays(homes):
    def meddle(spawner):
        for profile in spawner.profile_list:
            profile["display_name"] = "Mine"
            profile["kubespawner_override"]["environment"]["PROFILE"] = "mine"
        spawner.environment["DEPTH"] = "none"

    config = {
        "JupyterHub": {"spawner_class": "profile-local"},
        "ProfileLocalSpawner": {
            "profile_list": PROFILES,
            "cmd": [sys.executable, "-c", SERVER],
            "home_dir_template": str(homes / "{username}"),
            "pre_spawn_hook": meddle,
        },
    }
    chosen = {"profile": "ocean", "tide": "high"}
    async with running_hub(config) as hub:
        hub.user("eve", groups=("ocean-lab",))
        hub.user("ada", groups=("ocean-lab",))
        assert (await by_rest(hub, "eve", chosen)).status == 201
        assert environment_of(homes, "eve")["DEPTH"] == "none"
        page = await (await hub.login("ada")).get("spawn")
        assert "Ocean analysis" in page.text
        assert "Mine" not in page.text
        spawner = hub.app.users["ada"].spawners[""]
        await spawner._run_apply_user_options(chosen)
        assert spawner.environment == {"PROFILE": "ocean", "DEPTH": "deep", "TIDE": "high"}


async def test_all_spawners_of_a_hub_share_one_reading_of_the_configured_list(hub, ada):
    hub.user("ben")
    first, second = (hub.app.users[name].spawners[""] for name in (ada, "ben"))
    assert first.profile_list is not second.profile_list
    assert (await first._catalogue()).profiles is (await second._catalogue()).profiles
