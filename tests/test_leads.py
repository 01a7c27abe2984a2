"""A lead on a real hub tries every call of JupyterHub's REST API, and does what leads are for."""

import re
from functools import partial
from typing import NamedTuple
from urllib.parse import quote

import jupyterhub
import pytest
from jupyterhub import apihandlers, orm
from sqlalchemy import select
from tornado.web import RequestHandler
from traitlets.config import Config

from hub_extensions import configure
from hub_extensions.communities import accessible_group

from .hub import running_hub

HUB_6 = jupyterhub.version_info >= (6,)
METHODS = ("get", "head", "post", "put", "patch", "delete")

# lin leads the ocean lab. boss administers the hub and is a member of the lab; bea belongs to both communities.
PEOPLE = {
    "lin": ("ocean-lab", "ocean-lab:leads"),
    "mia": ("ocean-lab",),
    "boss": ("ocean-lab",),
    "bea": ("ocean-lab", "ice-lab"),
    "ines": ("ice-lab",),
    "ira": ("ice-lab", "ice-lab:leads"),
    "admin": (),
}
ADMINS = {"boss", "admin"}
MEMBERS = [(name,) for name, groups in PEOPLE.items() if "ocean-lab" in groups and name != "lin"]
STRANGERS = [("ines",), ("admin",), ("nobody",), ("mia%2F..%2Fines",)]
OTHERS = [*MEMBERS, *STRANGERS]
ALL = [("lin",), *OTHERS]
NO_NAME = [()]
NOTHING = [None]


def named(people, *names):
    """The named servers of people; `side` exists."""
    return [(*person, name) for person in people for name in (names or ("side",))]


class Call(NamedTuple):
    """Attempts at one call: what fills its path, the bodies that are tried, and what the hub must answer.

    `with_access`: what it answers leads who may access servers, where that differs; None if they succeed.
    """

    method: str
    path: str
    targets: list
    bodies: list
    status: int | frozenset
    with_access: int | None = 0


USER, SERVER, NAMED = "/api/users/{}", "/api/users/{}/server", "/api/users/{}/servers/{}"
SHARES, CODES = "/api/shares/{}", "/api/share-codes/{}"
GROUPS = [("ocean-lab",), ("ocean-lab:leads",), ("ice-lab",), ("new",)]
ACTIVITY = {"last_activity": "2030-01-01T00:00:00Z"}
SHARE = {"user": "lin", "scopes": ["access:servers"]}
# Calls for tokens and cookies that JupyterHub keeps from its first version; it has handlers that fail on some paths.
REMNANT = frozenset({403, 404, 500})
# Whoever has no scope of that kind at all is told 403; who has it for some people is told 404 of all others.
REFUSED = [
    # Users: making, raising, renaming, deleting
    Call("POST", "/api/users", NO_NAME, [{"usernames": ["mallory"]}, {"usernames": ["mallory"], "admin": True}], 403),
    Call("POST", USER, [*ALL, ("mallory",)], [None, {"admin": True}], 403),
    Call("PATCH", USER, ALL, [{"admin": True}, {"admin": False}, {"name": "mallory"}], 403),
    Call("PATCH", USER, ALL, [{"groups": ["ice-lab:leads"]}, {"roles": ["admin"]}, {"auth_state": {}}], 403),
    Call("DELETE", USER, ALL, NOTHING, 403),
    Call("GET", USER, STRANGERS, NOTHING, 404),
    # Servers
    Call("GET", SERVER, STRANGERS, NOTHING, 404),
    Call("GET", NAMED, named(STRANGERS), NOTHING, 404),
    Call("POST", SERVER, STRANGERS, [None, {"user_options": {"profile": "x"}}], 404),
    Call("POST", SERVER, MEMBERS, [None, {"user_options": {"profile": "x"}}], 404, None),
    Call("POST", NAMED, named(STRANGERS, "side", "new"), [None, {"user_options": {}}], 404),
    Call("POST", NAMED, named(MEMBERS, "side", "new"), [None, {"user_options": {}}], 404, None),
    Call("PUT", SERVER, STRANGERS, [{"display_name": "Mine"}], 404),
    Call("PUT", SERVER, MEMBERS, [{"display_name": "Mine"}], 404, 409),
    Call("PUT", NAMED, named(STRANGERS, "new"), [{"display_name": "Mine"}], 404),
    Call("PUT", NAMED, named(MEMBERS, "new"), [{"display_name": "Mine"}], 404, None),
    Call("PATCH", SERVER, STRANGERS, [{"name": "mine"}, {"user_options": {"image": "x"}}], 404),
    Call("PATCH", SERVER, MEMBERS, [{"name": "mine"}, {"user_options": {"image": "x"}}], 404, None),
    Call("PATCH", NAMED, named(STRANGERS), [{"name": "mine"}, {"user_options": {"image": "x"}}], 404),
    Call("PATCH", NAMED, named(MEMBERS), [{"name": "mine"}, {"user_options": {"image": "x"}}], 404, None),
    Call("DELETE", SERVER, STRANGERS, [None, {"remove": True}], 404),
    Call("DELETE", SERVER, MEMBERS, [{"remove": True}], 400),  # a default server can be stopped, not removed
    Call("DELETE", NAMED, named(STRANGERS), [None, {"remove": True}], 404),
    Call("GET", f"{SERVER}/progress", STRANGERS, NOTHING, 404),
    Call("GET", f"{NAMED}/progress", named(STRANGERS), NOTHING, 404),
    Call("POST", f"{USER}/activity", OTHERS, [ACTIVITY, {"servers": {"": ACTIVITY}}], 404),
    Call("POST", f"{USER}/admin-access", STRANGERS, NOTHING, 404),
    Call("POST", f"{USER}/admin-access", MEMBERS, NOTHING, 404, 403),
    # Tokens: those of others, and more for oneself than one has
    Call("GET", f"{USER}/tokens", OTHERS, NOTHING, 404),
    Call("POST", f"{USER}/tokens", OTHERS, [None, {"scopes": ["read:servers"]}, {"roles": ["admin"]}], 403),
    Call("POST", f"{USER}/tokens", [("lin",)], [{"scopes": ["admin:users"]}, {"scopes": ["read:users"]}], 400),
    Call("POST", f"{USER}/tokens", [("lin",)], [{"scopes": ["list:users"]}, {"scopes": ["delete:servers"]}], 400),
    Call("POST", f"{USER}/tokens", [("lin",)], [{"scopes": ["delete:servers!group=ice-lab"]}], 400),
    Call("POST", f"{USER}/tokens", [("lin",)], [{"scopes": ["custom:usage:read"]}, {"roles": ["admin"]}], 400),
    Call("GET", f"{USER}/tokens/{{}}", named(OTHERS, "a1", "a2"), NOTHING, 404),
    Call("DELETE", f"{USER}/tokens/{{}}", named(OTHERS, "a1", "a2"), NOTHING, 404),
    Call("GET", "/api/authorizations/token", NO_NAME, NOTHING, REMNANT),
    Call("GET", "/api/authorizations/token/{}", [("0" * 32,)], NOTHING, REMNANT),
    Call("POST", "/api/authorizations/token", NO_NAME, [{"username": "ines", "password": "ines"}], REMNANT),
    Call("POST", "/api/authorizations/token/{}", [("0" * 32,)], NOTHING, REMNANT),
    Call("GET", "/api/authorizations/cookie/{}(?:/{})?", [("jupyterhub-hub-login", "2|1:0|x")], NOTHING, REMNANT),
    Call("POST", "/api/oauth2/token", NO_NAME, [{"grant_type": "authorization_code", "code": "x"}], 400),
    # Groups and their properties
    Call("GET", "/api/groups", NO_NAME, NOTHING, 403),
    Call("POST", "/api/groups", NO_NAME, [{"groups": ["new"], "users": ["lin"]}], 403),
    Call("GET", "/api/groups/{}", GROUPS, NOTHING, 403),
    Call("POST", "/api/groups/{}", GROUPS, [None, {"users": ["lin"]}], 403),
    Call("DELETE", "/api/groups/{}", GROUPS, NOTHING, 403),
    Call("POST", "/api/groups/{}/users", GROUPS, [{"users": ["lin"]}, {"users": ["ines"]}], 403),
    Call("DELETE", "/api/groups/{}/users", GROUPS, [{"users": ["mia"]}, {"users": ["boss"]}], 403),
    Call("PUT", "/api/groups/{}/properties", GROUPS, [{"quota": 0}], 403),
    # Shares and share codes
    Call("GET", SHARES, OTHERS, NOTHING, 404),
    Call("POST", SHARES, ALL, [SHARE], 403),
    Call("PATCH", SHARES, ALL, [SHARE], 403),
    Call("DELETE", SHARES, ALL, NOTHING, 403),
    Call("GET", f"{SHARES}/{{}}", named(OTHERS, "", "side"), NOTHING, 404),
    Call("POST", f"{SHARES}/{{}}", named(ALL, "", "side"), [SHARE, {"group": "ocean-lab:leads"}], 403),
    Call("PATCH", f"{SHARES}/{{}}", named(ALL, "", "side"), [SHARE], 403),
    Call("DELETE", f"{SHARES}/{{}}", named(ALL, "", "side"), NOTHING, 403),
    Call("GET", f"{USER}/shared", OTHERS, NOTHING, 404),
    Call("GET", f"{USER}/shared/{{}}/{{}}", [(*person, "ines", "side") for person in OTHERS], NOTHING, 404),
    Call("DELETE", f"{USER}/shared/{{}}/{{}}", [(*person, "ines", "side") for person in OTHERS], NOTHING, 404),
    Call("GET", "/api/groups/{}/shared", GROUPS, NOTHING, 403),
    Call("GET", "/api/groups/{}/shared/{}/{}", [(*group, "ines", "side") for group in GROUPS], NOTHING, 403),
    Call("DELETE", "/api/groups/{}/shared/{}/{}", [(*group, "ines", "side") for group in GROUPS], NOTHING, 403),
    Call("GET", CODES, OTHERS, NOTHING, 404),
    Call("POST", CODES, ALL, [{}, {"scopes": ["access:servers"]}], 403),
    Call("DELETE", CODES, ALL, NOTHING, 403),
    Call("GET", f"{CODES}/{{}}", named(OTHERS, "", "side"), NOTHING, 404),
    Call("POST", f"{CODES}/{{}}", named(ALL, "", "side"), [{}, {"scopes": ["access:servers"]}], 403),
    Call("DELETE", f"{CODES}/{{}}", named(ALL, "", "side"), NOTHING, 403),
    # The hub itself
    Call("GET", "/api/services", NO_NAME, NOTHING, 403),
    Call("GET", "/api/services/{}", [("usage",), ("new",)], NOTHING, 403),
    Call("POST", "/api/services/{}", [("usage",), ("new",)], [{"url": "http://127.0.0.1:1", "admin": True}], 403),
    Call("DELETE", "/api/services/{}", [("usage",), ("new",)], NOTHING, 403),
    Call("GET", "/api/info", NO_NAME, NOTHING, 403),
    Call("GET", "/api/proxy", NO_NAME, NOTHING, 403),
    Call("POST", "/api/proxy", NO_NAME, NOTHING, 403),
    Call("PATCH", "/api/proxy", NO_NAME, [{"api_url": "http://127.0.0.1:1", "auth_token": "x"}], 403),
    Call("POST", "/api/shutdown", NO_NAME, [None, {"servers": True, "proxy": True}], 403),
]
# What leads may call for their members, everybody for themselves, and anybody at all; tested one by one below.
ELSEWHERE = {
    ("GET", "/api/?"),
    ("GET", "/api/user"),
    ("GET", "/api/users"),
    ("GET", "/api/oauth2/authorize"),
    ("POST", "/api/oauth2/authorize"),
}
ONLY_ON_6 = {(method, path) for method in ("GET", "PUT", "PATCH") for path in (SERVER, NAMED)}


def attempts(call):
    """The path and the body of each attempt at a call."""
    path = call.path.replace("(?:/{})?", "/{}").removeprefix("/api/")
    return [(path.format(*target), body) for target in call.targets for body in call.bodies]


def upstream():
    """Every call that JupyterHub answers, by method and path."""
    for pattern, handler in apihandlers.default_handlers:
        for method in METHODS:
            if getattr(handler, method) is not getattr(RequestHandler, method):
                yield method.upper(), re.sub(r"\(\[\^/\][+*]\)", "{}", pattern)


def test_every_call_of_the_api_is_tried():
    tried = {(call.method, call.path) for call in REFUSED} | ELSEWHERE
    assert set(upstream()) == (tried if HUB_6 else tried - ONLY_ON_6)


@pytest.fixture(scope="module", params=[False, True], ids=["", "who may access servers"])
async def hub(request, tmp_path_factory):
    c = Config({"JupyterHub": {"allow_named_servers": True}})
    lab = {"leads_may_access_servers": True} if request.param else {}
    usage = {"database": f"sqlite:///{tmp_path_factory.mktemp('usage')}/usage.sqlite"}
    configure(c, {"communities": {"ocean-lab": lab, "ice-lab": lab}, "usage": usage})
    c.JupyterHub.services = [{"name": "usage"}]  # by name alone: what its pages show leads is tested with the service
    async with running_hub(c) as running:
        running.may_access = request.param
        for name, groups in PEOPLE.items():
            # Administrators are never in the group whose servers leads may access.
            reached = [] if name in ADMINS else [group for group in ("ocean-lab", "ice-lab") if group in groups]
            running.user(name, groups=(*groups, *map(accessible_group, reached)), admin=name in ADMINS)
            running.token(name)
            for server in ("", "side"):
                running.app.db.add(orm.Spawner(name=server, user=orm.User.find(running.app.db, name)))
        running.app.db.commit()
        for name in ("mia", "boss", "ines"):
            await start(running, name)
        yield running


async def start(hub, name, server=""):
    path = f"users/{name}/servers/{server}" if server else f"users/{name}/server"
    reply = await hub.api("POST", path, user="admin", json={})
    assert reply.status in {201, 202, 400}, reply.text  # 400: it runs


@pytest.fixture(scope="module")
async def browser(hub):
    return await hub.login("lin")


@pytest.fixture(params=["token", "browser"])
async def lead(request, hub, browser):
    """Calls the API as lin."""
    if request.param == "browser":
        return browser.api
    return partial(hub.api, user="lin")


def state(hub):
    """All that the hub knows, without the time of the lead's own last activity."""
    database = hub.app.db
    found = {}
    for table in orm.Base.metadata.sorted_tables:
        rows = [dict(row._mapping) for row in database.execute(select(table))]
        for row in rows:
            if table.name == "api_tokens" or (table.name == "users" and row["name"] == "lin"):
                row.pop("last_activity")
        found[table.name] = rows
    found["routes"] = {spec: route["target"] for spec, route in hub.app.proxy.routes.items()}
    found["services"] = sorted(hub.app._service_map)
    found["active"] = sorted(
        spawner._log_name for user in hub.app.users.values() for spawner in user.spawners.values() if spawner.active
    )
    return found


@pytest.mark.parametrize("call", REFUSED, ids=lambda call: f"{call.method} {call.path}")
async def test_a_lead_cannot(hub, lead, call):
    before = state(hub)
    for path, body in attempts(call):
        # The servers of an administrator are out of reach either way.
        reached = hub.may_access and call.with_access != 0 and "boss" not in path
        status = call.with_access if reached else call.status
        if not HUB_6 and (call.method, call.path) in ONLY_ON_6:
            status = 405
        if not status:
            continue  # what succeeds is tested below
        reply = await lead(call.method, path, json=body)
        assert reply.status in (status if isinstance(status, frozenset) else {status}), f"{path} {body}: {reply.text}"
    assert state(hub) == before


# What leads are for ---------------------------------------------------------------------------------------------------


def names(reply):
    assert reply.status == 200, reply.text
    return [user["name"] for user in reply.json()]


async def test_a_lead_is_told_of_exactly_these_scopes(hub, lead):
    model = (await lead("GET", "user")).json()
    of_others = {scope for scope in model["scopes"] if not scope.endswith(("!user=lin", "!service=usage"))}
    expected = {"list:users", "read:users:name", "read:users:activity", "read:servers", "delete:servers"}
    expected |= {"custom:usage:read", "custom:invitations:make"}
    expected = {f"{scope}!group=ocean-lab" for scope in expected}
    if hub.may_access:
        reached = {"servers", "access:servers", "delete:servers", "read:servers", "read:users:name"}
        reached |= {"start:servers"} if HUB_6 else set()
        expected |= {f"{scope}!group=ocean-lab:accessible" for scope in reached}
    assert of_others == expected
    assert model["admin"] is False


async def test_anybody_reads_the_version(lead):
    assert (await lead("GET", "")).json() == {"version": jupyterhub.__version__}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["lin", "mia", "boss", "bea"]),
        ("?include_stopped_servers=1", ["lin", "mia", "boss", "bea"]),
        ("?state=active", ["mia", "boss"]),
        ("?state=ready", ["mia", "boss"]),
        ("?state=inactive", ["lin", "bea"]),
        ("?sort=-id&limit=2", ["bea", "boss"]),
        ("?offset=3&limit=200", ["bea"]),
        ("?name_filter=i", ["lin", "mia"]),
        ("?name_filter=ines", []),
        ("?name_filter=%25", ["lin", "mia", "boss", "bea"]),
    ],
)
async def test_a_lead_lists_the_members_of_their_community_and_nobody_else(hub, lead, query, found):
    for name in ("mia", "boss"):
        await start(hub, name)
    assert names(await lead("GET", f"users{query}")) == found


async def test_pages_of_a_list_do_not_tell_how_many_others_there_are(hub):
    headers = {"Authorization": f"token {hub.token('lin')}", "Accept": "application/jupyterhub-pagination+json"}
    async with hub.session.get(f"{hub.url}api/users?limit=2", headers=headers) as reply:
        page = await reply.json()
    assert page["_pagination"]["total"] == 4
    assert [user["name"] for user in page["items"]] == ["lin", "mia"]


async def test_a_lead_sees_of_a_member_their_servers_and_activity_and_little_else(hub, lead):
    await start(hub, "mia")
    for reply in (await lead("GET", "users/mia?include_stopped_servers=1"), await lead("GET", "users/bea")):
        model = reply.json()
        # `admin` and `user_info` come with the name: JupyterHub has no scope for names alone.
        assert model.keys() - {"user_info"} == {"kind", "name", "admin", "last_activity", "servers"}
        assert all("state" not in server for server in model["servers"].values())
    assert (await lead("GET", "users/mia")).json()["servers"][""]["ready"] is True
    assert (await lead("GET", "users/mia/server")).status == (200 if HUB_6 else 405)
    assert '"ready": true' in (await lead("GET", "users/mia/server/progress")).text


@pytest.mark.parametrize("name", ["mia", "boss"])
async def test_a_lead_stops_the_server_of_a_member_also_of_one_who_is_an_administrator(hub, lead, name):
    await start(hub, name)
    assert (await lead("DELETE", f"users/{name}/server")).status in {202, 204}
    if hub.app.users[name].spawners[""].pending:
        await hub.app.users[name].spawners[""]._stop_future
    assert not hub.app.users[name].running
    assert (await lead("GET", f"users/{name}")).json()["servers"] == {}


async def test_stopping_also_removes_named_servers_for_which_jupyterhub_has_no_scope_of_its_own(hub, lead):
    await start(hub, "bea", "second")
    reply = await lead("DELETE", "users/bea/servers/second", json={"remove": True})
    assert reply.status in {202, 204}
    assert "second" not in (await hub.api("GET", "users/bea?include_stopped_servers=1")).json()["servers"]


async def test_a_member_who_does_not_lead_sees_only_themselves(hub):
    assert (await hub.api("GET", "users", user="mia")).status == 403
    assert (await hub.api("GET", "users/mia", user="mia")).status == 200
    for path in ("users/lin", "users/bea", "users/bea/server/progress"):
        assert (await hub.api("GET", path, user="mia")).status == 404
    for path in ("users/bea/server", "users/lin/server", "users/bea/servers/side"):
        assert (await hub.api("DELETE", path, user="mia")).status == 404


async def test_a_lead_whose_place_in_the_group_is_taken_leads_no_longer(hub):
    hub.user("noa", groups=("ocean-lab", "ocean-lab:leads"))
    assert "mia" in names(await hub.api("GET", "users", user="noa"))
    reply = await hub.api("DELETE", "groups/ocean-lab:leads/users", json={"users": ["noa"]})
    assert reply.status == 200, reply.text
    assert (await hub.api("GET", "users", user="noa")).status == 403
    assert (await hub.api("DELETE", "users/noa")).status == 204


# Servers of others ----------------------------------------------------------------------------------------------------


def door(hub, name):
    """Where a person's server sends a browser to learn who it is."""
    target = quote(f"{hub.app.base_url}user/{name}/oauth_callback", safe="")
    return f"api/oauth2/authorize?client_id=jupyterhub-user-{name}&response_type=code&redirect_uri={target}"


@pytest.mark.parametrize("name", ["mia", "boss", "ines"])
async def test_a_lead_opens_the_servers_of_members_only_when_settings_say_so_and_never_an_admins(hub, browser, name):
    await start(hub, name)
    reply = await browser.get(door(hub, name), follow=False)
    assert reply.status == (200 if hub.may_access and name == "mia" else 403), reply.text


async def test_a_code_that_a_lead_makes_for_a_strangers_server_opens_nothing(hub, browser):
    await start(hub, "ines")
    reply = await browser.post(door(hub, "ines"), {"scopes": "inherit"}, follow=False)
    code = reply.headers.get("Location", "").partition("code=")[2].partition("&")[0]
    form = {"grant_type": "authorization_code", "code": code, "client_id": "jupyterhub-user-ines"}
    form |= {"client_secret": hub.token("lin"), "redirect_uri": f"{hub.app.base_url}user/ines/oauth_callback"}
    async with hub.session.post(f"{hub.url}api/oauth2/token", data=form) as answer:
        assert answer.status in {400, 401, 403}, await answer.text()


async def test_a_lead_starts_servers_of_members_only_when_settings_say_so(hub, lead):
    await hub.api("DELETE", "users/bea/server")
    reply = await lead("POST", "users/bea/server", json={})
    assert reply.status == (201 if hub.may_access else 404), reply.text
    if not hub.may_access:
        return
    assert (await lead("DELETE", "users/bea/server")).status in {202, 204}
    assert (await lead("POST", "users/bea/servers/new", json={})).status == 201
    assert (await lead("DELETE", "users/bea/servers/new", json={"remove": True})).status in {202, 204}
    if HUB_6:  # the scope for starting is there the one for making and renaming, too
        assert (await lead("PUT", "users/bea/servers/new", json={"display_name": "New"})).status == 201
        assert (await lead("PATCH", "users/bea/servers/new", json={"name": "newer"})).status == 200
        assert (await lead("DELETE", "users/bea/servers/newer", json={"remove": True})).status in {202, 204}


@pytest.mark.parametrize("page", ["spawn/ines", "spawn/boss", "spawn/mia", "admin", "user/ines/", "token"])
async def test_pages_give_a_lead_no_more(hub, browser, page):
    reply = await browser.get(page)
    allowed = page == "token" or (page == "spawn/mia" and hub.may_access)
    assert (reply.status == 200) == allowed, reply.status
