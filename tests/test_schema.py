"""The schema of the settings says of a file what the check of the settings says of it, as far as a schema can."""

import copy
import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from hub_extensions import settings
from hub_extensions.commands.values_files import read_values
from hub_extensions.schema import DRAFT, KEPT, helm_schema, settings_schema
from hub_extensions.z2jh.custom import NESTED
from hub_extensions.z2jh.values import CHART

from . import corpus

ROOT = Path(__file__).parents[1]
SETTINGS = settings_schema()
HELM = helm_schema()


def mistakes(schema, values):
    """Where the values do not follow the schema; dates are text, as they are in JSON."""
    plain = json.loads(json.dumps(values, default=str))
    checker = jsonschema.Draft7Validator(schema, format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER)
    return sorted({error.json_path for error in checker.iter_errors(plain)})


def everything():
    """Settings that have each section."""
    return {
        **yaml.safe_load((ROOT / "examples" / "laptop" / "hub.yaml").read_text()),
        "hub": {"title": "Ocean", "config": {"JupyterHub": {"spawner_class": "profile-kube"}}},
        "communities": {"ocean-lab": {"members": [{"idp": "https://idp.example.edu"}], "until": "2030-01-31"}},
        "sizes": {"standard": {"node_type": "n2-highmem-4", "choices": 3}, "small": {"mem_limit": "2G"}},
        "profiles": [
            {
                "display_name": "Ocean",
                "size": "small",
                "allowed_groups": ["ocean-lab", 2026],
                "profile_options": {
                    "size": {"sizes": ["small", "standard"], "choices": {"small": {"default": True}}},
                    "image": {"choices": {"r": {"display_name": "R", "kubespawner_override": {"image": "r:1"}}}},
                    "other": {"choices": None, "unlisted_choice": {"enabled": True}},
                },
            },
            {"display_name": "Old", "retired": "2020-01-31", "kubespawner_override": None},
        ],
        "quotas": [{"resource": "cpu", "limit": "1 CPU-hours", "window": "day", "warn_at": "70%"}],
        "usage": {"database": "sqlite:///usage.sqlite", "prices": {"currency": "EUR", "cpu_hour": 0.03}},
        "idle": {"timeout": "1 hour", "rules": [{"profiles": ["ocean"], "timeout": "never"}]},
        "branding": None,
        "group_directories": [{"groups": ["ocean-*"], "mount_path": "/srv/{group}", "sub_path": "{group}"}],
        "announcements": [{"text": "Down", "from": "2026-03-10", "until": "2026-03-17 10:00", "pages": ["home"]}],
        "grants": [{"to": "user", "scopes": ["list:services"]}],
        "environment_from_auth_state": {"WHO": "{auth_state[github_user][login]}"},
    }


def test_it_is_a_schema_in_a_draft_that_every_helm_reads():
    for schema in (SETTINGS, HELM):
        assert schema["$schema"] == DRAFT
        jsonschema.Draft7Validator.check_schema(schema)
        jsonschema.Draft202012Validator.check_schema(
            {**schema, "$schema": "https://json-schema.org/draft/2020-12/schema"}
        )
        newer = {
            "$defs",
            "prefixItems",
            "dependentSchemas",
            "dependentRequired",
            "unevaluatedProperties",
            "minContains",
        }
        assert not newer & keywords(schema)


def keywords(part):
    if isinstance(part, list):
        return set().union(*map(keywords, part), set())
    return set(part).union(*map(keywords, part.values())) if isinstance(part, dict) else set()


def test_the_kept_copy_is_as_it_would_be_made_now():
    anew = "Make it anew: hub-extensions schema --format json > hub_extensions/settings.schema.json"
    assert json.loads(KEPT.read_text()) == json.loads(json.dumps(SETTINGS)), anew


def test_everything_that_can_be_set_says_what_it_means():
    silent = [
        f"{name}.{key}"
        for name, definition in {"Settings": SETTINGS, **SETTINGS["definitions"]}.items()
        for key, value in definition["properties"].items()
        if not value.get("description", "").endswith(".")
    ]
    assert silent == []


def test_settings_with_each_section_follow_it_and_can_be_used():
    assert mistakes(SETTINGS, everything()) == []
    assert settings.load(everything()).sizes
    elsewhere = {"live_file"}  # holds what stands here
    assert set(everything()) | elsewhere == set(SETTINGS["properties"])


@pytest.mark.parametrize("file", ["laptop/hub.yaml", "z2jh/values.yaml"])
def test_the_examples_follow_it(file):
    values = yaml.safe_load((ROOT / "examples" / file).read_text())
    assert mistakes(HELM if "values" in file else SETTINGS, values) == []


def path_of(path):
    return [int(part) if part.isdigit() else part for part in path.split(".")]


def changed(values, path, value):
    values = copy.deepcopy(values)
    here = values
    *above, last = path_of(path)
    for key in above:
        here = here[key]
    here[last] = value
    return values


WRONG = {
    "comunities": {},
    "hub.titel": "x",
    "hub.title": 3,
    "hub.config.JupyterHub": [],
    "communities.Ocean Lab": {"title": "x"},
    "communities.ocean-lab.until": "soon",
    "communities.ocean-lab.members": {"users": ["ada"]},
    "communities.ocean-lab.members.0.user": ["ada"],
    "profiles": "ocean",
    "profiles.0.slugg": "ocean",
    "profiles.0.size": 3,
    "profiles.0.default": "perhaps",
    "profiles.0.profile_options.image.choices.r": {"kubespawner_override": {}},
    "profiles.0.profile_options.image.choices.r.kubespawner_overide": {},
    "profiles.0.profile_options.image.unlisted_choice": {"regex": ".*"},
    "profiles.0.kubespawner_override": "2G",
    "sizes.standard.choice": 3,
    "sizes.standard.choices": 0,
    "sizes.small": "2G",
    "quotas.0.resource": "disk",
    "quotas.0.warn_at": 101,
    "quotas.0.limits": "1 CPU-hours",
    "usage.report_formats": ["pdf"],
    "usage.fewest_people": -1,
    "usage.prices.cpu_hours": 1,
    "idle.rules.0.profile": ["ocean"],
    "branding": {"color": "#000000"},
    "announcements": [{"text": "Hi", "level": "loud"}],
    "grants.0.scopes": [],
    "group_directories": [{"mount_path": "/x", "sub_path": "x"}],
    "environment_from_auth_state": {"WHO": 1},
}


@pytest.mark.parametrize("path", WRONG)
def test_an_unknown_key_and_a_wrong_type_do_not_follow_it_and_cannot_be_used(path):
    wrong = changed(everything(), path, WRONG[path])
    assert mistakes(SETTINGS, wrong) != []
    with pytest.raises(settings.SettingsError):
        settings.load(wrong)


@pytest.mark.parametrize("wrap", [lambda chart: chart, lambda chart: {CHART: chart, "nfs": {"enabled": True}}])
def test_helm_values_follow_it_whatever_else_is_in_them(wrap):
    profiles = [{"display_name": "Ocean", "allowed_groups": ["ocean-lab"]}]
    chart = {
        "custom": {"other-tool": {"anything": [1]}, **{key: everything()[key] for key in ("communities", "usage")}},
        "singleuser": {"profileList": profiles, "memory": {"limit": "1G"}},
        "proxy": {"secretToken": "x"},
    }
    assert mistakes(HELM, wrap(chart)) == []
    assert mistakes(HELM, wrap({"custom": {NESTED: everything()}})) == []
    for wrong in ("custom.usage.databas", "custom.communities.ocean-lab.member", "singleuser.profileList.0.slugg"):
        assert mistakes(HELM, wrap(changed(chart, wrong, "x"))) != [], wrong
    assert mistakes(HELM, wrap({"custom": {NESTED: {"profile": []}}})) != []


@pytest.mark.parametrize("file", corpus.hubs())
def test_values_of_real_hubs_follow_it(file):
    assert mistakes(HELM, read_values(file)) == []
