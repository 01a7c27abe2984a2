"""What a server's environment holds of its owner: from auth_state, and for being an admin."""

import json
import sys
import textwrap

import pytest

from ..auth_states import logins_with
from ..hub import running_hub

HOSTILE = "{x} {username} {0.__class__} 100 %s $(HOME) $HOME `id` \n ü"
SERVER = textwrap.dedent("""
    import json, os, pathlib, runpy
    pathlib.Path("environment.json").write_text(json.dumps(dict(os.environ)))
    runpy.run_module("jupyterhub.tests.mocksu", run_name="__main__")
""")
STATES = {
    "ada": {"github_user": {"login": "ada-l"}, "token": HOSTILE},
    "grace": {"github_user": {}},
    "admin": {"github_user": {"login": "root"}},
}


@pytest.fixture(scope="module")
async def homes(tmp_path_factory):
    return tmp_path_factory.mktemp("homes")


@pytest.fixture(scope="module")
async def hub(homes):
    with logins_with(STATES) as config:
        config["JupyterHub"]["spawner_class"] = "profile-local"
        config["ProfileSpawner"] = {
            "environment": {"GITHUB_USER": "nobody", "PLACE": "here", "ROOM": "1"},
            "environment_defaults": {"PLACE": "nowhere", "SHORE": "of {username}"},
            "environment_from_auth_state": {
                "GITHUB_USER": "{auth_state[github_user][login]}",
                "TOKEN": "<{auth_state[token]}>",
            },
            "admin_extras": {
                "extraEnv": {"PLACE": "everywhere", "ROOM": None},
                "extraVolumeMounts": None,
            },
            "cmd": [sys.executable, "-c", SERVER],
            "home_dir_template": str(homes / "{username}"),
        }
        async with running_hub(config) as running:
            yield running


async def environment_of(hub, homes, name, *, by=None):
    reply = await hub.api("POST", f"users/{name}/server", user=by or name, json={})
    assert reply.status == 201, reply.text
    try:
        return json.loads((homes / name / "environment.json").read_text())
    finally:
        await hub.api("DELETE", f"users/{name}/server", user=by or name)


async def test_what_auth_state_says_reaches_the_server_as_it_is(hub, homes):
    await hub.login("ada")
    environment = await environment_of(hub, homes, "ada")
    assert environment["GITHUB_USER"] == "ada-l"
    assert environment["TOKEN"] == f"<{HOSTILE}>"


@pytest.mark.parametrize("name", ["grace", "edith"], ids=["a key is missing", "there is no auth_state"])
async def test_what_is_missing_leaves_the_rest_as_it_would_be(hub, homes, name):
    await hub.login(name)
    environment = await environment_of(hub, homes, name)
    assert environment["GITHUB_USER"] == "nobody"
    assert "TOKEN" not in environment


async def test_a_server_that_an_admin_starts_has_what_is_known_of_its_owner(hub, homes):
    await hub.login("ada")
    await hub.login("admin")
    environment = await environment_of(hub, homes, "ada", by="admin")
    assert environment["GITHUB_USER"] == "ada-l"
    assert (environment["PLACE"], environment["SHORE"]) == ("here", "of {username}")  # no pod, which fills it in


async def test_admins_have_variables_of_their_own(hub, homes):
    hub.user("admin", admin=True)
    environment = await environment_of(hub, homes, "admin")
    assert (environment["PLACE"], environment["ROOM"]) == ("everywhere", "1")


async def test_what_was_known_at_one_start_is_not_left_for_the_next(hub, homes):
    await hub.login("ada")
    await environment_of(hub, homes, "ada")
    STATES["ada"], before = {"github_user": {}}, STATES["ada"]
    try:
        await hub.login("ada")
        assert "TOKEN" not in await environment_of(hub, homes, "ada")
    finally:
        STATES["ada"] = before
