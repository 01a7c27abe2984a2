"""The hub that files describe: what it is configured with, and what is found in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hub_extensions.planned_hub import PlannedHub, from_config_file, from_values

if TYPE_CHECKING:
    from pathlib import Path

GITHUB = {"JupyterHub": {"authenticator_class": "github"}, "GitHubOAuthenticator": {"allowed_organizations": ["ocean"]}}
PLAIN = {"hub": {"config": GITHUB}}
COMMUNITY: dict[str, Any] = {"custom": {"communities": {"ocean": {"members": [{"github": ["ocean"]}]}}}}


def paths(hub: PlannedHub, severity: str = "error") -> list[str]:
    return [finding.path for finding in hub.findings if finding.severity == severity]


def config_file(folder: Path, text: str) -> Path:
    file = folder / "jupyterhub_config.py"
    file.write_text(text)
    return file


def test_a_hub_that_has_nothing_for_us_keeps_its_classes() -> None:
    hub = from_values([PLAIN])
    assert hub.config.JupyterHub.authenticator_class == "github"
    assert hub.settings is None
    assert paths(hub) == []


@pytest.mark.parametrize(
    "more",
    [
        COMMUNITY,
        {"custom": {"hubExtensions": {}}},
        {"singleuser": {"profileList": [{"display_name": "Ocean"}]}},
        {"hub": {"extraConfig": {"50-ours": "from hub_extensions import configure\nconfigure(c)"}}},
    ],
    ids=["settings", "nested settings", "profiles", "the call"],
)
def test_a_hub_that_has_something_for_us_is_wired(more: dict[str, Any]) -> None:
    hub = from_values([PLAIN, more])
    assert hub.config.JupyterHub.authenticator_class == "community-github"
    assert hub.settings is not None
    assert hub.lines


def test_values_merge_as_helm_merges_them_and_null_takes_away() -> None:
    below = {"jupyterhub": {**PLAIN, **COMMUNITY, "singleuser": {"profileList": [{"display_name": "Ocean"}]}}}
    above = {"jupyterhub": {"singleuser": {"profileList": None}, "custom": {"communities": {"reef": {"members": []}}}}}
    hub = from_values([below, above])
    assert "profile_list" not in hub.config.KubeSpawner
    assert hub.settings is not None
    assert set(hub.settings.communities) == {"ocean", "reef"}


def test_the_chart_makes_traits_of_services_roles_and_templates() -> None:
    hub = from_values(
        [
            {
                "hub": {
                    "services": {"dask": {"url": "http://dask", "apiToken": "a-token-of-dask"}, "gone": None},
                    "loadRoles": {"user": {"scopes": ["self"]}},
                    "templatePaths": ["/etc/pages"],
                    "templateVars": {"x": 1},
                }
            }
        ]
    ).config.JupyterHub
    assert hub.services == [{"name": "dask", "url": "http://dask", "api_token": "a-token-of-dask"}]
    assert hub.load_roles == [{"name": "user", "scopes": ["self"]}]
    assert (hub.template_paths, hub.template_vars) == (["/etc/pages"], {"x": 1})


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"custom": {"communities": {"ocean": {"membres": []}}}}, "custom.communities.ocean.membres"),
        ({"custom": "text"}, "custom"),
        ({"hub": {"config": {"jupyterhub": {}}}}, "hub.config.jupyterhub"),
        ({"hub": {"services": {"dask": "text"}}}, "hub.services.dask"),
        ({"hub": {"loadRoles": {"user": {"scopes": "self"}}}}, "hub.loadRoles.user.scopes"),
        ({"hub": {"loadRoles": {"user": {"scopes": [1]}}}}, "hub.loadRoles.user.scopes"),
        ({"singleuser": "text"}, "singleuser"),
    ],
)
def test_a_mistake_is_found_at_its_place(values: dict[str, Any], path: str) -> None:
    assert paths(from_values([values])) == [path]


def test_doubts_are_told_beside_mistakes() -> None:
    profiles = [{"display_name": "A", "default": True}, {"display_name": "B", "default": True, "slugg": "b"}]
    hub = from_values([PLAIN, {"custom": {"stranger": 1, "profiles": profiles}}])
    assert paths(hub) == ["custom.profiles[1].slugg"]
    assert "custom.stranger" in paths(hub, "warning")


def test_python_in_values_is_not_executed(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    from_values([{"hub": {"extraConfig": {"a": f"open({str(trace)!r}, 'w')"}}}])
    assert not trace.exists()


def test_a_configuration_file_is_executed_as_jupyterhub_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "more.py").write_text("c = get_config()\nc.JupyterHub.base_url = '/reef/'")
    text = """
from hub_extensions import configure
load_subconfig('more.py')
print('loading')
c.JupyterHub.authenticator_class = 'dummy'
configure(c, {'communities': {'ocean': {'members': [{'users': ['ada']}]}}})
"""
    hub = from_config_file(config_file(tmp_path, text))
    assert hub.config.JupyterHub.base_url == "/reef/"
    assert hub.settings is not None
    assert set(hub.settings.communities) == {"ocean"}
    assert hub.values is None
    assert hub.lines
    assert capsys.readouterr() == ("", "loading\n")


@pytest.mark.parametrize(
    ("text", "path", "what"),
    [
        ("from hub_extensions import configure\nconfigure(c, {'hubb': {}})", "hubb", "unknown key"),
        ("import sys\nsys.exit('no database')", "jupyterhub_config.py", "no database"),
        ("c.JupyterHub.port = 1\n1 / 0", "jupyterhub_config.py, line 2", "ZeroDivisionError"),
        ("c.JupyterHub.port = 1\nc = (", "jupyterhub_config.py, line 2", "SyntaxError"),
    ],
    ids=["a mistake in settings", "an exit", "an exception", "no Python"],
)
def test_a_configuration_file_that_fails_becomes_a_finding(tmp_path: Path, text: str, path: str, what: str) -> None:
    hub = from_config_file(config_file(tmp_path, text))
    (finding,) = hub.findings
    assert finding.severity == "error"
    assert finding.path.endswith(path)
    assert what in finding.what


def test_what_is_assigned_after_the_call_is_found(tmp_path: Path) -> None:
    text = """
from hub_extensions import configure
configure(c, {'grants': [{'to': 'user', 'scopes': ['list:services']}]})
c.JupyterHub.template_paths = ['/etc/pages']
"""
    hub = from_config_file(config_file(tmp_path, text))
    assert "c.JupyterHub.template_paths" in paths(hub, "warning")
