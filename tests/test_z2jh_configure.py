"""`configure(c)` alone, in `hub.extraConfig` of real hubs: what their values ask for comes to a hub that starts.

What is expected is read from the values here once more, by the shortest way.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pytest
from jupyterhub.app import JupyterHub

from hub_extensions import catalogue, usage_quota_policy
from hub_extensions.changes import effective, overwritten
from hub_extensions.rendering import pod_manifest
from hub_extensions.share import TEMPLATES
from hub_extensions.z2jh.basehub_values import STAFF_TEAM
from hub_extensions.z2jh.values import chart_values, look_up

from . import corpus, z2jh_loader

if TYPE_CHECKING:
    from pathlib import Path

    from traitlets.config import Config

OURS = {
    "cilogon": "CommunityCILogonAuthenticator",
    "generic-oauth": "CommunityOIDCAuthenticator",
    "github": "CommunityGitHubAuthenticator",
    "google": "CommunityGoogleAuthenticator",
    "null": "NullAuthenticator",
    "shared-password": "SharedPasswordAuthenticator",
    "tmp": "TmpAuthenticator",
}
hubs = pytest.mark.parametrize("file", corpus.hubs())
# What is added to what a hub's values say of the login.
ADDED = {"Authenticator": {"admin_users"}, "GitHubOAuthenticator": {"allowed_organizations"}}


@lru_cache
def values_of(file: Path) -> Any:
    return chart_values(corpus.values_of(file))


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Config]:
    return {}


@pytest.fixture
def c(file: Path, loaded: dict[Path, Config], tmp_path: Path) -> Config:
    if file not in loaded:
        loaded[file] = z2jh_loader.load(values_of(file), tmp_path)
    return loaded[file]


@hubs
def test_the_hub_is_made_with_our_classes_for_the_stock_ones(file: Path, c: Config) -> None:
    hub = JupyterHub(config=c)
    told = values_of(file)["hub"]["config"]["JupyterHub"]["authenticator_class"]
    assert hub.authenticator_class.__name__ == OURS[told]
    for_binder = look_up(values_of(file), "custom.binderhubUI.enabled")
    assert hub.spawner_class.__name__ == ("BinderKubeSpawner" if for_binder else "ProfileKubeSpawner")
    assert str(TEMPLATES) in hub.template_paths
    assert overwritten(c) == []


@hubs
def test_every_trait_that_is_set_is_one_of_the_class_for_which_it_is_set(file: Path, c: Config) -> None:
    hub = JupyterHub(config=c)
    classes = {each.__name__: each for cls in (hub.spawner_class, hub.authenticator_class) for each in cls.__mro__}
    named = {*effective(c)["traits"]}
    assert named
    # A mixin's traits are those of the class that it is part of.
    whole = {
        name: next(cls for cls in (hub.spawner_class, hub.authenticator_class, JupyterHub) if name in of(cls))
        for name in [*classes, "JupyterHub"]
    }
    for trait in named:
        section, _, name = trait.partition(".")
        if section in whole:
            assert name in whole[section].class_traits(config=True), trait
        else:  # what another part of the hub reads
            assert section in {"UsageLedger", "CommunityAuthenticator"}, trait


def of(cls: type) -> set[str]:
    return {each.__name__ for each in cls.__mro__}


@hubs
def test_who_may_log_in_is_as_the_values_say_with_the_staff(file: Path, c: Config) -> None:
    hub = values_of(file)["hub"]["config"]
    for section, traits in hub.items():
        for trait, value in traits.items() if section.endswith("Authenticator") else ():
            if trait in ADDED.get(section, ()) and not isinstance(value, str):
                assert set(value) <= set(c[section][trait])
            elif not isinstance(value, str) or trait not in ADDED.get(section, ()):
                assert c[section][trait] == value, f"{section}.{trait}"
    authenticator = JupyterHub(config=c).authenticator_class(config=c)
    staff = values_of(file)["custom"]["2i2c"]
    ids = staff.get(f"staff_{staff['add_staff_user_ids_of_type']}_ids", [])
    expected = ids if staff["add_staff_user_ids_to_admin_users"] else []
    section = next((hub[name] for name in hub if name in type(authenticator).__mro__[1].__name__), {})
    if "admin_users" not in section:
        expected = [*expected, *hub.get("Authenticator", {}).get("admin_users", [])]
    assert {authenticator.normalize_username(name) for name in expected} <= authenticator.admin_users
    if hub["JupyterHub"]["authenticator_class"] == "github":
        wanted = hub["GitHubOAuthenticator"].get("allowed_organizations", [])
        assert authenticator.allowed_organizations == {STAFF_TEAM, *([wanted] if isinstance(wanted, str) else wanted)}
        named = {group.partition(":")[0] for group in groups_in(values_of(file)["singleuser"]) if ":" in group}
        told = {entry.partition(":")[0] for entry in authenticator.allowed_organizations}
        assert {name.casefold() for name in named} <= {
            name.casefold() for name in told | authenticator.policy.group_organizations
        }


def groups_in(part: Any) -> set[str]:
    if isinstance(part, list):
        return set().union(*map(groups_in, part))
    if not isinstance(part, dict):
        return set()
    return set(part.get("allowed_groups", ())).union(*map(groups_in, part.values()))


@hubs
def test_pages_show_whose_hub_it_is(file: Path, c: Config) -> None:
    told = values_of(file)["custom"]["homepage"]["templateVars"]
    page = c.JupyterHub.template_vars["hub_extensions"](None)
    if not told["enabled"] or "org" not in told:
        assert page.title == "JupyterHub"
        return
    assert c.JupyterHub.template_vars["custom"] == told
    assert (page.title, page.brand.logo) == (told["org"]["name"], told["org"]["logo_url"])
    assert page.brand.organisation.name == told["operated_by"]["name"]
    if "custom_html" not in told["funded_by"]:
        assert [(each.name, each.url) for each in page.brand.funders] == [
            (told["funded_by"]["name"], told["funded_by"]["url"])
        ]
    shown = {str(link.url) for link in page.brand.links}
    assert {told["org"]["url"], told["designed_by"]["url"]} <= shown
    assert told.get("redirect_to") in {None, *shown}


@hubs
async def test_pods_have_the_profiles_mounts_and_variables_of_the_values(file: Path, c: Config) -> None:
    values = values_of(file)
    profiles = values["singleuser"].get("profileList", [])
    assert catalogue.read(c.KubeSpawner.get("profile_list", [])) == catalogue.read(profiles)
    request = next(corpus.requests_of(values))
    pod = (await pod_manifest(c, "ada", request.groups, request.options))["spec"]
    first, *_ = pod["initContainers"]
    assert (first["name"], "111,2049,20048" in first["command"][2]) == ("block-ports", True)
    [notebook] = [each for each in pod["containers"] if each["name"] == "notebook"]
    storage = values["singleuser"]["storage"]
    wanted = {mount["mountPath"] for mount in storage.get("extraVolumeMounts", {}).values()}
    assert wanted <= {mount["mountPath"] for mount in notebook["volumeMounts"]}
    variables = {each["name"]: each.get("value") for each in notebook["env"]}
    if look_up(values, "custom.daskhubSetup.enabled"):
        assert variables["DASK_GATEWAY__PROXY_ADDRESS"] == "gateway://traefik-hub-dask-gateway.prod:80"
        scratch = {"SCRATCH_BUCKET", "PANGEO_SCRATCH"} & set(values["singleuser"]["extraEnv"])
        assert all(name in variables["DASK_GATEWAY__CLUSTER__OPTIONS__ENVIRONMENT"] for name in scratch)
        assert variables["DASK_DISTRIBUTED__DASHBOARD__LINK"] == "{JUPYTERHUB_SERVICE_PREFIX}proxy/{port}/status"
    else:
        assert "DASK_GATEWAY__ADDRESS" not in variables
    admins = c.ProfileSpawner.get("admin_extras", {}).get("extraVolumeMounts", ())
    named = values["custom"]["singleuserAdmin"].get("extraVolumeMounts") or {}
    assert {each["mountPath"] for each in admins} == {each["mountPath"] for each in named.values() if each}


@hubs
def test_quotas_are_counted_and_no_service_or_scope_is_lost(file: Path, c: Config) -> None:
    hub = values_of(file)["hub"]
    policy = hub["config"]["UsageQuotaManager"].get("policy")
    expected = (
        usage_quota_policy.quotas_of(policy, hub["config"]["UsageQuotaManager"]["scope_fallback_strategy"])
        if policy
        else []
    )
    assert c.ProfileSpawner.get("quotas", []) == expected
    services = {service["name"]: service for service in c.JupyterHub.services}
    assert set(hub["services"]) <= set(services)
    if "usage-quota" in hub["services"]:
        assert services["usage"]["url"] == hub["services"]["usage-quota"]["url"]
        assert "command" not in services["usage-quota"]
    else:
        assert "usage" not in services
    scopes = {role["name"]: set(role["scopes"]) for role in c.JupyterHub.load_roles}
    assert all(set(role["scopes"]) <= scopes[name] for name, role in hub["loadRoles"].items())
    if "usage" in services:
        added = c.JupyterHub.get("extra_user_scopes", ())
        assert "access:services!service=usage" in scopes["user"] | set(added)


@hubs
def test_a_second_call_changes_nothing(file: Path, tmp_path: Path) -> None:
    once, twice = (
        z2jh_loader.load(values_of(file), tmp_path, {"1": "import hub_extensions", **dict.fromkeys(keys, CALL)})
        for keys in (["2"], ["2", "3"])
    )
    for config in (once, twice):
        config.JupyterHub.template_vars["hub_extensions"] = "the pages"
    assert once == twice


CALL = "import hub_extensions\nhub_extensions.configure(c)"
