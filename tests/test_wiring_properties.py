"""Whatever a configuration file says before, after and around `configure`, nothing of it is lost.

Files are drawn from statements as operators write them, on values that are lazy and on values that are real. A hub
without `configure` is the measure: what that has, the hub with it has too.
"""

from __future__ import annotations

import tempfile
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jupyterhub.app import JupyterHub
from traitlets.config import Config, Configurable

from hub_extensions import configure
from hub_extensions.changes import effective, entries_of, overwritten
from hub_extensions.spawners.kube import ProfileKubeSpawner
from hub_extensions.spawners.local import ProfileLocalSpawner

from . import z2jh_loader

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from traitlets import HasTraits

HOOKS = """
def hook{n}(*arguments):
    return arguments[-1]

async def hook{n}_async(*arguments):
    return arguments[-1]
"""
# A statement that adds, and one that assigns the trait whole.
ADDING = (
    "c.JupyterHub.services.append({{'name': 'own-{n}', 'api_token': 'of-the-service-{n}'}})",
    "c.JupyterHub.services.extend([{{'name': 'own-{n}', 'api_token': 'of-the-service-{n}'}}])",
    "c.JupyterHub.load_roles.append({{'name': 'own-{n}', 'scopes': ['list:users', 'read:users!user=u{n}']}})",
    "c.JupyterHub.load_roles.insert(0, {{'name': 'own-{n}', 'scopes': ['self'], 'users': ['u{n}']}})",
    "c.JupyterHub.template_paths.append('/own/{n}')",
    "c.JupyterHub.template_paths.insert(0, '/own/{n}')",
    "c.JupyterHub.template_vars.update({{'own_{n}': {n}}})",
    "c.JupyterHub.extra_handlers.append(('/own/{n}', Handler))",
    "c.JupyterHub.extra_handlers.extend([('/own/{n}', Handler), ('/own/other/{n}', Handler)])",
    "c.JupyterHub.load_groups.update({{'own-{n}': {{'users': ['u{n}']}}}})",
    "c.JupyterHub.custom_scopes.update({{'custom:own:{n}': {{'description': 'Own {n}'}}}})",
    "c.Authenticator.admin_users.add('u{n}')",
    "c.Authenticator.admin_users.update({{'u{n}', 'v{n}'}})",
    "c.Spawner.environment.update({{'OWN_{n}': '{n}'}})",
    "c.Spawner.pre_spawn_hook = hook{n}",
    "c.Spawner.pre_spawn_hook = hook{n}_async",
    "c.LocalProcessSpawner.pre_spawn_hook = hook{n}",
    "c.Spawner.auth_state_hook = hook{n}_async",
    "c.Spawner.post_stop_hook = hook{n}",
    "c.ProfileLocalSpawner.post_stop_hook = hook{n}_async",
    "c.KubeSpawner.pre_spawn_hook = hook{n}_async",
    "c.KubeSpawner.post_stop_hook = hook{n}",
    "c.KubeSpawner.modify_pod_hook = hook{n}",
    "c.KubeSpawner.modify_pod_hook = hook{n}_async",
    "c.ProfileKubeSpawner.modify_pod_hook = hook{n}_async",
    "c.KubeSpawner.environment.update({{'OWN_POD_{n}': '{n}'}})",
    "c.ProfileKubeSpawner.environment.update({{'OWN_PROFILE_{n}': '{n}'}})",
    "c.Spawner.default_url = '/own/{n}'",
    "c.JupyterHub.allow_named_servers = True",
)
ASSIGNING = (
    "c.JupyterHub.services = [{{'name': 'own-{n}', 'api_token': 'of-the-service-{n}'}}]",
    "c.JupyterHub.load_roles = [{{'name': 'user', 'scopes': ['self', 'read:users!user=u{n}']}}]",
    "c.JupyterHub.load_roles = [{{'name': 'server', 'scopes': ['users:activity!user']}}, {{'name': 'own-{n}'}}]",
    "c.JupyterHub.template_paths = ['/own/{n}']",
    "c.JupyterHub.template_vars = {{'own_{n}': {n}}}",
    "c.JupyterHub.extra_handlers = [('/own/{n}', Handler)]",
    "c.JupyterHub.load_groups = {{'own-{n}': ['u{n}']}}",
    "c.Authenticator.admin_users = {{'u{n}'}}",
    "c.KubeSpawner.environment = {{'OWN_POD_{n}': '{n}'}}",
    "c.Spawner.environment = {{'OWN_{n}': '{n}'}}",
    "c.ProfileKubeSpawner.environment = {{'OWN_PROFILE_{n}': '{n}'}}",
)
HANDLER = "from jupyterhub.handlers import BaseHandler as Handler\n"

SETTINGS: dict[str, Any] = {
    "hub": {
        "title": "Station",
        "config": {"JupyterHub": {"spawner_class": "profile-local"}},
        "service_users": ["robot"],
    },
    "communities": {"ocean": {"members": [{"users": ["ada"]}], "leads": [{"users": ["lin"]}]}},
    "usage": {"database": "sqlite:///usage.sqlite", "url": "http://127.0.0.1:9999"},
    "grants": [{"to": "server", "scopes": ["list:users"]}],
    "quotas": [{"groups": ["ocean"], "resource": "memory", "limit": "5 GiB-hours", "window": "30 days"}],
    "environment_from_auth_state": {"WHO": "{auth_state[who]}"},
}
CHART = {
    "custom": {
        **SETTINGS,
        "2i2c": {
            "staff_github_ids": ["ann"],
            "add_staff_user_ids_to_admin_users": True,
            "add_staff_user_ids_of_type": "github",
        },
        "homepage": {"templateVars": {"org": {"name": "Reef"}}},
        "daskhubSetup": {"enabled": True},
    },
    "hub": {
        "config": {"JupyterHub": {"authenticator_class": "github"}},
        "services": {"dask-gateway": {"display": False}},
        "loadRoles": {"user": {"scopes": ["self", "access:services!service=dask-gateway"]}},
    },
}
CALL = "configure(c)"


def reader(cls: type[HasTraits]) -> Any:
    """A class that takes these traits from a configuration as that one does: made at once, and without a cluster."""
    sections = [each.__name__ for each in reversed(cls.__mro__) if issubclass(each, Configurable)]
    made = Configurable
    for section in sections[1:]:
        traits = cls.class_traits(config=True) if section == cls.__name__ else {}
        made = type(section, (made,), {name: copy(trait) for name, trait in traits.items()})
    return made


OF_THE_HUB = (
    "services",
    "load_roles",
    "load_groups",
    "template_paths",
    "template_vars",
    "extra_handlers",
    "custom_scopes",
    "allow_named_servers",
)
OF_PODS = ("pre_spawn_hook", "auth_state_hook", "post_stop_hook", "modify_pod_hook", "environment")
Hub, Pods = reader(JupyterHub), reader(ProfileKubeSpawner)

adding, assigning = (
    st.tuples(st.sampled_from(statements), st.integers(0, 3)).map(lambda drawn: drawn[0].format(n=drawn[1]))
    for statements in (ADDING, ASSIGNING)
)
programs = st.lists(adding | assigning, max_size=6)


def run(statements: Iterable[str], c: Config | None = None) -> Config:
    """A configuration file, without a chart: values are lazy until they are assigned."""
    c = Config() if c is None else c
    scope = {"c": c, "configure": lambda c: configure(c, SETTINGS)}
    exec("\n".join([HANDLER, *(HOOKS.format(n=n) for n in range(4)), *statements]), scope)
    return c


def run_in_chart(before: Sequence[str], after: Sequence[str], calls: int = 1, variables: Any = None) -> Config:
    """The same under the chart, whose services and roles are real lists; `before` is a file of its own.

    `variables` are `singleuser.extraEnv`, which hide those of `c.Spawner.environment` unless they are None.
    """
    prelude = "\n".join([HANDLER, *(HOOKS.format(n=n) for n in range(4))])
    call = "\n".join(["from hub_extensions import configure", *[CALL] * calls]) if calls else ""
    extra = {"50": call, "60": "\n".join(after)}
    with tempfile.TemporaryDirectory() as folder:
        # Sets are what the chart has not: its values are YAML.
        values = {**CHART, "singleuser": {"extraEnv": variables}}
        return z2jh_loader.load(values, Path(folder), extra, {"own.py": "\n".join([prelude, *before])})


def has(c: Config) -> dict[str, Any]:
    """What a hub of this configuration has."""
    hub, spawner = Hub(config=c), ProfileLocalSpawner(config=c)
    hooks = ("pre_spawn_hook", "auth_state_hook", "post_stop_hook", "environment", "default_url")
    found = {f"JupyterHub.{name}": getattr(hub, name) for name in OF_THE_HUB}
    found |= {f"Spawner.{name}": getattr(spawner, name) for name in hooks}
    pods = Pods(config=c)
    found |= {f"KubeSpawner.{name}": getattr(pods, name) for name in OF_PODS}
    # Any authenticator has it; ours adds up what several classes are told.
    users = c.Authenticator.get("admin_users", set())
    found["Authenticator.admin_users"] = users if isinstance(users, (set, list)) else users.get_value(set())
    return found


def lost(alone: dict[str, Any], together: dict[str, Any]) -> dict[str, Any]:
    """What the first has and the second has not, or has in another order."""
    found = {}
    for name, value in alone.items():
        entries, there = entries_of(value), together[name]
        if entries is None and isinstance(value, list):  # of what has no names
            kept = [entry for entry in there if entry in value]
            missing: Any = kept != value and value
        elif entries is None:
            missing = getattr(value, "__name__", value) != getattr(there, "__name__", there) and value
        else:
            missing = entries - (entries_of(there) or frozenset())
            if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
                missing = missing or [entry for entry in there if entry in value] != value
        if missing:
            found[name] = (value, there)
    return found


def assigned(statements: Iterable[str], trait: str) -> bool:
    return any(statement.startswith(f"c.JupyterHub.{trait} =") for statement in statements)


@given(before=programs, after=programs)
@settings(max_examples=120, deadline=None)
def test_nothing_of_an_operator_is_lost(before: list[str], after: list[str]) -> None:
    alone = has(run([*before, *after]))
    together = run([*before, CALL, *after])
    assert lost(alone, has(together)) == {}


@given(before=programs, after=st.lists(adding, max_size=6))
@settings(max_examples=60, deadline=None)
def test_what_is_added_later_takes_nothing_from_the_settings(before: list[str], after: list[str]) -> None:
    c = run([*before, CALL, *after])
    hub = Hub(config=c)
    assert "usage" in [service["name"] for service in hub.services]
    assert "hub_extensions" in hub.template_vars
    assert overwritten(c) == []


@given(before=programs, between=programs)
@settings(max_examples=60, deadline=None)
def test_a_call_after_all_of_it_makes_good_what_was_assigned_after_the_first(
    before: list[str], between: list[str]
) -> None:
    c = run([*before, CALL, *between, CALL])
    assert overwritten(c) == []
    assert lost(has(run([*before, *between])), has(c)) == {}


@given(before=programs)
@settings(max_examples=60, deadline=None)
def test_twice_is_once(before: list[str]) -> None:
    once, twice = run([*before, CALL]), run([*before, CALL, CALL])
    assert lost(has(once), has(twice)) == lost(has(twice), has(once)) == {}
    assert effective(once) == effective(twice)


@given(before=programs, after=programs)
@settings(max_examples=60, deadline=None)
def test_what_is_assigned_whole_later_is_told_when_the_hub_starts(before: list[str], after: list[str]) -> None:
    told = overwritten(run([*before, CALL, *after]))
    for trait in ("services", "load_roles", "template_paths", "template_vars"):
        assert any(line.startswith(f"c.JupyterHub.{trait} ") for line in told) == assigned(after, trait)


@given(
    before=programs, after=programs, calls=st.integers(1, 2), variables=st.sampled_from([None, {}, {"OWN": "chart"}])
)
@settings(max_examples=60, deadline=None)
def test_the_same_holds_in_the_chart(
    before: list[str], after: list[str], calls: int, variables: dict[str, str] | None
) -> None:
    # The chart's default page is what basehub has JupyterLab take the place of.
    alone = {**has(run_in_chart(before, after, 0, variables))}
    if alone["Spawner.default_url"] in ("", "/tree"):
        del alone["Spawner.default_url"]
    together = run_in_chart(before, after, calls, variables)
    assert lost(alone, has(together)) == {}
    assert "DASK_GATEWAY__ADDRESS" in together.ProfileSpawner.environment_defaults
    if not any(" = " in statement for statement in after):
        assert overwritten(together) == []
        assert "ann" in together.Authenticator.admin_users


@pytest.mark.parametrize(
    "assignment", ["c.JupyterHub.spawner_class = 'simple'", "c.Authenticator.admin_users = {'me'}"]
)
def test_in_the_chart_too_what_is_assigned_later_is_told(assignment: str) -> None:
    [line] = overwritten(run_in_chart([], [assignment]))
    assert line.startswith(assignment.partition(" =")[0])
    assert "hub_extensions.configure" in line
