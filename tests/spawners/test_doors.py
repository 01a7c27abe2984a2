"""Every door on which options reach a spawner, times everything that may not come through: on a real hub, over HTTP.

A door that the installed JupyterHub does not have is not in the table. Both spawners are asked the same.
"""

from __future__ import annotations

import json
import re
import sys
import textwrap
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import aiohttp
import jupyterhub
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jupyterhub import orm
from yarl import URL

from ..hub import running_hub
from ..kube import quick_server
from ..kube.cluster import NAMESPACE, cluster, hub_on
from ..kube.fake_api import fake_api
from ..kube.people import eventually, is_stopped

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from ..hub import Browser, Reply, RunningHub
    from ..kube.cluster import Cluster

    Door = Callable[["Place", Any], Awaitable[Reply]]

IS_6 = jupyterhub.version_info >= (6,)
MARK = "intruder"  # in every text that a server must never see
PROFILES = [
    {
        "display_name": "Small",
        "slug": "small",
        "default": True,
        "kubespawner_override": {"environment": {"PROFILE": "small"}},
    },
    {
        "display_name": "Ocean analysis",
        "slug": "ocean",
        "allowed_groups": ["Ocean-Lab"],
        "kubespawner_override": {"environment": {"PROFILE": "ocean"}, "mem_limit": "2G"},
        "profile_options": {
            "tide": {
                "display_name": "Tide",
                "choices": {
                    "low": {"display_name": "Low", "kubespawner_override": {"environment": {"TIDE": "low"}}},
                    "flood": {"display_name": "Flood", "kubespawner_override": {"environment": {"TIDE": "flood"}}},
                    "high": {
                        "display_name": "High",
                        "allowed_groups": ["makers"],
                        "kubespawner_override": {"environment": {"TIDE": "high"}},
                    },
                },
                "unlisted_choice": {
                    "enabled": True,
                    "allowed_groups": ["makers"],
                    "kubespawner_override": {"environment": {"TIDE": "{value}"}},
                },
            },
            "depth": {
                "display_name": "Depth",
                "choices": {"shallow": {"display_name": "Shallow"}},
                "unlisted_choice": {
                    "enabled": True,
                    "validation_regex": "[0-9]+ m|.*[{}].*",
                    "kubespawner_override": {"environment": {"DEPTH": "{value}"}},
                },
            },
            "wind": {
                "display_name": "Wind",
                "choices": {"calm": {"display_name": "Calm"}},
                "unlisted_choice": {
                    "enabled": False,
                    "kubespawner_override": {"environment": {"WIND": "{value}"}},
                },
            },
        },
    },
    {"display_name": "Ship", "slug": "ship", "allowed_groups": ["crew"]},
    {"display_name": "Yacht", "slug": "yacht", "allowed_groups": ["club"], "when_not_allowed": "lock"},
    {"display_name": "Raft", "slug": "raft", "retired": "2020-01-01", "replaced_by": "small"},
]
GOOD = {"profile": "ocean", "tide": "flood", "depth--unlisted-choice": "3 m"}

OCEAN = {"profile": "ocean"}
HOSTILE: dict[str, dict[str, Any]] = {
    "no profile, a choice": {"tide": "low"},
    "no profile, a write-in": {"depth--unlisted-choice": "3 m"},
    "no profile, a closed write-in": {"wind--unlisted-choice": MARK},
    "no profile, a trait": {"cmd": MARK},
    "an empty profile": {"profile": ""},
    "an unknown profile": {"profile": MARK},
    "a profile by its name for people": {"profile": "Ocean analysis"},
    "a hidden profile": {"profile": "ship"},
    "a locked profile": {"profile": "yacht"},
    "a retired profile": {"profile": "raft"},
    "markup for a profile": {"profile": f"<script>{MARK}</script>"},
    "a percent sign for a profile": {"profile": f"%s %(x)d {MARK}"},
    "a hidden choice": {**OCEAN, "tide": "high"},
    "an unknown choice": {**OCEAN, "tide": MARK},
    "an empty choice": {**OCEAN, "tide": ""},
    "a write-in for others": {**OCEAN, "tide--unlisted-choice": MARK},
    "a write-in that is off": {**OCEAN, "wind--unlisted-choice": MARK},
    "a write-in that begins well": {**OCEAN, "depth--unlisted-choice": f"3 m {MARK}"},
    "a write-in that ends well": {**OCEAN, "depth--unlisted-choice": f"{MARK} 3 m"},
    "a write-in with a newline": {**OCEAN, "depth--unlisted-choice": "3 m\n"},
    "a write-in of two lines": {**OCEAN, "depth--unlisted-choice": f"3 m\n{MARK}"},
    "a write-in with a NUL": {**OCEAN, "depth--unlisted-choice": "3 m\0"},
    "a write-in of 300 kB": {**OCEAN, "depth--unlisted-choice": f"{'3' * 300_000} m"},
    "a write-in of nothing": {**OCEAN, "depth--unlisted-choice": ""},
    "a write-in of a space": {**OCEAN, "depth--unlisted-choice": " "},
    "a write-in with a field": {**OCEAN, "depth--unlisted-choice": "{username}"},
    "a write-in with an attribute": {**OCEAN, "depth--unlisted-choice": "{userid.__class__}"},
    "a write-in with one brace": {**OCEAN, "depth--unlisted-choice": f"{MARK}{{"},
    "an option of another profile": {"profile": "small", "tide": "low"},
    "a write-in of another profile": {"profile": "small", "depth--unlisted-choice": "3 m"},
    "an unknown option": {**OCEAN, MARK: "1"},
    "a trait": {**OCEAN, "mem_limit": "1T"},
    "an override": {**OCEAN, "kubespawner_override": {"cmd": [MARK]}},
    "options in options": {**OCEAN, "user_options": {"tide": "high"}},
    "an unknown write-in": {**OCEAN, f"{MARK}--unlisted-choice": "1"},
    "somebody else's community": {"profile": "small", "community": "desert-lab"},
    "an unknown community": {"profile": "small", "community": MARK},
}
WRONG_TYPES = {
    f"{json.dumps(value)} for {key}": {**OCEAN, key: value}
    for key in ("profile", "tide", "depth--unlisted-choice", "community")
    for value in (True, 0, 1.5, [], [MARK], {}, {MARK: "low"})
}
# A browser without scripts sends what is in a text field also when the list beside it is set to something else.
NOT_IN_A_FORM = {"a choice and a write-in": {**OCEAN, "depth": "shallow", "depth--unlisted-choice": "3 m"}}

# A server that answers, and tells in a file of its home which environment it was given.
SERVER = textwrap.dedent(f"""
    import json, os, pathlib, runpy
    pathlib.Path("environment.json").write_text(json.dumps(dict(os.environ)))
    runpy.run_path({quick_server.__file__!r}, run_name="__main__")
""")
COMMAND = [sys.executable, "-I", "-c", SERVER]


@dataclass
class Place:
    """A hub, with where its servers leave their files; `traits` are those of the last start before it was decided."""

    hub: RunningHub
    folder: Path
    kube: Cluster | None
    browsers: dict[str, Browser]
    traits: dict[str, str]
    spawner: Any = None

    def see(self, spawner: Any) -> None:
        """The operator's hook, which runs in every start before options are looked at."""
        self.spawner = spawner
        self.traits = traits_of(spawner)

    async def browser(self, name: str) -> Browser:
        if name not in self.browsers:
            self.browsers[name] = await self.hub.login(name)
        return self.browsers[name]

    def environment(self) -> dict[str, str]:
        """What the last server to start was given."""
        home = self.folder / (self.spawner.pod_name if self.kube else self.spawner.user.name)
        found: dict[str, str] = json.loads((home / "environment.json").read_text())
        return found

    def started(self) -> list[Any]:
        """Servers of this hub, as the hub and the cluster know them."""
        users = self.hub.app.users.values()
        active = [spawner._log_name for user in users for spawner in user.spawners.values() if spawner.active]
        calls = self.kube.calls_of_hub() if self.kube else []
        return active + [call for call in calls if call.verb == "create"]

    def saved(self, name: str, server: str = "") -> Any:
        """The options that the next start would have by default."""
        user = orm.User.find(self.hub.app.db, name)
        self.hub.app.db.refresh(user)
        found = user.orm_spawners.get(server)
        return (found.user_options or {}) if found else {}

    def save(self, name: str, options: Any, server: str = "") -> None:
        """Store options as an earlier start has left them."""
        user = self.hub.app.users[self.hub.user(name)]
        spawner = user.get_or_create_spawner(server, server) if IS_6 else user.get_spawner(server)
        spawner.orm_spawner.user_options = options
        self.hub.app.db.commit()
        user.spawners.pop(server)  # as after a restart of the hub

    async def stop(self, name: str, server: str = "") -> None:
        path = f"users/{name}/servers/{server}" if server else f"users/{name}/server"
        await self.hub.api("DELETE", path)
        await eventually(lambda: is_stopped(self.hub, name), f"the server of {name} stops")


def traits_of(spawner: Any) -> dict[str, str]:
    return {name: repr(value) for name, value in spawner.trait_values(config=True).items()}


@asynccontextmanager
async def place(kind: str, folder: Path, database: str = "", **spawner: Any) -> AsyncIterator[Place]:
    """A hub of that kind of spawner; `database` is that of its usage ledger, `spawner` is configuration of it."""
    found: Place

    def auth_state_hook(spawner: Any, auth_state: Any) -> None:
        found.see(spawner)

    traits = {
        "profile_list": PROFILES,
        "communities": {"ocean-lab": "Ocean Lab", "desert-lab": "Desert Lab"},
        "auth_state_hook": auth_state_hook,
        "cmd": COMMAND,
        **spawner,
    }
    if kind == "kube":
        config = {
            "JupyterHub": {"allow_named_servers": True},
            "UsageLedger": {"database": database},
            "ProfileKubeSpawner": traits,
        }
        with fake_api(NAMESPACE) as fake, cluster(fake, folder) as kube:
            async with hub_on(kube, config) as hub:
                found = Place(hub, folder / "homes", kube, {}, {})
                yield found
        return
    traits["home_dir_template"] = str(folder / "{username}")
    config = {
        "JupyterHub": {"spawner_class": "profile-local", "allow_named_servers": True},
        "UsageLedger": {"database": database},
        "ProfileLocalSpawner": traits,
    }
    async with running_hub(config) as hub:
        found = Place(hub, folder, None, {}, {})
        yield found


@pytest.fixture(scope="module", params=["local", "kube"])
async def at(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    async with place(request.param, tmp_path_factory.mktemp("homes")) as running:
        running.hub.user("ada", groups=("ocean-lab",))
        running.hub.user("admin", admin=True, groups=("ocean-lab", "makers", "crew", "club", "desert-lab"))
        yield running


def fields_of(options: dict[str, Any]) -> dict[str, str]:
    """The fields of the page for these options: all is text there, and an option is named after its profile."""
    profile = options.get("profile", "ocean")
    fields = {"profile": str(profile)} if "profile" in options else {}
    for key, value in options.items():
        if key == "profile":
            continue
        field = f"profile-option-{profile}--{key}"
        fields[field] = value if isinstance(value, str) else json.dumps(value)
        if key.endswith("--unlisted-choice"):
            fields[field.removesuffix("--unlisted-choice")] = "unlisted-choice"
    return fields


async def submit(at: Place, person: str, path: str, options: dict[str, Any]) -> Reply:
    browser = await at.browser(person)
    return await decided(at, lambda: browser.post(path, fields_of(options)))


async def decided(at: Place, send: Callable[[], Awaitable[Reply]]) -> Reply:
    """Send the form; a refusal that took longer than the second that JupyterHub waits is asked for again."""
    while True:
        reply = await send()
        if "/spawn-pending/" not in f"{reply.url.path} {reply.headers.get('Location')}":
            return reply
        await eventually(lambda: is_decided(at), "the start is decided")
        if at.spawner.ready:
            return reply


async def is_decided(at: Place) -> bool:
    return not at.spawner.pending


# The doors. Each asks for a server of ada's.


async def by_form(at: Place, options: Any) -> Reply:
    return await submit(at, "ada", "spawn", options)


async def by_form_for_a_named_server(at: Place, options: Any) -> Reply:
    return await submit(at, "ada", "spawn/ada/second", options)


async def by_form_of_an_admin(at: Place, options: Any) -> Reply:
    return await submit(at, "admin", "spawn/ada", options)


async def by_rest(at: Place, options: Any) -> Reply:
    return await at.hub.api("POST", "users/ada/server", user="ada", json=options)


async def by_rest_for_a_named_server(at: Place, options: Any) -> Reply:
    return await at.hub.api("POST", "users/ada/servers/second", user="ada", json=options)


async def by_rest_of_an_admin(at: Place, options: Any) -> Reply:
    return await at.hub.api("POST", "users/ada/server", user="admin", json=options)


async def by_saved_options(at: Place, options: Any) -> Reply:
    at.save("ada", options)
    return await at.hub.api("POST", "users/ada/server", user="ada")


async def by_rest_nested(at: Place, options: Any) -> Reply:
    return await at.hub.api("POST", "users/ada/server", user="ada", json={"user_options": options})


async def by_put_and_start(at: Place, options: Any) -> Reply:
    await at.hub.api("DELETE", "users/ada/servers/second", json={"remove": True})
    made = await at.hub.api("PUT", "users/ada/servers/second", user="ada", json={"user_options": options})
    assert made.status == 201, made.text
    return await at.hub.api("POST", "users/ada/servers/second", user="ada")


async def by_patch_and_start(at: Place, options: Any) -> Reply:
    at.hub.app.users["ada"].spawners[""]  # a server that was never started has nothing to edit
    edited = await at.hub.api("PATCH", "users/ada/servers/", user="ada", json={"user_options": options})
    assert edited.status == 200, edited.text
    return await at.hub.api("POST", "users/ada/server", user="ada")


FORMS = [by_form, by_form_for_a_named_server, by_form_of_an_admin]
REST = [by_rest, by_rest_for_a_named_server, by_rest_of_an_admin, by_saved_options]
REST_OF_6 = [by_rest_nested, by_put_and_start, by_patch_and_start]
DOORS: list[Door] = [*FORMS, *REST, *(REST_OF_6 if IS_6 else [])]


def named(function: Any) -> str:
    return str(function.__name__).replace("_", " ")


TABLE = [
    pytest.param(door, options, id=f"{named(door)}: {case}")
    for door in DOORS
    for case, options in {
        **HOSTILE,
        **({} if door in FORMS else NOT_IN_A_FORM),
        **(WRONG_TYPES if door is by_rest else {}),
    }.items()
]


def server_of(door: Door) -> str:
    return "second" if "named" in door.__name__ or door is by_put_and_start else ""


def sentence(reply: Reply) -> str:
    """What the person reads: JSON's message, or the error on the page."""
    if reply.headers["Content-Type"].startswith("application/json"):
        return str(reply.json()["message"])
    found = re.search(r'class="[^"]*(?:spawn-error-msg|alert-danger)[^"]*"[^>]*>(.*?)</', reply.text, re.DOTALL)
    return found[1].strip() if found else ""


@pytest.mark.parametrize("door", DOORS, ids=named)
async def test_what_is_chosen_is_what_the_server_gets_and_the_next_default(door: Door, at: Place) -> None:
    reply = await door(at, GOOD)
    try:
        assert reply.status < 400, reply.text
        await eventually(lambda: is_ready(at, server_of(door)), "the server is ready")
        given = at.environment()
        assert (given["PROFILE"], given["TIDE"], given["DEPTH"]) == ("ocean", "flood", "3 m")
        assert given["MEM_LIMIT"] == str(2 * 2**30)
        assert at.saved("ada", server_of(door)).items() >= GOOD.items()
    finally:
        await at.stop("ada", server_of(door))
        at.save("ada", {}, server_of(door))


async def is_ready(at: Place, server: str) -> bool:
    return bool(at.hub.app.users["ada"].spawners[server].ready)


@pytest.mark.parametrize(("door", "options"), TABLE)
async def test_what_is_not_offered_starts_nothing_sets_nothing_and_is_not_kept(
    door: Door, options: dict[str, Any], at: Place
) -> None:
    before = at.started()
    reply = await door(at, options)
    try:
        assert 400 <= reply.status < 500, reply.text[:2000]
        assert re.fullmatch(r"(Error: )?[A-Z“].*\.", sentence(reply), re.DOTALL), reply.text[:2000]
        assert len(sentence(reply)) < 300
        assert door not in FORMS or f"<script>{MARK}" not in reply.text
        assert at.started() == before
        assert at.saved("ada", server_of(door)) == {}
        assert traits_of(at.spawner) == at.traits
        assert MARK not in repr(at.spawner.trait_values())
    finally:
        if at.started() != before:
            await at.stop("ada", server_of(door))


@pytest.mark.parametrize("body", ["3", '"ocean"', "[1]", '[{"profile": "small"}]', "NaN", "{"])
async def test_a_body_that_is_no_object_is_refused_and_the_next_start_works(body: str, at: Place) -> None:
    url, headers = f"{at.hub.url}api/users/ada/server", {"Authorization": f"token {at.hub.token('ada')}"}
    async with at.hub.session.post(url, headers=headers, data=body) as response:
        assert 400 <= response.status < 500, await response.text()
    assert at.saved("ada") == {}
    at.hub.app.users["ada"].spawners.clear()
    assert (await (await at.browser("ada")).get("spawn")).status == 200
    assert (await at.hub.api("POST", "users/ada/server", user="ada", json=GOOD)).status == 201
    await at.stop("ada")
    at.save("ada", {})


async def test_a_file_where_the_form_has_none_is_refused(at: Place) -> None:
    browser = await at.browser("ada")
    await browser.get("spawn")

    def send() -> Awaitable[Reply]:
        form = aiohttp.FormData({"_xsrf": browser.cookies_for(URL(at.hub.url))["_xsrf"], "profile": "ocean"})
        form.add_field("profile-option-ocean--tide", MARK.encode(), filename="tide.txt")
        address, headers = URL(at.hub.url).join(URL("spawn")), {"Sec-Fetch-Mode": "navigate"}
        return browser._request("POST", address, headers=headers, data=form)

    reply = await decided(at, send)
    assert reply.status == 400, reply.text
    assert at.saved("ada") == {}
    assert MARK not in repr(at.spawner.trait_values())


@pytest.mark.parametrize("door", DOORS, ids=named)
async def test_a_refusal_leaves_the_last_good_choice_for_the_next_start(door: Door, at: Place) -> None:
    if door in {by_saved_options, by_put_and_start}:
        at.save("ada", {}, server_of(door))  # what they store takes the place of the last choice
        return
    server = server_of(door)
    at.save("ada", GOOD, server)
    assert 400 <= (await door(at, {"profile": MARK})).status < 500
    assert at.saved("ada", server) == GOOD
    at.save("ada", {}, server)


async def test_saved_options_are_checked_against_the_groups_of_today(at: Place) -> None:
    ben = at.hub.user("ben", groups=("ocean-lab",))
    at.save("ben", GOOD)
    ben.groups = []
    at.hub.app.db.commit()
    reply = await at.hub.api("POST", "users/ben/server", user="ben")
    assert reply.status == 400
    assert "for you" in reply.json()["message"]
    assert at.saved("ben") == {}


async def test_the_groups_of_the_owner_count_and_not_those_of_the_admin_who_starts_it(at: Place) -> None:
    at.hub.user("eva", groups=("crew",))
    for options in ({"profile": "ocean"}, {"profile": "yacht"}, {"profile": "small", "community": "ocean-lab"}):
        reply = await at.hub.api("POST", "users/eva/server", user="admin", json=options)
        assert reply.status == 400, options
        page = await submit(at, "admin", "spawn/eva", options)
        assert page.status == 400, options
    page = await (await at.browser("admin")).get("spawn/eva")
    assert "Ship" in page.text
    assert "Ocean analysis" not in page.text


async def test_refusals_are_not_failures_for_which_a_hub_would_end_itself(at: Place) -> None:
    for door in DOORS:
        await door(at, {"profile": MARK})
    at.save("ada", {})
    assert at.hub.app.tornado_application.settings.get("failure_count", 0) == 0


def links_of(options: dict[str, Any]) -> dict[str, str]:
    """The same options as the three kinds of link have them."""
    short = {key: value if isinstance(value, str) else json.dumps(value) for key, value in options.items()}
    return {
        "short": urlencode({f"opt-{key}": value[:20_000] for key, value in short.items()}),
        "by field": urlencode({f"opt-{key}": value[:20_000] for key, value in fields_of(options).items()}),
        "of JupyterHub 5": urlencode({key: value[:20_000] for key, value in fields_of(options).items()}),
        "short, of JupyterHub 5": urlencode({key: value[:20_000] for key, value in short.items()}),
    }


@pytest.mark.parametrize("case", HOSTILE)
async def test_a_link_to_what_is_not_offered_shows_the_page_and_starts_nothing(case: str, at: Place) -> None:
    before = at.started()
    for link in links_of(HOSTILE[case]).values():
        await assert_only_a_page(at, link)
    assert at.started() == before
    assert at.saved("ada") == {}


@pytest.mark.parametrize(
    "link",
    ["opt-=", "=", "opt-profile=%00%FF", "profile=&opt-", "opt-profile=ocean&opt-profile=small", "opt-profile[]=ocean"],
)
async def test_a_link_that_makes_no_sense_shows_the_page_all_the_same(link: str, at: Place) -> None:
    await assert_only_a_page(at, link)


async def assert_only_a_page(at: Place, link: str) -> None:
    page = await (await at.browser("ada")).get(f"spawn?{link}")
    assert page.status == 200, (link[:200], page.text[:2000])
    assert len(re.findall(r'<input[^>]*name="profile"[^>]* checked', page.text)) == 1
    assert f"<script>{MARK}" not in page.text
    written = re.findall(r'name="[^"]*--unlisted-choice"\s*value="([^"]*)"', page.text)
    assert set(written) == {""}
    assert traits_of(at.spawner) == at.traits


@pytest.mark.parametrize("link", links_of({"profile": "ocean", "tide": "flood"}).items(), ids=lambda link: link[0])
@pytest.mark.parametrize("path", ["spawn", "spawn/ada", "spawn/ada/third"])
async def test_a_link_selects_on_the_page_and_starts_nothing(path: str, link: tuple[str, str], at: Place) -> None:
    before = at.started()
    page = await (await at.browser("ada")).get(f"{path}?{link[1]}")
    assert page.status == 200
    assert re.search(r'value="ocean"[^>]* checked', page.text)
    assert re.search(r'value="flood" selected', page.text)
    assert at.started() == before
    assert at.saved("ada") == at.saved("ada", "third") == {}


@pytest.mark.parametrize("allowed", [False, True])
async def test_a_write_in_comes_from_a_link_only_if_the_operator_says_so(allowed: bool, at: Place) -> None:
    at.hub.app.config[type(at.spawner).__name__].write_ins_from_links = allowed
    at.hub.app.users["ada"].spawners.clear()
    page = await (await at.browser("ada")).get(f"spawn?{links_of(GOOD)['short']}")
    at.hub.app.config[type(at.spawner).__name__].write_ins_from_links = False
    at.hub.app.users["ada"].spawners.clear()
    assert ('value="3 m"' in page.text) == allowed
    assert ("The link would have filled in a field" in page.text) != allowed


NAMES = st.sampled_from(
    ["profile", "tide", "depth", "wind", "community", "user_options", "display_name", "tide--unlisted-choice",
     "depth--unlisted-choice", "wind--unlisted-choice", "", "__class__"]
) | st.text(max_size=8)  # fmt: skip
TEXTS = st.sampled_from(["small", "ocean", "ship", "yacht", "raft", "low", "high", "shallow", "3 m", "{x}"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(
    options=st.dictionaries(NAMES, TEXTS | JSON, max_size=5) | JSON, nested=st.booleans() if IS_6 else st.just(False)
)
async def test_no_request_at_all_is_an_error_of_the_hub(options: Any, nested: bool, at: Place) -> None:
    body = {"user_options": options} if nested else options
    reply = await at.hub.api("POST", "users/ada/server", user="ada", json=body)
    assert reply.status < 500, reply.text
    if reply.status < 400:
        await eventually(lambda: is_ready(at, ""), "the server is ready")
        await at.stop("ada")
    at.save("ada", {})
