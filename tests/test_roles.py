"""What leads may do, as roles; and that nothing of an operator's is lost when roles and scopes are added."""

import copy
import re
import string

import jupyterhub
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jupyterhub.app import JupyterHub
from jupyterhub.roles import _validate_role_name, get_default_roles
from jupyterhub.scopes import _check_scopes_exist, scope_definitions
from traitlets.config import Config
from traitlets.config.loader import LazyConfigValue

from hub_extensions import configure
from hub_extensions.additions import grant
from hub_extensions.communities import Community
from hub_extensions.roles import grant_mistakes, leads_roles, role_name
from hub_extensions.settings import Grant
from hub_extensions.usage_service import READ

HAS_EXTRA_USER_SCOPES = hasattr(JupyterHub, "extra_user_scopes")
USE = "access:services!service=usage"
LEAD = ["list:users", "read:users:activity", "read:servers", "delete:servers"]


def of(name, *scopes):
    return [f"{scope}!group={name}" for scope in scopes]


def test_leads_see_the_people_of_their_community_and_stop_their_servers():
    [role] = leads_roles({"ocean-lab": Community()})
    assert role["name"] == "community-ocean-lab-leads"
    assert role["groups"] == ["ocean-lab:leads"]
    assert role["scopes"] == of("ocean-lab", *LEAD)


def test_leads_who_may_access_servers_also_start_and_open_them():
    open_, closed = leads_roles({"a": Community(leads_may_access_servers=True), "b": Community()}, [READ])
    assert open_["scopes"] == of("a", *LEAD, READ) + of("a:accessible", "servers", "access:servers")
    assert closed["scopes"] == of("b", *LEAD, READ)


def test_every_scope_of_leads_is_one_of_the_hub_and_for_their_community_alone():
    [role] = leads_roles({"a": Community(leads_may_access_servers=True)})
    _check_scopes_exist(role["scopes"])
    assert all(scope.partition("!group=")[2] in {"a", "a:accessible"} for scope in role["scopes"])


@pytest.mark.parametrize("community", ["ocean-lab", "Ocean Lab", "role:ocean", "é", "-x-", "a.b_c~d", "x" * 64])
def test_each_community_has_a_role_that_the_hub_accepts(community):
    assert _validate_role_name(role_name(community))


@given(st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?", fullmatch=True))
@settings(deadline=None)
def test_the_role_of_any_community_that_settings_may_name_is_accepted(community):
    assert _validate_role_name(role_name(community))


def test_communities_that_differ_have_roles_that_differ():
    names = ["a-b", "a_b", "a b", "a.b", "a:b", "a~b", "ab", "a-leads", "a"]
    assert len({role_name(name) for name in names}) == len(names)


# Grants ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("to", "scope", "said"),
    [
        ("user", "access:services!service=binder", None),
        ("server", "read:users:activity!user", None),
        ("user", "custom:binder:build", None),
        ("user", "read:users!group=ocean-lab", None),
        ("usr", "read:hub", r"grants\[0\].to: there is no role 'usr'. Did you mean 'user'\?"),
        ("admin", "read:hub", r"grants\[0\].to: JupyterHub lets nobody change the role admin."),
        (
            "user",
            "acess:services",
            r"scopes\[0\]: there is no scope 'acess:services'. Did you mean 'access:services'\?",
        ),
        ("user", "all", r"scopes\[0\]: there is no scope 'all'"),
        ("user", "access:services!servce=binder", r"scopes\[0\]: 'servce=binder' is no filter"),
        ("user", "access:services!service=", r"is no filter"),
        ("user", "access:services!", r"is no filter"),
        ("user", "read:users!group", r"is no filter"),
        ("x" * 500, "y" * 500, r"there is no scope 'y{1,64}…"),
    ],
)
def test_a_grant_names_a_role_and_scopes_that_the_hub_has(to, scope, said):
    roles = [role["name"] for role in get_default_roles()]
    found = "\n".join(map(str, grant_mistakes([Grant(to=to, scopes=[scope])], roles, scope_definitions)))
    assert re.search(said, found) if said else not found


def test_wrong_grants_end_the_start_with_all_that_is_wrong():
    with pytest.raises(SystemExit) as ended:
        configure(Config(), {"grants": [{"to": "usr", "scopes": ["read:hub"]}, {"to": "user", "scopes": ["rad:hub"]}]})
    assert [line.partition(": ")[0].strip() for line in str(ended.value).splitlines()] == [
        "settings",
        "grants[0].to",
        "grants[1].scopes[0]",
    ]
    with pytest.raises(SystemExit, match=r"grants\[0\].scopes"):
        configure(Config(), {"grants": [{"to": "user", "scopes": []}]})


def user_scopes(c):
    """What the role of everybody has once the hub has started: from its role in load_roles, or else the defaults."""
    hub = JupyterHub(config=copy.deepcopy(c))
    defaults = ["self", *(hub.extra_user_scopes if HAS_EXTRA_USER_SCOPES else ())]
    return set(
        next((role["scopes"] for role in hub.load_roles if role["name"] == "user" and "scopes" in role), defaults)
    )


def test_a_grant_to_everybody_leaves_what_everybody_has():
    c = Config()
    configure(c, {"grants": [{"to": "user", "scopes": ["access:services!service=binder"]}]})
    assert user_scopes(c) == {"self", "access:services!service=binder"}
    assert ("load_roles" in c.JupyterHub) == (jupyterhub.version_info < (6,))


def test_a_grant_to_servers_leaves_what_servers_have():
    c = Config()
    configure(c, {"grants": [{"to": "server", "scopes": ["read:users:groups!user"]}]})
    assert c.JupyterHub.load_roles == [
        {"name": "server", "scopes": ["users:activity!user", "access:servers!server", "read:users:groups!user"]}
    ]


def test_a_grant_to_the_leads_of_a_community_adds_to_their_role():
    c = Config()
    configure(c, {"communities": {"a": {}}, "grants": [{"to": "community-a-leads", "scopes": ["list:groups!group=a"]}]})
    assert c.JupyterHub.load_roles[0]["scopes"] == [*of("a", *LEAD), "list:groups!group=a"]


def test_without_usage_leads_have_no_scope_that_the_hub_does_not_know():
    c = Config()
    configure(c, {"communities": {"a": {}}})
    _check_scopes_exist(c.JupyterHub.load_roles[0]["scopes"])
    assert "custom_scopes" not in c.JupyterHub


# What an operator has -------------------------------------------------------------------------------------------------

SETTINGS = {
    "communities": {"ocean-lab": {"leads_may_access_servers": True}, "Ice.Lab": {}},
    "usage": {"database": "sqlite:///usage.sqlite", "url": "http://127.0.0.1:9000"},
    "grants": [{"to": "user", "scopes": ["access:services!service=binder"]}, {"to": "server", "scopes": ["read:hub"]}],
}
SCOPES = st.lists(
    st.sampled_from([*sorted(set(scope_definitions) - {"(no_scope)"}), "read:users!group=x"]), unique=True
)
NAMES = ["user", "server", "token", "tutors", "graders", "community-ocean-lab-leads"]
ROLE = st.fixed_dictionaries(
    {},
    optional={
        "scopes": SCOPES,
        "description": st.text(string.printable, max_size=20),
        "users": st.lists(st.sampled_from(["ada", "lin"]), unique=True),
        "groups": st.lists(st.sampled_from(["x", "ocean-lab:leads"]), unique=True),
        "services": st.just([]),
    },
)
ROLES = st.dictionaries(st.sampled_from(NAMES), ROLE)


def in_form(form, roles):
    """The roles as an operator writes them: a list, a mapping, or added to what has no value yet."""
    entries = [{"name": name, **role} for name, role in roles.items()]
    if form == "dict":
        return copy.deepcopy(roles)
    if form == "list":
        return entries
    lazy = LazyConfigValue()
    half = len(entries) // 2
    lazy.extend(entries[half:])
    lazy.prepend(entries[:half])
    return lazy


def added(form, values):
    """A set or a mapping that has a value, or that has been added to."""
    if form != "lazy":
        return copy.deepcopy(values)
    lazy = LazyConfigValue()
    lazy.update(copy.deepcopy(values))
    return lazy


@st.composite
def operators(draw):
    """An operator's configuration, and the roles in it by name."""
    c, roles = Config(), draw(st.none() | ROLES)
    if roles is not None:
        c.JupyterHub.load_roles = in_form(draw(st.sampled_from(["list", "dict", "lazy"])), roles)
    extra = draw(st.none() | st.sets(st.sampled_from(["list:services", "read:hub"]), min_size=1))
    if extra is not None and HAS_EXTRA_USER_SCOPES:
        form = draw(st.sampled_from(["set", "list", "lazy"]))
        c.JupyterHub.extra_user_scopes = sorted(extra) if form == "list" else added(form, extra)
    if draw(st.booleans()):
        c.JupyterHub.custom_scopes = added(
            draw(st.sampled_from(["dict", "lazy"])), {"custom:own": {"description": "Own"}}
        )
    return c, roles or {}


def plain(c):
    hub = JupyterHub(config=copy.deepcopy(c))
    found = {name: getattr(hub, name) for name in ("load_roles", "custom_scopes", "services")}
    found["services"] = [{**service, "environment": None} for service in found["services"]]
    return found | {"extra_user_scopes": getattr(hub, "extra_user_scopes", None)}


@given(operators())
@settings(deadline=None, max_examples=50)
def test_nothing_of_an_operator_is_lost_and_twice_is_once(operator):
    c, roles = operator
    before = copy.deepcopy(roles)
    extra = (
        set(JupyterHub(config=copy.deepcopy(without_roles(c))).extra_user_scopes) if HAS_EXTRA_USER_SCOPES else set()
    )
    own_custom = "custom_scopes" in c.JupyterHub
    configure(c, SETTINGS)
    once = plain(c)

    assert roles == before, "the operator's own objects are changed"
    found = {role["name"]: role for role in once["load_roles"]}
    assert len(found) == len(once["load_roles"]), "a name stands twice, with which JupyterHub does not start"
    for name, role in before.items():
        for key, value in role.items():
            assert set(value) <= set(found[name][key]) if isinstance(value, list) else value == found[name][key]
    assert ("custom:own" in once["custom_scopes"]) == own_custom
    assert user_scopes(c) >= {USE, "access:services!service=binder"} | set(
        before.get("user", {}).get("scopes", ["self"])
    )
    assert user_scopes(c) >= extra or "scopes" in before.get("user", {})
    assert "read:hub" in found["server"]["scopes"]
    assert set(of("ocean-lab", *LEAD, READ)) <= set(found["community-ocean-lab-leads"]["scopes"])

    configure(c, SETTINGS)
    assert plain(c) == once


def without_roles(c):
    c = copy.deepcopy(c)
    c.JupyterHub.pop("load_roles", None)  # a mapping, which JupyterHub itself does not take
    return c


@given(ROLES.map(lambda roles: {name: role for name, role in roles.items() if name in {"tutors", "graders"}}))
@settings(deadline=None, max_examples=20)
def test_what_an_operator_adds_afterwards_is_kept_too(roles):
    c = Config()
    configure(c, SETTINGS)
    ours = plain(c)["load_roles"]
    for name, role in roles.items():
        c.JupyterHub.load_roles.append({"name": name, **role})
    if HAS_EXTRA_USER_SCOPES:
        c.JupyterHub.extra_user_scopes.add("read:hub")
    configure(c, SETTINGS)
    assert plain(c)["load_roles"] == [*ours, *({"name": name, **role} for name, role in roles.items())]
    assert user_scopes(c) >= {"self", USE} | ({"read:hub"} if HAS_EXTRA_USER_SCOPES else set())


def test_an_operator_s_role_of_everybody_is_where_scopes_for_everybody_go():
    c = Config({"JupyterHub": {"load_roles": [{"name": "user", "scopes": ["self", "shares!user"]}]}})
    grant(c, "user", [USE])
    assert c.JupyterHub.load_roles == [{"name": "user", "scopes": ["self", "shares!user", USE]}]
    assert "extra_user_scopes" not in c.JupyterHub
