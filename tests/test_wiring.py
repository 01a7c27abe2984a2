import copy
import subprocess
import sys
from pathlib import Path

import pytest
from jupyterhub.app import JupyterHub
from traitlets.config import Config

from hub_extensions import configure
from hub_extensions.additions import put
from hub_extensions.share import TEMPLATES
from hub_extensions.spawners.local import ProfileLocalSpawner
from hub_extensions.usage_service import UsageSettings

SETTINGS = {
    "hub": {"title": "Field Station", "config": {"JupyterHub": {"spawner_class": "profile-local"}}},
    "communities": {"ocean-lab": {"members": [{"groups": ["ocean"]}], "until": "2030-01-31"}},
    "profiles": [{"display_name": "Small"}],
    "usage": {"database": "sqlite:///usage.sqlite"},
    "branding": {"contact": "help@example.org"},
}


def plain(c):
    """What is configured, without the port that is chosen anew and the object that draws the pages."""
    found = copy.deepcopy({section: dict(traits) for section, traits in c.items()})
    found["JupyterHub"]["services"] = [{**s, "url": ""} for s in found["JupyterHub"]["services"]]
    found["JupyterHub"]["template_vars"] = sorted(found["JupyterHub"]["template_vars"])
    return found


def test_settings_come_to_traits():
    c = Config()
    configure(c, SETTINGS)
    assert c.JupyterHub.spawner_class == "profile-local"
    assert c.ProfileSpawner.profile_list == [{"display_name": "Small"}]
    assert c.ProfileSpawner.communities == {"ocean-lab": "ocean-lab"}
    assert c.CommunityAuthenticator.contact == "help@example.org"
    assert c.UsageLedger.database == "sqlite:///usage.sqlite"
    assert [service["name"] for service in c.JupyterHub.services] == ["usage"]


def test_folders_of_groups_and_variables_come_to_traits_which_the_spawners_take():
    c = Config()
    configure(
        c,
        {
            "group_directories": [{"groups": ["project:*"], "mount_path": "/data/{group}", "sub_path": "{group}"}],
            "environment_from_auth_state": {"GITHUB_USER": "{auth_state[github_user][login]}"},
        },
    )
    spawner = ProfileLocalSpawner(config=c)
    assert spawner.environment_from_auth_state == {"GITHUB_USER": "{auth_state[github_user][login]}"}
    [directory] = c.ProfileKubeSpawner.group_directories
    assert (directory["mount_path"], directory["volume"], directory["read_only"]) == ("/data/{group}", "home", False)


def test_a_time_zone_that_an_operator_has_set_stays_unless_the_settings_have_one():
    c = Config({"ProfileSpawner": {"time_zone": "Europe/Berlin"}})
    configure(c, {})
    assert c.ProfileSpawner.time_zone == "Europe/Berlin"
    configure(c, {"usage": {"time_zone": "Asia/Tokyo"}})
    assert c.ProfileSpawner.time_zone == c.CommunityAuthenticator.time_zone == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("spawner", "doubted"),
    [
        ("profile-local", False),
        (ProfileLocalSpawner, False),
        ("simple", True),
        (None, True),
    ],
)
def test_profiles_that_the_hubs_spawner_does_not_offer_are_doubted(spawner, doubted, caplog):
    c = Config({"JupyterHub": {"spawner_class": spawner}} if spawner else {})
    configure(c, {"profiles": [{"display_name": "Small"}]})
    assert ("profiles: do nothing with" in caplog.text) is doubted


def test_configuring_twice_is_configuring_once():
    once, twice = Config(), Config()
    configure(once, SETTINGS)
    configure(twice, SETTINGS)
    configure(twice, SETTINGS)
    assert plain(once) == plain(twice)


def test_configuring_twice_keeps_the_address_of_the_usage_service():
    c = Config()
    configure(c, SETTINGS)
    [first] = c.JupyterHub.services
    configure(c, SETTINGS)
    assert [service["url"] for service in c.JupyterHub.services] == [first["url"]]


def test_the_address_of_the_usage_service_that_the_settings_name_wins():
    c = Config()
    configure(c, SETTINGS)
    configure(c, {**SETTINGS, "usage": {**SETTINGS["usage"], "url": "http://hub:10101"}})
    assert [service["url"] for service in c.JupyterHub.services] == ["http://hub:10101"]


@pytest.mark.parametrize("lazy", [True, False], ids=["appended to what has no value yet", "assigned"])
def test_what_an_operator_has_stays(lazy):
    c = Config()
    own = {"services": {"name": "culler"}, "load_roles": {"name": "user", "scopes": ["self", "shares!user"]}}
    for trait, entry in own.items():
        if lazy:
            c.JupyterHub[trait].append(entry)
        else:
            c.JupyterHub[trait] = [entry]
    c.JupyterHub.template_paths = ["/srv/pages"]
    c.JupyterHub.template_vars = {"announcement": "Hello"}
    configure(c, SETTINGS)
    assert c.JupyterHub.services[0] == {"name": "culler"}
    assert c.JupyterHub.load_roles[0]["scopes"] == ["self", "shares!user", "access:services!service=usage"]
    assert c.JupyterHub.template_paths == ["/srv/pages", str(TEMPLATES)]
    assert set(c.JupyterHub.template_vars) == {"announcement", "hub_extensions"}
    assert set(own) <= set(c.JupyterHub)


def test_a_hub_takes_the_configuration():
    c = Config()
    configure(c, SETTINGS)
    hub = JupyterHub(config=c)
    assert hub.spawner_class.__name__ == "ProfileLocalSpawner"
    assert [service["name"] for service in hub.services] == ["usage"]
    assert hub.template_vars["hub_extensions"](None).title == "Field Station"


@pytest.mark.parametrize("authenticated", [True, False, None])
def test_metrics_of_the_usage_service_are_open_where_the_hubs_own_are(authenticated):
    c = Config()
    if authenticated is not None:
        c.JupyterHub.authenticate_prometheus = authenticated
    configure(c, SETTINGS)
    [service] = c.JupyterHub.services
    usage = UsageSettings.read(service["environment"])
    assert usage.metrics_open is (authenticated is False)
    assert usage.metrics_per_user is False


def test_leads_invite_where_a_rule_admits_by_invitation(monkeypatch):
    monkeypatch.setenv("HUB_EXTENSIONS_INVITATION_KEY", "k" * 32)
    c = Config()
    inviting = {"ice-lab": {"members": [{"invitation": True}]}}
    configure(c, {**SETTINGS, "communities": {**SETTINGS["communities"], **inviting}})
    scopes = {role["name"]: role["scopes"] for role in c.JupyterHub.load_roles}
    assert "custom:invitations:make!group=ice-lab" in scopes["community-ice-lab-leads"]
    assert "custom:invitations:make" in c.JupyterHub.custom_scopes
    told = UsageSettings.read(c.JupyterHub.services[0]["environment"])
    assert (told.inviting, told.invitation_secret) == (("ice-lab",), "k" * 32)


def test_an_entry_takes_the_place_of_one_of_the_same_name():
    c = Config({"JupyterHub": {"services": [{"name": "a"}, {"name": "b", "old": True}, {"name": "c"}]}})
    put(c, "services", {"name": "b", "new": True})
    assert c.JupyterHub.services == [{"name": "a"}, {"name": "b", "new": True}, {"name": "c"}]


def test_mistakes_in_overrides_end_the_start_and_doubts_are_logged(caplog):
    kube = {"config": {"JupyterHub": {"spawner_class": "profile-kube"}}}
    wrong = [{"display_name": "A", "kubespawner_override": {"cpu_limit": "2"}}]
    with pytest.raises(SystemExit) as ended:
        configure(Config(), {"hub": kube | {"titel": "A"}, "profiles": wrong})
    assert str(ended.value).splitlines() == [
        "settings: 2 mistakes",
        "  hub.titel: unknown key. Did you mean 'title'?",
        "  profiles[0].kubespawner_override.cpu_limit: expected a number, found '2'.",
    ]
    configure(Config(), {"hub": kube, "profiles": [{"display_name": "A", "kubespawner_override": {"default": True}}]})
    (record,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert record.getMessage().startswith("profiles[0].kubespawner_override.default: is a key of the profile")


def test_names_of_profiles_that_there_are_not_are_doubted_wherever_settings_have_them(caplog):
    settings = {
        "hub": {"config": {"JupyterHub": {"spawner_class": "profile-kube"}}},
        "profiles": [
            {"display_name": "GPU", "slug": "a100", "aliases": ["k80"]},
            {"display_name": "Small one"},
        ],
        "usage": {
            "database": "sqlite:///usage.sqlite",
            "prices": {"currency": "EUR", "profiles": {"k80": 3, "small-one": 1}},
        },
        "quotas": [{"resource": "gpu", "limit": "9 GPU-hours", "window": "7 days", "weights": {"a10": 4, "a100": 4}}],
        "idle": {"rules": [{"profiles": ["A100", "smal-one"], "timeout": "1 hour"}]},
    }
    configure(Config(), settings)
    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert [each for each in told if "there is no profile" in each] == [
        "quotas[0].weights.a10: there is no profile 'a10'. It counts for servers of earlier times alone. "
        "Did you mean 'a100'?",
        "usage.prices.profiles.k80: there is no profile 'k80'. It counts for servers of earlier times alone. "
        "It is called 'a100' now.",
        "idle.rules[0].profiles[1]: there is no profile 'smal-one'. The rule means no server by it. "
        "Did you mean 'small-one'?",
    ]


def test_profiles_of_the_chart_are_checked_too():
    c = Config({"JupyterHub": {"spawner_class": "profile-kube"}})
    c.KubeSpawner.profile_list = [{"display_name": "A", "kubespawner_override": {"mem_limt": "2G"}}]
    with pytest.raises(SystemExit, match=r"KubeSpawner\.profile_list\[0\]\.kubespawner_override\.mem_limt"):
        configure(c, {})


def test_profiles_of_another_spawner_are_its_own_affair():
    c = Config({"JupyterHub": {"spawner_class": "kubespawner.KubeSpawner"}})
    c.KubeSpawner.profile_list = [{"display_name": "A", "another_key": 1}]
    configure(c, {})
    assert "profile_list" in c.KubeSpawner


QUOTA = {"groups": ["ocean"], "resource": "memory", "limit": "500 GiB-hours", "window": "30 days"}
POLICY = [{"resource": "memory", "limit": "5000G", "window": 30, "scope": {"group": ["mem-sm"]}}]
DATABASE = {"database": "sqlite:///usage.sqlite", "time_zone": "Europe/Berlin"}


def test_quotas_come_to_the_spawner_and_to_the_usage_service_in_the_time_zone_of_the_hub():
    c = Config()
    configure(c, {"quotas": [QUOTA], "usage": DATABASE, "hub": {"service_users": ["robot"]}})
    spawner = ProfileLocalSpawner(config=c)
    assert spawner.quotas == [QUOTA]
    assert (spawner.time_zone, spawner.service_users) == ("Europe/Berlin", ["robot"])
    told = UsageSettings.read(c.JupyterHub.services[0]["environment"])
    assert (told.quotas, told.service_users) == ((QUOTA,), ("robot",))


def test_the_usage_service_knows_what_people_call_each_profile():
    c = Config()
    profiles = [{"display_name": "Small & quick", "slug": "s"}, {"display_name": "Large"}]
    configure(c, {"usage": {"database": "sqlite:///u"}, "profiles": profiles})
    settings = UsageSettings.read(c.JupyterHub.services[0]["environment"])
    assert settings.profiles == {"s": "Small & quick", "large": "Large"}


def test_an_exception_with_a_date_comes_through_to_the_usage_service():
    exception = {"user": "ada", "limit": "unlimited", "until": "2026-12-31"}
    c = Config()
    configure(c, {"quotas": [{**QUOTA, "exceptions": [exception]}], "usage": DATABASE})
    assert UsageSettings.read(c.JupyterHub.services[0]["environment"]).quotas[0]["exceptions"] == [exception]


def test_quotas_that_nothing_counts_end_the_start():
    with pytest.raises(SystemExit, match=r"quotas: are counted from the usage ledger\. Set usage\.database\."):
        configure(Config(), {"quotas": [QUOTA]})
    configure(Config({"UsageLedger": {"database": "sqlite:///usage.sqlite"}}), {"quotas": [QUOTA]})


@pytest.mark.parametrize("chart", [True, False], ids=["by the chart", "in the settings"])
def test_policies_of_jupyterhub_usage_quotas_hold_where_there_is_a_ledger_and_no_quota(chart):
    theirs = {"UsageQuotaManager": {"policy": POLICY, "scope_fallback_strategy": {"intersection": "max"}}}
    configured, settings = (theirs, {}) if chart else ({}, {"hub": {"config": theirs}})
    read = {"groups": ["mem-sm"], "resource": "memory", "limit": "5000 GiB-hours", "window": "30 days"}
    for more, expected in [({"usage": DATABASE}, [{**read, "intersection": "max"}]), ({}, [])]:
        c = Config(configured)
        configure(c, {**settings, **more})
        assert ProfileLocalSpawner(config=c).quotas == expected
    c = Config(configured)
    configure(c, {**settings, "usage": DATABASE, "quotas": [QUOTA]})
    assert ProfileLocalSpawner(config=c).quotas == [QUOTA]


def test_mistakes_in_policies_of_jupyterhub_usage_quotas_end_the_start_before_anything_is_set():
    c = Config({"UsageQuotaManager": {"policy": [{**POLICY[0], "resource": "gpu"}, {**POLICY[0], "limit": "5 G"}]}})
    with pytest.raises(SystemExit, match=r"policy\[0\]\.resource(.|\n)*policy\[1\]\.limit"):
        configure(c, {"usage": DATABASE, "profiles": [{"display_name": "A"}]})
    assert "ProfileSpawner" not in c


def test_mistakes_of_profiles_quotas_grants_and_login_are_told_together():
    c = Config(
        {
            "JupyterHub": {"spawner_class": "profile-local", "authenticator_class": "community-github"},
            "ProfileLocalSpawner": {"profile_list": [{"display_nam": "A"}]},
        }
    )
    settings = {
        "quotas": [{"resource": "hours", "limit": "5 hours", "window": "7 days"}],
        "grants": [{"to": "nobody-has-this", "scopes": ["list:users"]}],
        "communities": {"a": {"members": [{"hosted_domains": ["example.edu"]}]}},
    }
    with pytest.raises(SystemExit) as ended:
        configure(c, settings)
    for place in ("c.ProfileLocalSpawner.profile_list[0].display_nam", "quotas", "grants[0].to"):
        assert f"\n  {place}: " in str(ended.value)


@pytest.mark.parametrize(("services", "doubted"), [([], True), ([{"name": "binder", "url": "http://binder"}], False)])
def test_image_building_without_a_service_for_it_is_doubted(services, doubted, caplog):
    option = {"choices": {"a": {"display_name": "A"}}, "dynamic_image_building": {"enabled": True}}
    profiles = [{"display_name": "A", "profile_options": {"image": option}}]
    c = Config({"JupyterHub": {"spawner_class": "profile-local", "services": services}})
    configure(c, {"profiles": profiles})
    assert ("has no service 'binder' that builds images" in caplog.text) is doubted


def test_what_runs_is_told_by_one_endpoint_beside_those_of_the_operator():
    c = Config({"JupyterHub": {"extra_handlers": [("/own", object)]}})
    for _ in range(2):
        configure(c, {"usage": {"database": "sqlite:///usage.sqlite"}})
    assert [path for path, _ in c.JupyterHub.extra_handlers] == ["/own", "/api/hub-extensions/servers"]
    [role] = [role for role in c.JupyterHub.load_roles if role["name"] == "hub-extensions-usage"]
    assert role["services"] == ["usage"]
    assert role["scopes"] == ["list:users", "read:users:groups", "read:servers", "read:groups"]


def test_a_service_that_the_operator_starts_keeps_its_token_and_gets_no_command():
    own = {"name": "usage", "url": "http://usage:10101", "api_token": "secret"}
    c = Config({"JupyterHub": {"services": [own]}})
    for _ in range(2):
        configure(c, {"usage": {"database": "sqlite:///usage.sqlite"}})
    [service] = c.JupyterHub.services
    assert (service["url"], service["api_token"]) == ("http://usage:10101", "secret")
    assert "command" not in service
    assert "environment" not in service


def test_a_culler_is_wired_once_and_only_where_something_is_ever_stopped():
    c = Config()
    configure(c, {"idle": {"rules": [{"groups": ["a"], "timeout": "never"}]}})
    assert "services" not in c.JupyterHub
    for _ in range(2):
        configure(c, {"idle": {"timeout": "1 hour"}})
    [service] = c.JupyterHub.services
    assert service["name"] == "idle-culler"
    [role] = [role for role in c.JupyterHub.load_roles if role["name"] == "idle-culler"]
    assert role["services"] == ["idle-culler"]
    assert "delete:servers" in role["scopes"]


@pytest.mark.parametrize(
    ("service", "doubted"),
    [
        (
            {"name": "jupyterhub-idle-culler", "command": ["python3", "-m", "jupyterhub_idle_culler"]},
            "stops idle servers",
        ),
        ({"name": "tidy", "command": ["jupyterhub-idle-culler", "--timeout=3600"]}, "stops idle servers too"),
        ({"name": "cull-idle", "api_token": "of one that runs elsewhere"}, "stops idle servers too"),
        ({"name": "idle-culler", "command": "python3 cull_idle_servers.py"}, "is replaced"),
        ({"name": "binder", "url": "http://binder", "api_token": "x"}, ""),
    ],
)
def test_a_culler_beside_that_of_the_settings_is_doubted_once_and_one_without_is_not(service, doubted, caplog):
    c = Config({"JupyterHub": {"services": [service]}})
    configure(c, {})
    assert caplog.text.count("c.JupyterHub.services[") == 0
    configure(c, {"idle": {"timeout": "1 hour"}})
    assert caplog.text.count("c.JupyterHub.services[") == bool(doubted)
    assert doubted in caplog.text
    caplog.clear()
    if service["name"] != "idle-culler":  # it is gone
        configure(c, {"idle": {"timeout": "1 hour"}})
        assert caplog.text.count("c.JupyterHub.services[") == bool(doubted)


_START = """
import sys
from traitlets.config import Config
from hub_extensions import configure
c = Config()
configure(c, sys.argv[1])
print(c.JupyterHub.spawner_class, [name for name in ("kubespawner", "kubernetes_asyncio") if name in sys.modules])
"""


def test_a_hub_without_pods_starts_without_what_makes_pods(tmp_path):
    """It takes longer to import than everything else that `configure` does."""
    laptop = Path(__file__).parents[1] / "examples" / "laptop" / "hub.yaml"
    said = subprocess.run(
        [sys.executable, "-P", "-c", _START, str(laptop)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert said.stdout == "profile-local []\n"
