"""What is found on real hubs: each kind of mistake on exactly the hubs that have it, and no error on any.

What is expected is a rule over a hub's values as they are written, a few lines for each kind, which knows nothing of
the check.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pytest

from hub_extensions.checks import check
from hub_extensions.planned_hub import from_values

from . import corpus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hub_extensions.findings import Finding

hubs = pytest.mark.parametrize("file", corpus.hubs())
SECTION = {
    "cilogon": "CILogonOAuthenticator",
    "generic-oauth": "GenericOAuthenticator",
    "github": "GitHubOAuthenticator",
    "google": "GoogleOAuthenticator",
}


@lru_cache
def values_of(file: Path) -> Any:
    return corpus.values_of(file)


@lru_cache
def findings_of(file: Path) -> tuple[Finding, ...]:
    return tuple(check(from_values([values_of(file)])))


def config(values: Any) -> Any:
    return values["hub"]["config"]


def section(values: Any) -> Any:
    return config(values).get(SECTION.get(config(values)["JupyterHub"]["authenticator_class"], ""), {})


def profiles(values: Any) -> list[Any]:
    return values["singleuser"].get("profileList") or []


def options(values: Any) -> Iterator[Any]:
    for profile in profiles(values):
        yield from (profile.get("profile_options") or {}).values()


def overrides(part: Any) -> Iterator[tuple[Any, Any]]:
    """Every override, with what it is the override of."""
    if isinstance(part, dict):
        if isinstance(part.get("kubespawner_override"), dict):
            yield part, part["kubespawner_override"]
        part = list(part.values())
    for inner in part if isinstance(part, list) else ():
        yield from overrides(inner)


def scopes_of(values: Any, role: str) -> list[str]:
    return values["hub"]["loadRoles"][role]["scopes"]


# The rules, each with the path and a few words of the finding that tells it.


def text_for_a_list(values: Any) -> bool:
    return isinstance(config(values).get("GitHubOAuthenticator", {}).get("allowed_organizations"), str)


def admins_in_two_lists(values: Any) -> bool:
    """The list of the class hides the one that all classes have."""
    general = set(config(values).get("Authenticator", {}).get("admin_users", []))
    ids = values["custom"]["2i2c"]
    if ids["add_staff_user_ids_to_admin_users"]:
        general |= set(ids.get(f"staff_{ids['add_staff_user_ids_of_type']}_ids", []))
    own = section(values).get("admin_users")
    return own is not None and not general <= set(own)


def staff_of_no_list(values: Any) -> bool:
    ids = values["custom"]["2i2c"]
    kind = ids.get("add_staff_user_ids_of_type")
    return ids["add_staff_user_ids_to_admin_users"] and f"staff_{kind}_ids" not in ids


def staff_of_another_kind(values: Any) -> bool:
    """Names of GitHub among people whose names are addresses, or addresses among names of GitHub."""
    ids = values["custom"]["2i2c"]
    if not ids["add_staff_user_ids_to_admin_users"]:
        return False
    kind, login = ids["add_staff_user_ids_of_type"], config(values)["JupyterHub"]["authenticator_class"]
    if login == "github":
        return kind == "google"
    ways = [idp["username_derivation"] for idp in section(values).get("allowed_idps", {}).values()]
    claims = [way["username_claim"] for way in ways] or [section(values).get("username_claim")]
    addresses = all(claim in ("email", "eppn") for claim in claims) and not any(way.get("action") for way in ways)
    return kind == "github" and login in ("cilogon", "generic-oauth") and addresses


def idps_for_nobody(values: Any) -> bool:
    login = config(values)["JupyterHub"]["authenticator_class"]
    return login != "cilogon" and bool(config(values).get("CILogonOAuthenticator", {}).get("allowed_idps"))


def organizations_for_nobody(values: Any) -> bool:
    login = config(values)["JupyterHub"]["authenticator_class"]
    return login != "github" and bool(config(values).get("GitHubOAuthenticator", {}).get("allowed_organizations"))


def section_in_a_section(values: Any) -> bool:
    named = [(name, traits) for name, traits in config(values).items() if name.endswith("Authenticator")]
    return any(key[0].isupper() and isinstance(value, dict) for _, traits in named for key, value in traits.items())


def class_named_in_another_section(values: Any) -> bool:
    named = [traits for name, traits in config(values).items() if name.endswith("Authenticator")]
    return any("authenticator_class" in traits for traits in named)


def only_a_write_in(values: Any) -> bool:
    return any(
        option.get("unlisted_choice", {}).get("enabled") and not option.get("choices") for option in options(values)
    )


def default_in_an_override(values: Any) -> bool:
    return any("default" in override for _, override in overrides(profiles(values)))


def latest_image(values: Any) -> bool:
    images = [override.get("image", "") for part, override in overrides(profiles(values)) if "{value}" not in str(part)]
    return any(image.endswith(":latest") or ":" not in image.rpartition("/")[2] for image in images if image)


def open_write_in(values: Any) -> bool:
    found = [option.get("unlisted_choice") or {} for option in options(values)]
    return any(each.get("enabled") and each.get("validation_regex") == "^.+:.+$" for each in found)


def two_defaults(values: Any) -> bool:
    """Two choices of an option that are for everybody, both the default."""
    return any(
        sum(bool(choice.get("default")) and "allowed_groups" not in choice for choice in option["choices"].values()) > 1
        for option in options(values)
        if option.get("choices")
    )


def nothing_left_for_others(values: Any) -> bool:
    """Each choice of an option is for some groups, and the profile for more people than those."""
    for profile in profiles(values):
        for option in (profile.get("profile_options") or {}).values():
            choices = list((option.get("choices") or {}).values())
            if not choices or (option.get("unlisted_choice") or {}).get("enabled"):
                continue
            allowed = [{group.lower() for group in choice.get("allowed_groups", ["*"])} for choice in choices]
            wide = {group.lower() for group in profile.get("allowed_groups", ["*"])}
            together = set().union(*allowed)
            if "*" not in together and not wide <= together:
                return True
    return False


def lost_the_usage_page(values: Any) -> bool:
    """Scopes of people written anew for another service, so that the page in everybody's menu is closed to them."""
    service = values["hub"]["services"].get("usage-quota") or {}
    scopes = scopes_of(values, "user")
    return bool(service.get("display")) and "access:services!service=usage-quota" not in scopes


def building_for_nobody(values: Any) -> bool:
    offered = any((option.get("dynamic_image_building") or {}).get("enabled") for option in options(values))
    return offered and "access:services!service=binder" not in scopes_of(values, "user")


def admins_without_a_password(values: Any) -> bool:
    login = config(values)["JupyterHub"]["authenticator_class"]
    named = config(values).get("SharedPasswordAuthenticator", {}), config(values).get("Authenticator", {})
    return login == "shared-password" and any(each.get("admin_users") for each in named)


def html_of_a_funder(values: Any) -> bool:
    return bool(values["custom"]["homepage"]["templateVars"].get("funded_by", {}).get("custom_html"))


def pages_of_its_own(values: Any) -> bool:
    return "2i2c-org/default-hub-homepage" not in values["custom"]["homepage"]["gitRepoUrl"]


KINDS: dict[Callable[[Any], bool], tuple[str, str]] = {
    text_for_a_list: (r"allowed_organizations$", "is text and not a list"),
    admins_in_two_lists: (r"admin_users$", "hides"),
    staff_of_no_list: (r"add_staff_user_ids_of_type$", "there is no list"),
    staff_of_another_kind: (r"add_staff_user_ids_of_type$", "none of them can log in"),
    idps_for_nobody: (r"CILogonOAuthenticator$", "is in use"),
    organizations_for_nobody: (r"GitHubOAuthenticator$", "is in use"),
    section_in_a_section: (r"Authenticator\.[A-Z]\w+$", "is a section inside another"),
    class_named_in_another_section: (r"authenticator_class$", "is read by nobody"),
    only_a_write_in: (r"profile_options\.\w+$", "has only a write-in"),
    default_in_an_override: (r"kubespawner_override\.default$", "does nothing"),
    latest_image: (r"kubespawner_override\.image$", "another image"),
    open_write_in: (r"validation_regex$", "accepts nearly anything"),
    two_defaults: (r"default$", "is a default too"),
    nothing_left_for_others: (r"profile_options\.\w+$", "has nothing to choose for"),
    lost_the_usage_page: (r"hub\.services\.usage-quota$", "is open to nobody but administrators"),
    building_for_nobody: (r"singleuser\.profileList$", "offers to build images"),
    admins_without_a_password: (r"admin_users$", "there is no admin_password"),
    pages_of_its_own: (r"gitRepoUrl$", "are not shown"),
    html_of_a_funder: (r"funded_by\.custom_html$", "is HTML"),
}


# What these tell of keeps a hub from being what its values say.
ERRORS = {section_in_a_section}
# On none of the hubs that are public; others have them.
ELSEWHERE = {organizations_for_nobody, section_in_a_section, class_named_in_another_section, only_a_write_in}


@hubs
def test_no_hub_that_is_fine_has_an_error(file: Path) -> None:
    if not any(rule(values_of(file)) for rule in ERRORS):
        assert [str(found) for found in findings_of(file) if found.severity == "error"] == []


@hubs
def test_each_mistake_is_found_on_exactly_the_hubs_that_have_it(file: Path) -> None:
    for rule, (path, words) in KINDS.items():
        told = [found for found in findings_of(file) if re.search(path, found.path) and words in found.what]
        assert bool(told) == rule(values_of(file)), (rule.__name__, [str(each) for each in told])


def test_each_kind_of_mistake_is_on_some_hub() -> None:
    found = [each.values[0] for each in corpus.hubs() if not each.marks]
    if not found:
        pytest.skip("HUB_VALUES_CORPUS names no folder of values files")
    missing = {rule for rule in KINDS if not any(rule(values_of(file)) for file in found)}
    assert missing <= ELSEWHERE
