"""A real hub with ProfileLocalSpawner: every door on which options arrive, and what is kept of them."""

import asyncio
import json
import re
import sys
import textwrap

import pytest
from jupyterhub import orm
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


def saved_options(hub, name, server=""):
    user = orm.User.find(hub.app.db, name)
    hub.app.db.refresh(user)
    found = [spawner for spawner in user.orm_spawners.values() if spawner.name == server]
    return (found[0].user_options or {}) if found else {}


def is_running(hub, name):
    return any(spawner.active for spawner in hub.app.users[name].spawners.values())


async def by_form(hub, name, options):
    """As the page sends it: fields are named after the profile; anything that is not text is sent as text."""
    browser = await hub.login(name)
    profile = options.get("profile")
    fields = {f"profile-option-{profile}--{key}": str(value) for key, value in options.items() if key != "profile"}
    for key in list(fields):
        if key.endswith("--unlisted-choice"):
            fields[key.removesuffix("--unlisted-choice")] = "unlisted-choice"
    page = await browser.get("spawn")
    assert "profile" in page.text
    return await browser.post("spawn", {"profile": str(profile), **fields})


async def by_rest(hub, name, options):
    return await hub.api("POST", f"users/{name}/server", user=name, json={"user_options": options})


async def by_flat_rest(hub, name, options):
    return await hub.api("POST", f"users/{name}/server", user=name, json=options)


async def by_an_admin(hub, name, options):
    return await hub.api("POST", f"users/{name}/server", user="admin", json={"user_options": options})


DOORS = [by_form, by_rest, by_flat_rest, by_an_admin]


@pytest.mark.parametrize("door", DOORS)
async def test_what_is_chosen_is_what_the_server_gets(door, hub, ada, homes):
    reply = await door(hub, ada, {"profile": "ocean", "tide": "high"})
    assert reply.status < 400, reply.text
    got = environment_of(homes, ada)
    assert (got["PROFILE"], got["DEPTH"], got["TIDE"], got["MEM_LIMIT"]) == ("ocean", "deep", "high", str(2 * 2**30))
    assert saved_options(hub, ada) == {"profile": "ocean", "tide": "high"}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "options",
    [
        {"profile": "gone"},
        {"profile": "ocean", "tide": "spring"},
        {"profile": "ocean", "tide--unlisted-choice": "3 m"},
        {"profile": "ocean", "mem_limit": "1T"},
        {"profile": "small", "tide": "low"},
    ],
    ids=lambda options: " ".join(f"{key}={value}" for key, value in options.items()),
)
async def test_what_is_not_offered_is_refused_starts_nothing_and_is_not_kept(door, options, hub, ada):
    reply = await door(hub, ada, options)
    assert 400 <= reply.status < 500
    assert "choose" in reply.text.casefold()
    assert not is_running(hub, ada)
    assert saved_options(hub, ada) == {}


async def test_the_groups_of_the_owner_count_and_not_those_of_the_admin_who_starts_it(hub):
    hub.user("admin", admin=True, groups=("ocean-lab",))
    hub.user("ben")
    reply = await by_an_admin(hub, "ben", {"profile": "ocean"})
    assert reply.status == 400
    assert not is_running(hub, "ben")


async def test_a_refused_start_leaves_the_last_good_choice_for_the_next_one(hub, ada, homes):
    assert (await by_rest(hub, ada, {"profile": "ocean", "tide": "high"})).status == 201
    await hub.api("DELETE", f"users/{ada}/server")
    assert (await by_rest(hub, ada, {"profile": "gone"})).status == 400
    assert saved_options(hub, ada) == {"profile": "ocean", "tide": "high"}
    assert (await hub.api("POST", f"users/{ada}/server", user=ada)).status == 201
    assert environment_of(homes, ada)["TIDE"] == "high"


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


async def test_a_named_server_is_checked_like_any_other(hub, ada):
    refused = await hub.api(
        "POST", f"users/{ada}/servers/second", user=ada, json={"user_options": {"profile": "ocean", "tide": "x"}}
    )
    assert refused.status == 400
    assert saved_options(hub, ada, "second") == {}


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


LINKS = {
    "short": "opt-profile=ocean&opt-tide=high",
    "by the names of fields": "opt-profile=ocean&opt-profile-option-ocean--tide=high",
    "as JupyterHub 5 wrote them": "profile=ocean&profile-option-ocean--tide=high",
}


@pytest.mark.parametrize("link", LINKS.values(), ids=LINKS.keys())
async def test_a_link_selects_on_the_page_and_starts_nothing(link, hub, ada):
    page = await (await hub.login(ada)).get(f"spawn?{link}")
    assert page.status == 200
    assert re.search(r'value="ocean"[^>]* checked', page.text)
    assert re.search(r'value="high" selected', page.text)
    assert not is_running(hub, ada)
    assert saved_options(hub, ada) == {}


@pytest.mark.parametrize(
    "link", ["opt-profile=gone", "opt-profile=ocean&opt-tide=x", "opt-x=y", "opt-profile=%00%FF", "profile=&opt-"]
)
async def test_a_link_to_what_is_not_there_shows_the_page_all_the_same(link, hub, ada):
    page = await (await hub.login(ada)).get(f"spawn?{link}")
    assert page.status == 200
    assert len(re.findall(r'<input[^>]*name="profile"[^>]* checked', page.text)) == 1
    assert not is_running(hub, ada)


async def test_a_write_in_does_not_come_from_a_link_unless_the_operator_says_so(hub, ada):
    hub.user(ada, groups=("makers",))
    link = "spawn?opt-profile=ocean&opt-tide--unlisted-choice=3%20m"
    page = await (await hub.login(ada)).get(link)
    assert 'value="3 m"' not in page.text
    assert "The link would have filled in a field" in page.text
    hub.app.config.ProfileLocalSpawner.write_ins_from_links = True
    hub.app.users[ada].spawners.clear()
    page = await (await hub.login(ada)).get(link)
    hub.app.config.ProfileLocalSpawner.write_ins_from_links = False
    assert 'value="3 m"' in page.text


async def test_what_was_chosen_last_is_selected_again_for_each_server(hub, ada):
    assert (await by_rest(hub, ada, {"profile": "ocean", "tide": "high"})).status == 201
    await hub.api("DELETE", f"users/{ada}/server")
    browser = await hub.login(ada)
    assert re.search(r'value="ocean"[^>]* checked', (await browser.get("spawn")).text)
    assert re.search(r'value="small"[^>]* checked', (await browser.get(f"spawn/{ada}/second")).text)


async def test_saved_options_that_are_refused_are_not_asked_for_for_ever(hub, ada):
    """Options may be stored without a start: then they are refused at the start, and forgotten."""
    user = orm.User.find(hub.app.db, ada)
    hub.app.users[user].spawners[""].orm_spawner.user_options = {"image--unlisted-choice": "x:1"}
    hub.app.db.commit()
    hub.app.users[user].spawners.clear()
    assert (await hub.api("POST", f"users/{ada}/server", user=ada)).status == 400
    assert saved_options(hub, ada) == {}
    assert (await hub.api("POST", f"users/{ada}/server", user=ada)).status == 201


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
        assert "choose from the list" in (await by_form(hub, "eve", {"profile": "own", "image": "built-image"})).text
        assert (await by_rest(hub, "eve", request)).status == 201
        assert hub.app.users["eve"].spawners[""].resolved.overrides[-1] == {"image": "registry.example.org/x:1"}


def test_a_pattern_of_built_images_that_cannot_work_stops_the_start():
    with pytest.raises(TraitError, match="not a regular expression"):
        ProfileLocalSpawner(built_images="(")
