"""What `configure` changed is known: to the log, to a check, and when the hub starts."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
from traitlets.config import Config

from hub_extensions import configure
from hub_extensions.changes import compare, effective, entries_of, lines, overwritten

from .hub import running_hub

if TYPE_CHECKING:
    from collections.abc import Callable

SETTINGS: dict[str, Any] = {
    "hub": {
        "title": "Station",
        "config": {
            "JupyterHub": {"authenticator_class": "community-dummy"},
            "GenericOAuthenticator": {"client_secret": "do not show", "client_id": "station"},
        },
    },
    "communities": {"ocean": {"members": [{"users": ["ada"]}]}},
    "grants": [{"to": "user", "scopes": ["list:users"]}],
}


PROFILES = [{"display_name": "A"}]


def replace_pages(c: Config) -> None:
    c.JupyterHub.template_vars = {"own": 1}


def add_to_pages(c: Config) -> None:
    c.JupyterHub.template_vars.update({"own": 1})


@pytest.mark.parametrize("authenticator", ["community-dummy", "dummy"])
@pytest.mark.parametrize(("later", "told"), [(replace_pages, True), (add_to_pages, False)])
async def test_the_hub_says_once_what_was_assigned_after_the_call(
    caplog: pytest.LogCaptureFixture, later: Callable[[Config], None], told: bool, authenticator: str
) -> None:
    caplog.set_level(logging.WARNING)
    c = Config()
    configure(c, {**SETTINGS, "hub": {"config": {"JupyterHub": {"authenticator_class": authenticator}}}})
    c.JupyterHub.spawner_class = "profile-local"
    c.Authenticator.allow_all = True
    later(c)
    async with running_hub(c) as hub:
        for name in ("ada", "grace"):
            await (await hub.login(name)).get("home")
    found = [record.getMessage() for record in caplog.records if "c.JupyterHub.template_vars" in record.getMessage()]
    assert len(found) == told
    assert all("lost hub_extensions. Call configure after it" in line for line in found)


def test_a_class_that_was_assigned_later_is_named() -> None:
    c = Config()
    configure(c, SETTINGS)
    c.JupyterHub.authenticator_class = "dummy"
    [line] = overwritten(c)
    assert line.startswith("c.JupyterHub.authenticator_class was assigned after hub_extensions.configure(c)")
    assert "It is 'dummy' now." in line


def test_a_list_of_profiles_that_the_settings_hide_is_told() -> None:
    c = Config()
    configure(c, {"hub": {"config": {"JupyterHub": {"spawner_class": "profile-kube"}}}, "profiles": PROFILES})
    assert overwritten(c) == []
    c.KubeSpawner.profile_list = PROFILES
    [line] = overwritten(c)
    assert line.startswith("c.KubeSpawner.profile_list has no effect")


def test_what_is_in_effect_is_plain_and_tells_no_secret() -> None:
    c = Config()
    configure(c, {**SETTINGS, "usage": {"database": "postgresql://hub:do-not-show@db/usage"}})
    found = effective(c)
    assert found["settings"]["hub"]["title"] == "Station"
    assert found["settings"]["communities"]["ocean"]["members"] == [{"users": ["ada"]}]
    assert found["traits"]["JupyterHub.authenticator_class"] == "community-dummy"
    assert found["traits"]["GenericOAuthenticator.client_id"] == "station"
    assert found["traits"]["GenericOAuthenticator.client_secret"] == "(not shown)"
    assert found["traits"]["UsageLedger.database"] == "postgresql://hub:***@db/usage"
    text = repr(found)
    assert "do not show" not in text
    assert "do-not-show" not in text


def test_before_the_call_nothing_is_in_effect() -> None:
    c = Config()
    assert effective(c) == {"settings": {}, "traits": {}}
    assert overwritten(c) == []
    assert not c  # looking changes nothing


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (["a", "b"], {"a", "b"}),
        ({"a": 1}, {"a"}),
        ({1, 2}, {"1", "2"}),
        ([{"name": "a", "url": "x"}], {"a"}),
        ([{"name": "user", "scopes": ["self", "shares"]}], {"user: self", "user: shares"}),
        ([{"display_name": "A"}], None),
        ("text", None),
        (7, None),
        ([], set()),
    ],
)
def test_entries_are_found_again_by_their_names(value: Any, names: set[str] | None) -> None:
    assert entries_of(value) == names


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ([], ["/a"], "Added: c.A.b: /a"),
        (None, ["/a"], "Set: c.A.b"),
        (None, "secret", "Set: c.A.b"),
        ("x", "y", "Set: c.A.b"),
        ([{"name": "a", "url": 1}], [{"name": "a", "url": 2}], "Changed: c.A.b: a"),
        (["/a"], ["/a"], None),
        (list("abc"), list("abcdefgh"), "Added: c.A.b: d, e, f, g and 1 more"),
    ],
)
def test_a_line_names_what_was_changed_and_shows_no_value(before: Any, after: Any, line: str | None) -> None:
    found = compare({"A": {"b": before} if before is not None else {}}, {"A": {"b": after}})
    assert list(lines(found)) == ([line] if line else [])
