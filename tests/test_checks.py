"""What a check finds in traits, hooks, programs, roles, pages and versions, and that it lets be what is fine."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from hub_extensions.checks import advisories, check
from hub_extensions.planned_hub import from_config_file, from_values
from hub_extensions.share import TEMPLATES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hub_extensions.findings import Finding

CONFIGURE = "from hub_extensions import configure\nconfigure(c)"
GITHUB = {
    "JupyterHub": {"authenticator_class": "github"},
    "GitHubOAuthenticator": {"allowed_organizations": ["ocean"], "scope": ["read:org"]},
}
LOGIN = {"hub": {"config": GITHUB}}
WIKI = {"url": "http://wiki:80"}


def in_values(*layers: dict[str, Any]) -> list[Finding]:
    return check(from_values([LOGIN, *layers]))


def in_config(folder: Path, text: str) -> list[Finding]:
    file = folder / "jupyterhub_config.py"
    file.write_text(f"c.JupyterHub.authenticator_class = 'dummy'\nc.DummyAuthenticator.allow_all = True\n{text}")
    return [finding for finding in check(from_config_file(file)) if "security flaw" not in finding.what]


def told(found: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.severity, finding.path) for finding in found]


def programs(**texts: str) -> dict[str, Any]:
    return {"hub": {"extraConfig": {name.replace("_", "-"): text for name, text in texts.items()}}}


def config(**sections: Any) -> dict[str, Any]:
    return {"hub": {"config": sections}}


def places_in(part: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of everything inside, as keys and indexes."""
    for key, inner in part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ():
        yield (*here, key)
        yield from places_in(inner, (*here, key))


def put(part: Any, place: tuple[Any, ...], value: Any) -> None:
    """Put a value where it still has a place."""
    try:
        for key in place[:-1]:
            part = part[key]
        part[place[-1]] = value
    except (IndexError, KeyError, TypeError):
        return  # an earlier change took the place away


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (config(JupyterHub={"port": "x"}), ("error", "hub.config.JupyterHub.port")),
        (config(JupyterHub={"bas_url": "/"}), ("warning", "hub.config.JupyterHub.bas_url")),
        (config(KubeSpawner={"mem_limt": "1G"}), ("warning", "hub.config.KubeSpawner.mem_limt")),
        (config(KubeSpawner={"http_timeout": "soon"}), ("error", "hub.config.KubeSpawner.http_timeout")),
        (config(Spawner={"environment": []}), ("error", "hub.config.Spawner.environment")),
        (config(KubeSpwaner={"image": "a:b"}), ("warning", "hub.config.KubeSpwaner")),
        (config(Kubespawner={"image": "a:b"}), ("warning", "hub.config.Kubespawner")),
        (config(GitHubOAuthenticator={"allowed_users": 1}), ("error", "hub.config.GitHubOAuthenticator.allowed_users")),
        ({"singleuser": {"memory": {"limit": "lots"}}}, ("error", "singleuser.memory.limit")),
    ],
)
def test_traits_that_nobody_knows_or_can_hold(values: dict[str, Any], expected: tuple[str, str]) -> None:
    assert told(in_values(values)) == [expected]


@pytest.mark.parametrize(
    "values",
    [
        {"hub": {"config": {"GitHubOAuthenticator": {"scope": "read:org"}}}},
        config(KubeSpawner={"http_timeout": 90, "environment": {"A": "b"}, "mem_limit": "2G", "uid": None}),
        config(Spawner={"image": "a:b", "cmd": ["x"], "default_url": "/lab"}),
        config(JupyterHub={"cookie_max_age_days": 0.5, "tornado_settings": {"a": 1}}),
        config(BinderSpawnerMixin={"auth_enabled": True}, GoogleOAuthenticator={"scope": []}),
        config(OAuthenticator={"oauth_callback_url": "https://a"}, UsageViewer={"footer_note": "b"}),
    ],
)
def test_traits_that_are_fine(values: dict[str, Any]) -> None:
    assert told(in_values(values)) == []


def cilogon(**idp: Any) -> dict[str, Any]:
    idps = {"http://google.com/accounts/o8/id": {"username_derivation": {"username_claim": "email"}, **idp}}
    return config(JupyterHub={"authenticator_class": "cilogon"}, CILogonOAuthenticator={"allowed_idps": idps})


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (config(JupyterHub={"authenticator_class": "githb"}), ("error", "hub.config.JupyterHub.authenticator_class")),
        (config(JupyterHub={"authenticator_class": "generic"}), ("error", "hub.config.JupyterHub.authenticator_class")),
        (config(JupyterHub={"authenticator_class": "a.B"}), ("warning", "hub.config.JupyterHub.authenticator_class")),
        (cilogon(allow_all=True, allowed_domain=["b.edu"]), ("error", "hub.config.CILogonOAuthenticator")),
        (
            cilogon(allow_all=True, username_derivation={"username_claim": "email", "action": "stripp"}),
            ("error", "hub.config.CILogonOAuthenticator"),
        ),
        (config(GitHubOAuthenticator={"admin_users": None}), ("error", "hub.config.GitHubOAuthenticator")),
        (
            config(JupyterHub={"GitHubOAuthenticator": {"allowed_organizations": ["reef"]}}),
            ("warning", "hub.config.JupyterHub.GitHubOAuthenticator"),
        ),
    ],
)
def test_authenticators_that_the_hub_cannot_make_or_reads_alone(
    values: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert expected in told(in_values(values))
    assert told(in_values(cilogon(allow_all=True))) == [("warning", "hub.config.GitHubOAuthenticator")]


@pytest.mark.parametrize(
    ("singleuser", "expected"),
    [
        ({"memory": {"guarantee": "8G", "limit": "4G"}}, [("error", "singleuser.memory.guarantee")]),
        ({"cpu": {"guarantee": 2, "limit": 1}}, [("error", "singleuser.cpu.guarantee")]),
        (
            {
                "memory": {"guarantee": "8G"},
                "profileList": [{"display_name": "A", "kubespawner_override": {"mem_limit": "4G"}}],
            },
            [("error", "singleuser.profileList[0]")],
        ),
        (
            {
                "memory": {"guarantee": "8G"},
                "profileList": [
                    {"display_name": "A", "kubespawner_override": {"mem_limit": "4G", "mem_guarantee": None}}
                ],
            },
            [],
        ),
    ],
)
def test_guarantees_over_limits_of_what_every_server_gets(
    singleuser: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert told(in_values({"singleuser": singleuser})) == expected


@pytest.mark.parametrize(("guarantee", "wrong"), [("200G", True), ("12G", False)])
def test_a_guarantee_above_what_the_node_has(guarantee: str, wrong: bool) -> None:
    node = {"node.kubernetes.io/instance-type": "n2-highmem-16"}
    choices = {
        "a": {"display_name": "A", "kubespawner_override": {"mem_guarantee": guarantee, "mem_limit": guarantee}},
        "b": {"display_name": "B", "kubespawner_override": {"cpu_guarantee": 1}},
    }
    profile = {"display_name": "P", "profile_options": {"size": {"choices": choices}}}
    found = in_values({"singleuser": {"nodeSelector": node, "profileList": [profile]}})
    place = "singleuser.profileList[0].profile_options.size.choices.a"
    assert told(found) == ([("warning", place)] if wrong else [])


def test_the_nearest_known_name_is_told() -> None:
    (finding,) = in_values(config(JupyterHub={"bas_url": "/"}))
    assert finding.advice == "Did you mean 'base_url'?"
    assert finding.why


HOOK = "def hook(spawner): ...\nc.{}.pre_spawn_hook = hook"


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ({"a": HOOK.format("Spawner"), "b": HOOK.format("Spawner")}, ("warning", "hub.extraConfig.a, line 2")),
        ({"a": HOOK.format("Spawner"), "b": HOOK.format("KubeSpawner")}, ("warning", "hub.extraConfig.a, line 2")),
        (
            {"a": "c['Spawner']['pre_spawn_hook'] = f", "b": "c.Spawner.pre_spawn_hook = g"},
            ("warning", "hub.extraConfig.a, line 1"),
        ),
        ({"a": "c = ("}, ("error", "hub.extraConfig.a, line 1")),
        (
            {"a": "x = 1\nasync def h(a, state):\n    print(list(state), a.auth_state)"},
            ("warning", "hub.extraConfig.a, line 3"),
        ),
        ({"a": CONFIGURE, "b": "c.JupyterHub.template_paths = ['/x']"}, ("warning", "hub.extraConfig.b, line 1")),
    ],
    ids=["twice", "a class and its subclass", "as keys", "no Python", "a secret in the log", "after configure"],
)
def test_programs_in_values(texts: dict[str, str], expected: tuple[str, str]) -> None:
    assert told(in_values(programs(**texts))) == [expected]


@pytest.mark.parametrize(
    "texts",
    [
        {"a": HOOK.format("Spawner")},
        {
            "a": HOOK.format("Spawner"),
            "b": "old = c.Spawner.pre_spawn_hook\nc.Spawner.pre_spawn_hook = lambda s: old(s)",
        },
        {"a": HOOK.format("Spawner"), "b": "old = c.Spawner.get('pre_spawn_hook')\nc.Spawner.pre_spawn_hook = f(old)"},
        {"a": "c.JupyterHub.template_paths = ['/x']", "b": CONFIGURE},
        {"a": CONFIGURE, "b": "c.JupyterHub.template_paths.append('/x')"},
        {"a": CONFIGURE, "b": "c.JupyterHub.template_paths = ['/x', *c.JupyterHub.template_paths]"},
        {"a": "print('auth_state is on')"},
        {"a": ""},
    ],
)
def test_programs_that_are_fine(texts: dict[str, str]) -> None:
    assert told(in_values(programs(**texts))) == []


def test_a_program_that_replaces_what_the_values_say() -> None:
    services = {"hub": {"services": {"robot": {"apiToken": "a-token-of-a-robot"}}}}
    text = "c.JupyterHub.services = []"
    assert told(in_values(services, programs(a=text))) == [("warning", "hub.extraConfig.a, line 1")]
    assert told(in_values(services, programs(a="c.JupyterHub.services.append({'name': 'x'})"))) == []
    assert told(in_values(programs(a=text))) == []


def test_settings_that_nothing_reads() -> None:
    settings = {"custom": {"communities": {"reef": {"members": [{"github": ["reef"]}]}}}}
    assert told(in_values(settings)) == [("warning", "hub.extraConfig")]
    assert told(in_values(settings, programs(a=CONFIGURE))) == []


def test_two_hooks_of_one_spawner_in_a_configuration_file(tmp_path: Path) -> None:
    text = "c.JupyterHub.spawner_class = 'profile-kube'\nc.Spawner.pre_spawn_hook = print\n"
    assert told(in_config(tmp_path, text)) == []
    text += "c.KubeSpawner.pre_spawn_hook = print\n"
    assert told(in_config(tmp_path, text)) == [("warning", "c.Spawner.pre_spawn_hook")]


def test_restrictions_that_the_spawner_does_not_know(tmp_path: Path) -> None:
    profile = {"display_name": "A", "allowed_groups": ["b"]}
    text = f"c.KubeSpawner.profile_list = [{profile}]\nc.JupyterHub.spawner_class = "
    found = in_config(tmp_path, f"{text}'kubespawner.KubeSpawner'")
    assert told(found) == [("error", "c.KubeSpawner.profile_list[0].allowed_groups")]
    assert told(in_config(tmp_path, f"{text}'profile-kube'")) == []


def test_a_class_that_only_a_program_knows() -> None:
    found = in_values(programs(a="class Mine: ...\nc.JupyterHub.authenticator_class = Mine"))
    assert told(found) == [("warning", "hub.extraConfig.a, line 2")]


IDLE = {"custom": {"idle": {"timeout": "2 hours"}}}


def test_two_programs_that_stop_idle_servers() -> None:
    off = {"cull": {"enabled": False}}
    assert told(in_values(IDLE, programs(a=CONFIGURE))) == [("warning", "cull.enabled")]
    assert told(in_values(IDLE, programs(a=CONFIGURE), off)) == []


def roles(**given: Any) -> dict[str, Any]:
    return {"hub": {"loadRoles": given, "services": {"wiki": WIKI}}}


USER = ["self", "access:services!service=wiki"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"user": {"scopes": ["self"]}}, ("warning", "hub.services.wiki")),
        ({"user": {"scopes": [*USER, "acess:servers"]}}, ("error", "hub.loadRoles.user.scopes[2]")),
        ({"user": {"scopes": [*USER, "custom:none:x"]}}, ("error", "hub.loadRoles.user.scopes[2]")),
        ({"user": {"scopes": [*USER, "servers!grup=a"]}}, ("error", "hub.loadRoles.user.scopes[2]")),
        ({"user": {"scopes": [*USER, "access:services!service=wikki"]}}, ("warning", "hub.loadRoles.user.scopes[2]")),
        ({"user": {"scopes": USER[1:]}}, ("warning", "hub.loadRoles.user.scopes")),
        (
            {"user": {"scopes": USER}, "server": {"scopes": ["access:servers!server"]}},
            ("warning", "hub.loadRoles.server.scopes"),
        ),
        (
            {"user": {"scopes": USER}, "robots": {"scopes": [], "services": ["robot"]}},
            ("error", "hub.loadRoles.robots.services[0]"),
        ),
        ({"user": {"scopes": USER}, "admin": {"scopes": ["self"]}}, ("error", "hub.loadRoles.admin")),
    ],
)
def test_roles_and_services(given: dict[str, Any], expected: tuple[str, str]) -> None:
    assert told(in_values(roles(**given))) == [expected]


@pytest.mark.parametrize(
    "given",
    [
        {"user": {"scopes": USER}},
        {"user": {"scopes": ["self", "access:services"]}},
        {"readers": {"groups": ["reef"], "scopes": ["access:services!service=wiki"]}},
        {
            "user": {"scopes": USER},
            "server": {"scopes": ["inherit"]},
            "wiki": {"services": ["wiki"], "scopes": ["users"]},
        },
    ],
)
def test_roles_that_are_fine(given: dict[str, Any]) -> None:
    assert told(in_values(roles(**given))) == []


def test_a_grant_opens_a_service() -> None:
    grant = {"custom": {"grants": [{"to": "user", "scopes": [USER[1]]}]}}
    assert told(in_values(roles(user={"scopes": ["self"]}), grant, programs(a=CONFIGURE))) == []


def test_roles_in_a_configuration_file(tmp_path: Path) -> None:
    text = """
c.JupyterHub.services = [{'name': 'wiki', 'url': 'http://wiki:80'}]
c.JupyterHub.load_roles = [{'name': 'user', 'scopes': ['self', 'nonsense']}]
"""
    assert told(in_config(tmp_path, text)) == [
        ("error", "c.JupyterHub.load_roles[0].scopes[1]"),
        ("warning", "c.JupyterHub.services[0]"),
    ]


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("c.JupyterHub.load_roles = [{'name': 'reef', 'scopes': []}] * 2", "c.JupyterHub.load_roles[1]"),
        ("c.JupyterHub.load_roles = [{'name': 'The reef', 'scopes': []}]", "c.JupyterHub.load_roles[0]"),
        ("c.JupyterHub.services = [{'name': 'robot', 'api_token': 'a' * 9}] * 2", "c.JupyterHub.services[1]"),
    ],
)
def test_names_that_jupyterhub_refuses(tmp_path: Path, line: str, place: str) -> None:
    assert told(in_config(tmp_path, line)) == [("error", place)]


@pytest.mark.parametrize(
    "line", ["services.append(3)", "load_roles = None", "load_roles = 'user'", "services = [None]"]
)
def test_lists_of_the_hub_that_hold_something_else(tmp_path: Path, line: str) -> None:
    place = f"c.JupyterHub.{line.partition(' ')[0].partition('.')[0]}"
    assert told(in_config(tmp_path, f"c.JupyterHub.{line}")) == [("error", place)]


RICH: dict[str, Any] = {
    "hub": {
        "config": {
            "JupyterHub": {"authenticator_class": "cilogon", "cookie_max_age_days": 2},
            "CILogonOAuthenticator": {
                "allowed_idps": {"https://a": {"username_derivation": {"username_claim": "email"}, "allow_all": True}},
                "admin_users": ["ada"],
            },
            "Authenticator": {"admin_users": ["lin"], "blocked_users": ["mallory"]},
            "KubeSpawner": {"environment": {"A": "b"}},
        },
        "services": {"wiki": {**WIKI, "oauth_no_confirm": True}, "dask-gateway": {"apiToken": "a-token-of-dask"}},
        "loadRoles": {"user": {"scopes": ["self"]}, "robot": {"services": ["wiki"], "scopes": ["users"]}},
        "extraConfig": {"a": CONFIGURE, "b": "c.Spawner.pre_spawn_hook = f"},
        "image": {"name": "quay.io/jupyterhub/k8s-hub", "tag": "4.3.3"},
    },
    "singleuser": {
        "memory": {"limit": "2G"},
        "profileList": [
            {
                "display_name": "A",
                "allowed_groups": ["x"],
                "profile_options": {
                    "image": {
                        "choices": {"b": {"display_name": "B", "kubespawner_override": {"image": "b:c"}}},
                        "unlisted_choice": {"enabled": True, "kubespawner_override": {"image": "{value}"}},
                        "dynamic_image_building": {"enabled": True},
                    }
                },
            }
        ],
    },
    "custom": {
        "2i2c": {"add_staff_user_ids_to_admin_users": True, "add_staff_user_ids_of_type": "x", "staff_x_ids": ["z"]},
        "daskhubSetup": {"enabled": True},
        "homepage": {"templateVars": {"org": {"name": "Reef"}}},
        "hubExtensions": {"grants": [{"to": "user", "scopes": ["list:services"]}], "usage": {"time_zone": "UTC"}},
    },
}
PLACES = tuple(places_in(RICH))
ANYTHING = st.sampled_from([None, True, 0, -1, 1.5, "", "text", [], ["a"], [None], [[]], {}, {"a": 1}, [{}], "c = ("])


@settings(max_examples=40, deadline=None, derandomize=True)
@given(changed=st.lists(st.tuples(st.sampled_from(PLACES), ANYTHING), min_size=1, max_size=3))
def test_whatever_stands_in_the_values_is_checked(changed: list[tuple[tuple[Any, ...], Any]]) -> None:
    values = deepcopy(RICH)
    for place, value in changed:
        put(values, place, deepcopy(value))
    for finding in check(from_values([values])):
        assert finding.path
        assert finding.what
        assert finding.severity in ("error", "warning")


EXTENDS = '{% extends "templates/error.html" %}'


@pytest.mark.parametrize(
    ("page", "text", "expected"),
    [
        ("spawn.html", "<p>Mine</p>", "replaces a page as a whole."),
        ("mine.html", "<p>Mine</p>", ""),
        ("spawn.html", '{% extends "templates/spawn.html" %}', ""),
        ("home.html", "{% if %}", "is no template: Expected an expression, got 'end of statement block'."),
        ("error.html", f"{EXTENDS}{{% block h1_error %}}x{{% endblock %}}", ""),
        ("error.html", f"{EXTENDS}{{% block error_detail %}}Not allowed{{% endblock %}}", "says the same"),
        ("error.html", f"{EXTENDS}{{% block error_detail %}}{{{{ super() }}}} Ask us{{% endblock %}}", ""),
        (
            "error.html",
            EXTENDS + "{% block error_detail %}{% if status_code == 403 %}Not allowed{% else %}{{ message }}"
            "{% endif %}{% endblock %}",
            "says the same",
        ),
        (
            "error.html",
            EXTENDS + "{% block error_detail %}{% if message %}{{ message }}{% elif status_code == 403 %}Not allowed"
            "{% endif %}{% endblock %}",
            "",
        ),
        (
            "error.html",
            EXTENDS + "{% block error_detail %}{{ message }}{% if status_code == 403 %}Ask us{% endif %}{% endblock %}",
            "",
        ),
        ("403.html", f"{EXTENDS}{{% block error_detail %}}Not allowed{{% endblock %}}", "says the same"),
    ],
)  # fmt: skip
def test_pages_of_an_operator(tmp_path: Path, page: str, text: str, expected: str) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / page).write_text(text)
    found = in_config(tmp_path, f"c.JupyterHub.template_paths = [{str(pages)!r}]")
    assert [finding.what[: len(expected)] for finding in found] == ([expected] if expected else [])
    assert all(finding.path.startswith(str(pages / page)) for finding in found)


def test_our_own_pages_hide_nothing(tmp_path: Path) -> None:
    copies = tmp_path / "pages"
    copies.mkdir()
    for page in (TEMPLATES / "hub_extensions").glob("*.html"):
        (copies / page.name).write_text(page.read_text())
    assert in_config(tmp_path, f"c.JupyterHub.template_paths = [{str(copies)!r}]") == []


def test_a_folder_of_pages_that_is_not_there(tmp_path: Path) -> None:
    found = in_config(tmp_path, "c.JupyterHub.template_paths = ['/nowhere']")
    assert told(found) == [("warning", "c.JupyterHub.template_paths[0]")]


def image(tag: str, name: str = "quay.io/jupyterhub/k8s-hub") -> dict[str, Any]:
    return {"hub": {"image": {"name": name, "tag": tag}}}


def usage(url: str = "http://hub:10101", database: str = "sqlite:////srv/jupyterhub/u.sqlite", **hub: Any) -> Any:
    call = {"extraConfig": {"a": "from hub_extensions import configure\nconfigure(c)"}}
    return {"custom": {"usage": {"database": database, **({"url": url} if url else {})}}, "hub": {**call, **hub}}


PORT = {"extraPorts": [{"name": "usage", "port": 10101, "targetPort": 10101}]}
INGRESS = {"ingress": [{"from": [{"podSelector": {}}], "ports": [{"protocol": "TCP", "port": 10101}]}]}
BOTH = ["hub.service.extraPorts", "hub.networkPolicy.ingress"]


@pytest.mark.parametrize(
    ("values", "paths"),
    [
        (usage(), BOTH),
        (usage(service=PORT, networkPolicy=INGRESS), []),
        (usage(service=PORT), BOTH[1:]),
        (usage(service=PORT, networkPolicy={"enabled": False}), []),
        (usage(service=PORT, networkPolicy={"allowedIngressPorts": [10101]}), []),
        (usage(service=PORT, networkPolicy={"ingress": [{"from": []}]}), []),
        (usage("http://hub:10102", service=PORT, networkPolicy=INGRESS), BOTH),
        (usage(""), ["custom.usage.url"]),
        (usage("http://127.0.0.1:10101"), ["custom.usage.url"]),
        (usage("http://usage.elsewhere:10101"), []),
        ({**usage(), "fullnameOverride": "reef"}, []),  # a Service of their own: the hub's is reef-hub
        (usage("http://reef-hub:10101") | {"fullnameOverride": "reef"}, BOTH),
        (usage("http://x:1", db={"type": "postgres"}), ["custom.usage.database"]),
        (usage("http://x:1", "postgresql://db/usage", db={"type": "postgres"}), []),
    ],
)
def test_usage_pages_that_the_proxy_does_not_reach(values: dict[str, Any], paths: list[str]) -> None:
    assert told(in_values(values)) == [("warning", path) for path in paths]


def test_what_it_advises_mends_it() -> None:
    found = in_values(usage())
    port, rule = (yaml.safe_load(each.advice.removeprefix("Add ").removesuffix(".")) for each in found)
    assert in_values(usage(service={"extraPorts": [port]}, networkPolicy={"ingress": [rule]})) == []


def test_a_chart_below_a_security_fix() -> None:
    found = [finding for finding in in_values(image("4.3.3")) if finding.severity == "error"]
    assert [finding.path for finding in found] == ["hub.image.tag"] * 2
    assert "jupyterhub 5.4.4 has a known security flaw (GHSA-m68r-v472-jgq9, CVE-2026-40864)." in found[0].what
    assert [each.advice for each in found] == [
        f"Upgrade jupyterhub to {fixed} or newer." for fixed in ("5.4.5", "5.5.3")
    ]


@pytest.mark.parametrize("values", [image("9.0.0"), image("4.3.3", "quay.io/ocean/hub"), image("latest")])
def test_of_other_images_nothing_is_said(values: dict[str, Any]) -> None:
    assert told(in_values(values)) == []


@pytest.mark.parametrize(
    ("id_", "found", "fixed"),
    [
        ("GHSA-9x4q-3gxw-849f", "4.1.5", "4.1.6"),
        ("GHSA-9x4q-3gxw-849f", "4.1.6", ""),
        ("GHSA-9x4q-3gxw-849f", "5.0.0", "5.1.0"),
        ("GHSA-9x4q-3gxw-849f", "5.1.0", ""),
        ("GHSA-c4gm-pwx9-9w8j", "5.5.0", "5.5.1"),
        ("GHSA-c4gm-pwx9-9w8j", "5.5.1", ""),
        ("GHSA-c4gm-pwx9-9w8j", "6.0.0", ""),
        ("GHSA-c4gm-pwx9-9w8j", "of-my-own", ""),
        ("GHSA-hx46-2cv3-mh6g", "5.5.2", "5.5.3"),
        ("GHSA-hx46-2cv3-mh6g", "5.5.3", ""),
        ("GHSA-hx46-2cv3-mh6g", "6.0.1", "6.1.0"),
        ("GHSA-hx46-2cv3-mh6g", "6.1.0", ""),
    ],
)
def test_an_advisory_names_the_fix_of_the_line_that_a_hub_is_on(id_: str, found: str, fixed: str) -> None:
    (advisory,) = [each for each in advisories.known() if each.id == id_]
    assert advisory.fixed_after(found) == fixed


@pytest.mark.parametrize("advisory", advisories.known(), ids=lambda advisory: advisory.id)
def test_the_fixed_versions_of_an_advisory_are_not_affected(advisory: advisories.Advisory) -> None:
    assert all(SpecifierSet(each) for each in advisory.affected)
    for each in advisory.affected:
        assert not advisory.fixed_after(each.rpartition("<")[2])


def test_a_flaw_of_another_authenticator_is_no_concern(tmp_path: Path) -> None:
    file = tmp_path / "c.py"
    file.write_text("c.JupyterHub.authenticator_class = 'github'\nc.OAuthenticator.allow_all = True")
    assert [found for found in check(from_config_file(file)) if found.severity == "error"] == []
