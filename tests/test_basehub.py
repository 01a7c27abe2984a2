"""What each snippet of Python in 2i2c's basehub chart did, done from the same values by `configure(c)`."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jupyterhub.app import JupyterHub
from oauthenticator.github import GitHubOAuthenticator
from traitlets.config import Config

from hub_extensions import configure
from hub_extensions.authenticators.cilogon import CommunityCILogonAuthenticator
from hub_extensions.catalogue import Profile
from hub_extensions.mistakes import SettingsError
from hub_extensions.profiles import Person, admits
from hub_extensions.rendering import no_cluster, pod_manifest
from hub_extensions.wiring import wire
from hub_extensions.z2jh.basehub_values import KEYS, STAFF_TEAM
from hub_extensions.z2jh.custom import NESTED, OURS
from hub_extensions.z2jh.markup import said

from . import z2jh_loader

if TYPE_CHECKING:
    from pathlib import Path

PROFILE = {"display_name": "A"}
WORDS = [
    *("templateVars", "org", "url", "name", "custom_html", "announcements", "funded_by", "branding", "title"),
    *("extraPVCs", "extraEnv", "extraVolumeMounts", "mountPath", "enabled", "anonymizeUsername"),
    *("config", "JupyterHub", "services", "add_staff_user_ids_to_admin_users", "staff_github_ids"),
]
STAFF = {"staff_github_ids": ["ann", "bob"], "staff_google_ids": ["ann@staff.example"]}
IDPS = {"https://idp.example.edu": {"username_derivation": {"username_claim": "email"}, "allow_all": True}}


@pytest.fixture
def start(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Any:
    """Configure a hub with these values."""
    caplog.set_level("INFO")

    def load(custom: dict[str, Any], hub: dict[str, Any] | None = None, singleuser: Any = None, **how: Any) -> Config:
        values = {"custom": custom, "hub": hub or {}, "singleuser": singleuser or {}}
        return z2jh_loader.load(values, tmp_path, **how)

    return load


def mistakes(start: Any, *values: Any) -> list[str]:
    with pytest.raises(SystemExit) as ended:
        start(*values)
    first, *found = str(ended.value).splitlines()
    assert re.fullmatch(r"the chart's values: (one mistake|\d+ mistakes)", first)
    return [line.strip() for line in found]


def login(name: str, **sections: Any) -> dict[str, Any]:
    return {"config": {"JupyterHub": {"authenticator_class": name}, **sections}}


# 01: the theme


def test_the_login_page_names_whom_the_values_name(start: Any) -> None:
    shown = {
        "org": {"name": "Reef", "url": "https://reef.example", "logo_url": "https://reef.example/logo.svg"},
        "designed_by": {"name": "2i2c", "url": "https://2i2c.org"},
        "operated_by": {"name": "Ops", "url": "https://ops.example"},
        "funded_by": {"name": "Fund", "url": "https://fund.example"},
        "announcements": ["Closed <b>today</b>: <a href='https://reef.example/why'>why</a>"],
    }
    c = start({"homepage": {"templateVars": shown}})
    page = c.JupyterHub.template_vars["hub_extensions"](None)
    assert (page.title, page.brand.logo) == ("Reef", "https://reef.example/logo.svg")
    assert (page.brand.organisation.name, page.brand.funders[0].name) == ("Ops", "Fund")
    assert [link.text for link in page.brand.links] == ["Reef", "Designed by 2i2c"]
    assert [told.text for told in page.announcements] == ["Closed today: why (https://reef.example/why)"]


def test_what_is_written_in_our_words_wins_over_the_page_that_was(start: Any) -> None:
    shown = {"org": {"name": "Reef", "url": "https://reef.example", "logo_url": "not an address"}}
    c = start(
        {
            "homepage": {"templateVars": shown},
            "hub": {"title": "The Reef"},
            "hubExtensions": {"branding": {"logo": "/logo.svg"}},
        }
    )
    page = c.JupyterHub.template_vars["hub_extensions"](None)
    assert (page.title, page.brand.logo, page.brand.links[0].text) == ("The Reef", "/logo.svg", "Reef")


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        ({"redirect_to": "https://a.example/"}, "redirect_to: takes nobody away from the login page"),
        ({"default_url": "/rstudio"}, "default_url: has no effect"),
        ({"interface_selector": True}, "interface_selector: has no effect"),
        ({"learn_more": "<p>Much text"}, "learn_more: is not shown"),
        ({"announcements": ["<b>A</b>"]}, "announcements[0]: is HTML"),
        ({"funded_by": {"custom_html": "<a href='https://a.example'>A</a>, B"}}, "of which the pages show these: A."),
        ({"orgg": {}}, "orgg: unknown key; nothing here reads it. Did you mean 'org'?"),
    ],
    ids=str,
)
def test_what_the_pages_do_not_show_is_told(
    start: Any, caplog: pytest.LogCaptureFixture, shown: dict[str, Any], told: str
) -> None:
    start({"homepage": {"templateVars": shown}})
    assert "custom.homepage.templateVars." in caplog.text
    assert told in caplog.text


def test_pages_of_an_own_repository_are_told_and_those_of_2i2c_are_not(
    start: Any, caplog: pytest.LogCaptureFixture
) -> None:
    start({"homepage": {"gitRepoUrl": "https://github.com/2i2c-org/default-hub-homepage", "gitRepoBranch": "master"}})
    assert "gitRepo" not in caplog.text
    start({"homepage": {"gitRepoUrl": "https://github.com/reef/pages"}})
    assert "custom.homepage.gitRepoUrl: names pages of your own" in caplog.text


@pytest.mark.parametrize(
    ("fragment", "text", "links"),
    [
        ("plain & simple", "plain & simple", ()),
        ("a <a href='https://x.example'>b c</a> d", "a b c (https://x.example) d", (("b c", "https://x.example"),)),
        ("<script>alert(1)</script>x", "x", ()),
        ("<p>a</p><p>b<br>c", "a b c", ()),
        ("&lt;b&gt;", "<b>", ()),
        ("<a>no address</a>", "no address", ()),
        ("<a href='https://x.example'>https://x.example</a>", "https://x.example", (("https://x.example",) * 2,)),
    ],
)
def test_html_is_read_for_its_text_and_links(fragment: str, text: str, links: Any) -> None:
    assert (said(fragment).text, said(fragment).links) == (text, links)


# 02: admins, and the file server


def test_admins_have_their_variables_mounts_and_account(start: Any) -> None:
    mount = {"name": "home", "mountPath": "/home/jovyan/shared", "subPath": "_shared"}
    c = start(
        {
            "singleuserAdmin": {
                "extraEnv": {"A": "1"},
                "extraVolumeMounts": {"1": mount, "2": None},
                "serviceAccountName": "boss",
            }
        }
    )
    extras = c.ProfileSpawner.admin_extras
    assert extras["extraEnv"] == {"A": "1"}
    assert extras["serviceAccountName"] == "boss"
    assert [each["mountPath"] for each in extras["extraVolumeMounts"]] == ["/home/jovyan/shared"]


def test_null_switches_admin_mounts_off(start: Any) -> None:
    assert "ProfileSpawner.admin_extras" not in traits(start({"singleuserAdmin": {"extraVolumeMounts": None}}))


def test_no_server_reaches_the_file_server_and_the_image_is_the_charts(start: Any) -> None:
    tools = {"networkTools": {"image": {"name": "tools", "tag": "1"}}}
    c = start({"2i2c": STAFF}, None, tools)
    assert c.ProfileKubeSpawner.blocked_ports == [111, 2049, 20048]
    assert c.ProfileKubeSpawner.blocked_ports_image == "tools:1"


def test_ports_that_an_operator_blocks_or_opens_stay_so(start: Any) -> None:
    c = start({"2i2c": STAFF}, {"config": {"ProfileKubeSpawner": {"blocked_ports": []}}})
    assert c.ProfileKubeSpawner.blocked_ports == []


def test_a_chart_that_is_not_basehub_gets_nothing_of_2i2c(start: Any) -> None:
    found = traits(
        start({"communities": {}}, login("github", GitHubOAuthenticator={"allowed_organizations": ["reef"]}))
    )
    assert found["GitHubOAuthenticator.allowed_organizations"] == ["reef"]
    assert not {"ProfileKubeSpawner.blocked_ports", "Authenticator.admin_users"} & set(found)
    assert "CommunityAuthenticator.service_users" not in found


# 03, 08, 09: staff, and teams


@pytest.mark.parametrize(("there", "expected"), [(["eve"], {"eve", "ann", "bob"}), (None, {"ann", "bob"})])
def test_staff_are_admins_beside_those_of_the_hub(start: Any, there: Any, expected: set[str]) -> None:
    staff = {**STAFF, "add_staff_user_ids_to_admin_users": True, "add_staff_user_ids_of_type": "github"}
    section = {"Authenticator": {"admin_users": there}} if there else {}
    c = start({"2i2c": staff}, login("github", **section))
    assert set(c.Authenticator.admin_users) == expected


def test_staff_are_no_admins_where_the_hub_does_not_want_them(start: Any) -> None:
    assert "Authenticator.admin_users" not in traits(start({"2i2c": STAFF}, login("github")))


def test_other_lists_of_staff_can_be_named(start: Any) -> None:
    staff = {"staff_orcid_ids": ["0000"], "add_staff_user_ids_to_admin_users": True}
    c = start({"2i2c": {**staff, "add_staff_user_ids_of_type": "orcid"}})
    assert list(c.Authenticator.admin_users) == ["0000"]


@pytest.mark.parametrize(
    ("there", "expected"),
    [(["reef"], ["reef", STAFF_TEAM]), ("reef", ["reef", STAFF_TEAM]), ([], [STAFF_TEAM]), (None, {STAFF_TEAM})],
    ids=str,
)
def test_the_team_of_staff_may_log_in_with_github(start: Any, there: Any, expected: list[str]) -> None:
    section = {} if there is None else {"GitHubOAuthenticator": {"allowed_organizations": there}}
    c = start({"2i2c": STAFF}, login("oauthenticator.GitHubOAuthenticator", **section))
    assert c.GitHubOAuthenticator.allowed_organizations == expected


def test_text_where_a_list_of_organisations_is_meant_is_told(start: Any, caplog: pytest.LogCaptureFixture) -> None:
    start({"2i2c": STAFF}, login("github", GitHubOAuthenticator={"allowed_organizations": "reef"}))
    assert "hub.config.GitHubOAuthenticator.allowed_organizations: is text and not a list" in caplog.text


def test_there_can_be_no_team_or_another(start: Any) -> None:
    for team, expected in (("", None), ("reef:staff", {"reef:staff"})):
        c = start({"2i2c": {**STAFF, "staff_github_team": team}}, login("github"))
        assert traits(c).get("GitHubOAuthenticator.allowed_organizations") == expected


def test_teams_that_open_profiles_become_groups(start: Any) -> None:
    choices = {"a": {"display_name": "A", "allowed_groups": ["Reef:gpu"]}}
    profiles = [
        {"display_name": "A", "allowed_groups": ["deep-sea:gpu", "plain"]},
        {"display_name": "B", "profile_options": {"size": {"display_name": "Size", "choices": choices}}},
    ]
    section = {"GitHubOAuthenticator": {"allowed_organizations": ["reef:all"]}}
    c = start({}, login("github", **section), {"profileList": profiles})
    policy = JupyterHub(config=c).authenticator_class(config=c).policy
    assert policy.group_organizations == {"reef", "Reef", "deep-sea"}


# 04: disks of people


def test_people_have_the_volumes_of_the_values(start: Any) -> None:
    c = start({"singleuser": {"extraPVCs": [{"name": "db-{username}", "class": "standard", "capacity": "1G"}]}})
    [volume] = c.ProfileKubeSpawner.user_volumes
    assert volume == {"name": "db-{username}", "storage_class": "standard", "capacity": "1G"}


# 05, 10: the health check


def test_the_health_check_sees_every_profile_and_is_refreshed_never(start: Any) -> None:
    c = start({"2i2c": STAFF, "hub": {"service_users": ["robot"]}}, login("cilogon", CILogonOAuthenticator=IDPS_))
    assert c.CommunityAuthenticator.service_users == {"robot", "deployment-service-check"}
    assert set(c.ProfileSpawner.service_users) == {"robot", "deployment-service-check"}
    closed = Profile(display_name="A", slug="a", allowed_groups=["gpu"])
    today = date(2026, 1, 1)
    assert admits(closed, Person(frozenset(), today, is_program=True))
    assert not admits(closed, Person(frozenset(), today))


IDPS_ = {"allowed_idps": IDPS}

# 06: names that tell nothing


def test_people_get_names_that_do_not_tell_who_they_are(
    start: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("USERNAME_DERIVATION_PEPPER", "a" * 32)
    c = start({"auth": {"anonymizeUsername": True}}, login("cilogon", CILogonOAuthenticator=IDPS_))
    assert CommunityCILogonAuthenticator(config=c).pseudonymous_names
    assert "custom.auth.anonymizeUsername: makes other names than basehub's snippet did" in caplog.text


def test_a_login_without_provider_has_no_such_names(start: Any) -> None:
    [line] = mistakes(start, {"auth": {"anonymizeUsername": True}}, login("null"))
    assert line.startswith("custom.auth.anonymizeUsername: has no effect")


# daskhub


DASK = {"services": {"dask-gateway": {"display": False}}, "loadRoles": {"user": {"scopes": ["access:services"]}}}


def test_servers_find_the_dask_gateway(start: Any) -> None:
    c = start({"daskhubSetup": {"enabled": True}}, DASK, {"extraEnv": {"PANGEO_SCRATCH": "gs://a", "A": "b"}})
    variables = c.ProfileSpawner.environment_defaults
    assert c.KubeSpawner.environment == {"PANGEO_SCRATCH": "gs://a", "A": "b"}
    assert variables["DASK_GATEWAY__ADDRESS"] == "http://proxy-public/services/dask-gateway"
    assert variables["DASK_GATEWAY__CLUSTER__OPTIONS__ENVIRONMENT"] == '{{"PANGEO_SCRATCH": "$(PANGEO_SCRATCH)"}}'
    assert c.KubeSpawner.extra_labels["hub.jupyter.org/network-access-proxy-http"] == "true"
    assert c.JupyterHub.services[0]["url"] == "http://traefik-hub-dask-gateway.prod"
    assert c.Spawner.default_url == "/lab"


def test_what_is_set_of_dask_stays(start: Any) -> None:
    services = {"dask-gateway": {"url": "http://mine"}}
    own = {"defaultUrl": "/rstudio", "extraEnv": {"DASK_GATEWAY__ADDRESS": "http://mine"}}
    process = {**z2jh_loader.PROCESS, "PROXY_HTTP_SERVICE_HOST": "10.0.0.1", "PROXY_HTTP_SERVICE_PORT": "80"}
    c = start({"daskhubSetup": {"enabled": True}}, {**DASK, "services": services}, own, process=process)
    assert (c.Spawner.default_url, c.JupyterHub.services[0]["url"]) == ("/rstudio", "http://mine")
    assert c.KubeSpawner.environment["DASK_GATEWAY__ADDRESS"] == "http://mine"  # which defaults do not hide


@pytest.mark.parametrize("extra", [{"A": "mine"}, None], ids=["of the chart", "of another class"])
async def test_a_pod_has_variables_of_dask_beside_those_of_its_operator(start: Any, extra: Any) -> None:
    own = {} if extra else {"config": {"Spawner": {"environment": {"A": "mine"}}}}
    c = start({"daskhubSetup": {"enabled": True}}, {**DASK, **own}, {"extraEnv": extra})
    with no_cluster():
        pod = await pod_manifest(c, "ada", [], {}, "")
    variables = {each["name"]: each.get("value") for each in pod["spec"]["containers"][0]["env"]}
    assert variables["A"] == "mine"
    assert variables["DASK_GATEWAY__AUTH__TYPE"] == "jupyterhub"
    assert variables["DASK_GATEWAY__CLUSTER__OPTIONS__IMAGE"] == "{JUPYTER_IMAGE_SPEC}"


@pytest.mark.parametrize("section", ["KubeSpawner", "Spawner"])
def test_a_spawner_of_an_operator_has_them_where_its_own_are(start: Any, section: str) -> None:
    spawner = "import kubespawner\nc.JupyterHub.spawner_class = type('Own', (kubespawner.KubeSpawner,), {})"
    own = {**DASK, "config": {section: {"environment": {"A": "mine"}}}}
    c = start({"daskhubSetup": {"enabled": True}}, own, {"extraEnv": None}, config_d={"own.py": spawner})
    assert c[section].environment["A"] == "mine"
    assert c[section].environment["DASK_GATEWAY__AUTH__TYPE"] == "jupyterhub"


def test_behind_https_the_gateway_is_asked_inside_the_cluster(start: Any) -> None:
    process = {**z2jh_loader.PROCESS, "PROXY_HTTP_SERVICE_HOST": "10.0.0.1", "PROXY_HTTP_SERVICE_PORT": "80"}
    c = start({"daskhubSetup": {"enabled": True}}, DASK, process=process)
    assert c.ProfileSpawner.environment_defaults["DASK_GATEWAY__ADDRESS"] == "http://10.0.0.1:80/services/dask-gateway/"


@pytest.mark.parametrize(
    ("hub", "process", "told"),
    [
        ({"services": {}}, z2jh_loader.PROCESS, "the hub has no service dask-gateway"),
        ({"services": {"dask-gateway": {}}}, z2jh_loader.PROCESS, "no role has the scope access:services!service="),
        (DASK, {}, "says neither HELM_RELEASE_NAME nor POD_NAMESPACE"),
    ],
    ids=["no service", "no scope", "no chart"],
)
def test_a_gateway_that_nobody_can_use_is_told(
    start: Any, caplog: pytest.LogCaptureFixture, hub: Any, process: Any, told: str
) -> None:
    start({"daskhubSetup": {"enabled": True}}, hub, process=process)
    assert f"custom.daskhubSetup.enabled: {told}" in caplog.text or told in caplog.text


# Usage quotas

QUOTA_SERVICE = {
    "command": ["python", "-m", "jupyterhub_usage_quotas.services.usage_viewer"],
    "url": "http://hub:9000",
    "display": True,
}
POLICY = {"policy": [{"resource": "memory", "limit": "5000G", "window": 30, "scope": {"group": ["mem-sm"]}}]}


def test_quotas_and_usage_pages_take_the_place_of_the_package_at_its_address(start: Any) -> None:
    hub = {
        "services": {"usage-quota": QUOTA_SERVICE},
        "config": {"UsageQuotaManager": POLICY},
        "loadRoles": {"usage-quota-service": {"services": ["usage-quota"], "scopes": ["read:users"]}},
    }
    c = start({}, hub)
    services = {service["name"]: service for service in c.JupyterHub.services}
    assert services["usage"]["url"] == "http://hub:9000"
    assert not {"command", "url"} & set(services["usage-quota"])
    assert [quota["groups"] for quota in c.ProfileSpawner.quotas] == [["mem-sm"]]
    assert c.UsageLedger.database == "sqlite:///usage.sqlite"
    assert {role["name"] for role in c.JupyterHub.load_roles} >= {"usage-quota-service"}


def test_an_own_ledger_and_own_quotas_stay(start: Any) -> None:
    own = {"usage": {"database": "sqlite:///own.sqlite"}, "quotas": [QUOTA]}
    c = start(own, {"services": {"usage-quota": QUOTA_SERVICE}, "config": {"UsageQuotaManager": POLICY}})
    assert c.UsageLedger.database == "sqlite:///own.sqlite"
    assert [quota["groups"] for quota in c.ProfileSpawner.quotas] == [["ocean"]]


QUOTA = {"groups": ["ocean"], "resource": "memory", "limit": "500 GiB-hours", "window": "30 days"}


@pytest.mark.parametrize(
    "section", [{"UsageQuotaManager": {"failover_open": False}}, {"UsageViewer": {"footer_note": "A"}}]
)
def test_what_of_the_package_is_not_honoured_is_told(
    start: Any, caplog: pytest.LogCaptureFixture, section: dict[str, Any]
) -> None:
    start({}, {"services": {"usage-quota": QUOTA_SERVICE}, "config": section})
    [(name, traits)] = section.items()
    assert f"hub.config.{name}.{next(iter(traits))}: is not" in caplog.text


# Building images

BUILDING = {"choices": {"a": {"display_name": "A"}}, "dynamic_image_building": {"enabled": True}}
BUILDERS = {"services": {"binder": {"url": "http://binder"}}}


@pytest.mark.parametrize(
    ("custom", "scopes", "told"),
    [
        ({}, ["self"], True),
        ({}, ["self", "access:services!service=binder"], False),
        ({"grants": [{"to": "user", "scopes": ["access:services!service=binder"]}]}, ["self"], False),
    ],
    ids=["nobody", "a role", "a grant"],
)
def test_building_that_nobody_has_the_scope_for_is_told(
    start: Any, caplog: pytest.LogCaptureFixture, custom: Any, scopes: list[str], told: bool
) -> None:
    profiles = [{"display_name": "A", "profile_options": {"image": {"display_name": "Image", **BUILDING}}}]
    start(custom, {**BUILDERS, "loadRoles": {"user": {"scopes": scopes}}}, {"profileList": profiles})
    assert ("singleuser.profileList: offers to build images, but no role has the scope" in caplog.text) is told


# BinderHub


def test_a_hub_of_a_binderhub_starts_what_that_names(start: Any) -> None:
    c = start({"binderhubUI": {"enabled": True}}, login("null"), {"startTimeout": 600})
    hub = JupyterHub(config=c)
    assert hub.spawner_class.__name__ == "BinderKubeSpawner"
    assert c.BinderKubeSpawner.start_timeout == 900


def test_profiles_and_a_binderhub_exclude_each_other(start: Any) -> None:
    [line] = mistakes(
        start, {"binderhubUI": {"enabled": True}}, login("null"), {"profileList": [{"display_name": "A"}]}
    )
    assert line.startswith("custom.binderhubUI.enabled: starts what BinderHub names")


# Whose classes


class OwnAuthenticator(GitHubOAuthenticator):
    """An operator's own."""


def test_classes_of_an_operator_stay(start: Any) -> None:
    own = "c.JupyterHub.authenticator_class = Own\nfrom hub_extensions import configure\nconfigure(c)"
    program = f"from {__name__} import OwnAuthenticator as Own\n{own}"
    c = start({}, {"config": {"JupyterHub": {"spawner_class": "simple"}}}, extra_config={"1": program})
    assert c.JupyterHub.authenticator_class.__name__ == "OwnAuthenticator"
    assert c.JupyterHub.spawner_class == "simple"


def test_the_stock_class_stays_where_our_words_name_it(start: Any) -> None:
    c = start({"hub": {"config": {"JupyterHub": {"authenticator_class": "github"}}}}, login("github"))
    assert c.JupyterHub.authenticator_class == "github"


# What is wrong


def test_mistakes_are_named_by_the_path_in_the_values(start: Any) -> None:
    found = mistakes(
        start,
        {
            "2i2c": {"staff_github_ids": "ann"},
            "branding": {"logo": "no address"},
            "hubExtensions": {"brandig": {}, "usage": {"time_zone": "Mars"}},
            "singleuser": {"extraPVCs": [{"name": "db", "capacity": "1G"}]},
            "singleuserAdmin": {"extraVolumeMount": {}},
        },
        {"config": {"UsageLedger": {"database": "sqlite:///a"}}},
        {"profileList": [{"display_name": "A"}, {"display_nam": "B"}]},
    )
    places = [line.partition(": ")[0] for line in found]
    assert set(places) == {
        "custom.2i2c.staff_github_ids",
        "custom.branding.logo",
        "custom.hubExtensions.brandig",
        "custom.hubExtensions.usage.time_zone",
        "custom.singleuser.extraPVCs[0].name",
        "custom.singleuserAdmin.extraVolumeMount",
    }
    # Profiles are looked at once the settings are right.
    lines = mistakes(start, {}, {}, {"profileList": [{"display_name": "A"}, {"display_nam": "B"}]})
    assert {line.partition(": ")[0] for line in lines} == {
        "singleuser.profileList[1].display_nam",
        "singleuser.profileList[1].display_name",
    }


@pytest.mark.parametrize("custom", [{"profiles": [PROFILE]}, {"hubExtensions": {"profiles": [PROFILE]}}], ids=str)
def test_two_lists_of_profiles_are_a_mistake(start: Any, custom: dict[str, Any]) -> None:
    [line] = mistakes(start, custom, {}, {"profileList": [PROFILE]})
    assert line.startswith(f"custom.{'profiles' if 'profiles' in custom else 'hubExtensions.profiles'}: hides all of")


@pytest.mark.parametrize(
    ("shown", "place"),
    [
        ({"org": {"name": "A", "logo_url": "no address"}}, "org.logo_url"),
        ({"org": {"name": "A", "url": "no address"}}, "org.url"),
        ({"funded_by": {"name": "A", "url": "no address"}}, "funded_by.url"),
        ({"org": []}, "org"),
    ],
    ids=str,
)
def test_mistakes_of_what_becomes_a_brand_are_named_where_they_were_written(
    start: Any, shown: dict[str, Any], place: str
) -> None:
    [line] = mistakes(start, {"homepage": {"templateVars": shown}})
    assert line.startswith(f"custom.homepage.templateVars.{place}: ")


def test_keys_of_other_tools_are_doubted_and_near_ones_are_guessed(
    start: Any, caplog: pytest.LogCaptureFixture
) -> None:
    start({"comunities": {}, "theirTool": {"a": 1}})
    assert "custom.comunities: is neither a setting of hub-extensions nor of basehub." in caplog.text
    assert "Did you mean 'communities'?" in caplog.text
    assert "custom.theirTool: is neither" in caplog.text


@pytest.mark.parametrize(
    ("custom", "line"),
    [
        (["a"], "custom: expected a mapping, found ['a']."),
        ({"hubExtensions": 3}, "custom.hubExtensions: expected a mapping, found 3."),
        ({"hub": ["a"]}, "custom.hub: expected a mapping, found ['a']."),
        (
            {"hub": {"title": "A"}, "hubExtensions": {"hub": {"title": "B"}}},
            "custom.hub: stands in custom.hubExtensions.hub too. Keep one of them.",
        ),
        ({"2i2c": []}, "custom.2i2c: expected a mapping, found []."),
    ],
)
def test_what_is_no_mapping_ends_the_start(start: Any, custom: Any, line: str) -> None:
    assert mistakes(start, custom) == [line]


@pytest.mark.parametrize("custom", [None, {}, {"2i2c": None, "homepage": None, "hub": None, "hubExtensions": None}])
def test_nothing_is_nothing(start: Any, custom: Any) -> None:
    c = start(custom)
    assert c.JupyterHub.spawner_class == "profile-kube"


def test_outside_of_the_chart_one_sentence_says_what_to_do() -> None:
    with pytest.raises(SystemExit, match=r'there is no|configure\(c, "hub\.yaml"\)'):
        configure(Config())


# What was changed


def test_what_was_changed_is_told_in_a_few_lines(start: Any, caplog: pytest.LogCaptureFixture) -> None:
    staff = {**STAFF, "add_staff_user_ids_to_admin_users": True, "add_staff_user_ids_of_type": "github"}
    start({"2i2c": staff}, login("github", Authenticator={"admin_users": ["eve"]}))
    lines = [record.getMessage() for record in caplog.records if record.getMessage().startswith("hub-extensions:")]
    assert len(lines) <= 6
    told = "\n".join(lines)
    assert "c.JupyterHub.authenticator_class is community-github in the place of github" in told
    assert "c.Authenticator.admin_users: ann, bob" in told


def traits(c: Config) -> dict[str, Any]:
    return {f"{section}.{name}": value for section, found in c.items() for name, value in dict(found).items()}


# Anything at all

scalars = st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "a", "https://a.example", "{username}"])
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=3)
)
customs = st.dictionaries(st.sampled_from([*KEYS, *OURS, NESTED, "other"]), anything, max_size=4)


@given(custom=customs | anything, config=anything, services=anything, profiles=anything)
@settings(max_examples=300, deadline=None)
def test_whatever_stands_in_the_values_is_taken_or_is_a_mistake(
    custom: Any, config: Any, services: Any, profiles: Any
) -> None:
    values = {
        "custom": custom,
        "hub": {"config": config, "services": services},
        "singleuser": {"profileList": profiles, "extraEnv": config},
    }
    c = Config({"JupyterHub": {"spawner_class": "kubespawner.KubeSpawner", "authenticator_class": "github"}})
    mistakes: Any = ()
    try:
        wire(c, values, process=z2jh_loader.PROCESS)
    except SettingsError as error:
        mistakes = error.mistakes
    stock = c.JupyterHub.spawner_class == "kubespawner.KubeSpawner"
    assert stock == bool(mistakes)  # with a mistake nothing is set
