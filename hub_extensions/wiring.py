"""The one call that wires a hub: from settings to traits."""

import copy
import logging
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jupyterhub
from jupyterhub.roles import get_default_roles
from jupyterhub.scopes import scope_definitions
from jupyterhub.utils import random_port
from traitlets.config import Config
from traitlets.config.loader import LazyConfigValue

from . import settings as settings_files
from . import usage_quota_policy
from .catalogue_check import check_list
from .configured_login import login_of
from .findings import Finding, told_once
from .invitations import KEY_VARIABLE, inviting
from .login_check import check as check_login
from .mistakes import Mistake, SettingsError
from .node_sizes import expand
from .pages import Announcement, PageContext
from .roles import grant_mistakes, leads_roles
from .settings import Settings
from .share import TEMPLATES
from .spawner_traits import class_of, traits_of
from .usage_service import INVITE, READ, SERVICE, UsageSettings, registration

log = logging.getLogger("hub_extensions")


def configure(c: Config, settings: Mapping[str, Any] | str | Path) -> None:
    """Set everything that the settings, a mapping or a YAML file, ask for on a hub's configuration.

    What is there already stays: lists are appended to, and what stands under a name of ours is put in its place, so
    that a second call changes nothing. Settings with mistakes end the process with status 1 and one message that lists
    them all, before anything is set: JupyterHub would log an exception and start without its configuration.
    """
    try:
        checked = settings_files.load(settings, lambda named: traits_of(named or c.JupyterHub.get("spawner_class")))
        _check_grants(c, checked)
        section, profiles = _profiles_of(c, checked)
        _quotas_of(c, checked)
        doubts = (
            _doubts(profiles, f"c.{section}.profile_list", _spawner_class(c, checked)) if section else checked.doubts
        )
        doubts = [*doubts, *_without_mistakes(check_login(login_of(c, checked, profiles)), "login")]
    except SettingsError as error:
        sys.exit(str(error))
    for doubt in told_once(doubts):
        log.warning("%s", doubt)
    apply(c, checked)
    if section:
        c[section].profile_list = profiles


def _doubts(profiles: Any, path: str, spawner_class: Any) -> Sequence[Finding]:
    """What is doubtful in configured profiles, which the check of the settings has not seen.

    Raises SettingsError if there are mistakes.
    """
    found = check_list(profiles, path, traits_of(spawner_class), settings_files.today())
    return _without_mistakes(found, path)


def _without_mistakes(found: Sequence[Finding], source: str) -> Sequence[Finding]:
    """What was found, if nothing of it is a mistake; raises SettingsError otherwise."""
    mistakes = [finding for finding in found if finding.severity == "error"]
    if mistakes:
        raise SettingsError(mistakes, source)
    return found


def _check_grants(c: Config, settings: Settings) -> None:
    """Raise SettingsError if a grant names a role or a scope that the hub will not have."""
    given = settings.hub.config.get("JupyterHub", {}).get("load_roles")
    roles = [
        *get_default_roles(),
        *(_listed(c, "load_roles") if given is None else _entries(given)),
        *leads_roles(settings.communities),
    ]
    mistakes = list(grant_mistakes(settings.grants, [str(role.get("name")) for role in roles], scope_definitions))
    if mistakes:
        raise SettingsError(mistakes)


def _profiles_of(c: Config, settings: Settings) -> tuple[str, Any]:
    """The profiles that the hub will have, and the class for which they are configured; "" for those of the settings.

    Zero to JupyterHub sets `singleuser.profileList` for KubeSpawner. The most specific class counts, and only a spawner
    of ours: others have other grammars. Raises SettingsError where a size is named that there is not.
    """
    if settings.profiles:
        return "", settings.profiles
    cls = class_of(_spawner_class(c, settings))
    names = [base.__name__ for base in cls.__mro__] if cls else []
    for name in names if "ProfileSpawner" in names else ():
        profiles = _configured(c, settings, name, "profile_list")
        if isinstance(profiles, (list, dict)):
            profiles, mistakes = expand(profiles, settings.sizes, f"c.{name}.profile_list")
            if mistakes:
                raise SettingsError(mistakes, f"c.{name}.profile_list")
            return name, profiles
    return "", None


def _spawner_class(c: Config, settings: Settings) -> Any:
    return _configured(c, settings, "JupyterHub", "spawner_class")


def _configured(c: Config, settings: Settings, section: str, trait: str) -> Any:
    """What a trait is configured with once the settings are laid over what is there; None if it is not."""
    there = c[section].get(trait) if section in c else None
    return settings.hub.config.get(section, {}).get(trait, there)


def apply(c: Config, settings: Settings) -> None:
    """Set what checked settings ask for; see `configure`."""
    for section, traits in settings.hub.config.items():
        for name, value in traits.items():
            c[section][name] = value
    _set_pages(c, settings)
    if settings.profiles:
        c.ProfileSpawner.profile_list = settings.profiles
    c.ProfileSpawner.time_zone = settings.usage.time_zone
    if settings.communities:
        c.ProfileSpawner.communities = {
            name: community.title or name for name, community in settings.communities.items()
        }
    _set_login(c, settings)
    if settings.group_directories:
        c.ProfileKubeSpawner.group_directories = [
            directory.model_dump(mode="json") for directory in settings.group_directories
        ]
    if settings.environment_from_auth_state:
        c.ProfileSpawner.environment_from_auth_state = settings.environment_from_auth_state
    if settings.hub.service_users:
        c.ProfileSpawner.service_users = list(settings.hub.service_users)
    quotas = _quotas_of(c, settings)
    if quotas:
        c.ProfileSpawner.quotas = quotas
    if settings.usage.database:
        _set_usage(c, settings)
    # JupyterHub refuses a custom scope that no service has defined.
    for role in leads_roles(settings.communities, [READ, INVITE] if settings.usage.database else []):
        add_role(c, role)
    for given in settings.grants:
        grant(c, given.to, given.scopes)
    log.info(
        "%d profiles, %d communities, %d quotas, usage %s",
        len(settings.profiles),
        len(settings.communities),
        len(quotas),
        "on" if settings.usage.database else "off",
    )


def _set_login(c: Config, settings: Settings) -> None:
    login = c.CommunityAuthenticator
    if settings.communities:
        login.communities = {
            name: community.model_dump(mode="json", by_alias=True, exclude_defaults=True)
            for name, community in settings.communities.items()
        }
    login.time_zone = settings.usage.time_zone
    if settings.hub.admins:
        login.admins = [rule.model_dump(mode="json", exclude_defaults=True) for rule in settings.hub.admins]
    if settings.hub.service_users:
        login.service_users = set(settings.hub.service_users)
    if settings.branding.contact:
        login.contact = settings.branding.contact


def _set_pages(c: Config, settings: Settings) -> None:
    paths = _listed(c, "template_paths")
    if str(TEMPLATES) not in paths:
        # The first folder that has a page wins, and JupyterHub adds its own at the end: an operator's pages come first.
        c.JupyterHub.template_paths = [*paths, str(TEMPLATES)]
    page = PageContext(
        settings.hub.title,
        settings.branding,
        [(name, community.title or name, community.branding) for name, community in settings.communities.items()],
        [Announcement(told.text, told.level) for told in settings.announcements],
    )
    _update(c, "template_vars", {"hub_extensions": page})


def _quotas_of(c: Config, settings: Settings) -> list[dict[str, Any]]:
    """The quotas of the settings, or else the policies that are configured for jupyterhub-usage-quotas.

    Raises SettingsError where policies have mistakes, and where quotas are set that nothing counts.
    """
    counted = settings.usage.database or _configured(c, settings, "UsageLedger", "database")
    if settings.quotas:
        if not counted:
            raise SettingsError([Mistake("quotas", "are counted from the usage ledger.", "Set usage.database.")])
        return [quota.model_dump(mode="json", exclude_defaults=True) for quota in settings.quotas]
    section = usage_quota_policy.SECTION
    policy = _configured(c, settings, section, "policy")
    # Without a ledger they stay with the package that they were written for.
    if not policy or not counted:
        return []
    return usage_quota_policy.quotas_of(policy, _configured(c, settings, section, "scope_fallback_strategy"))


def _set_usage(c: Config, settings: Settings) -> None:
    usage = UsageSettings(
        database=settings.usage.database,
        hub=settings.usage.hub_name,
        title=settings.hub.title,
        time_zone=settings.usage.time_zone,
        template_paths=tuple(_listed(c, "template_paths")),
        communities={name: community.title or name for name, community in settings.communities.items()},
        branding=settings.branding.model_dump(mode="json"),
        community_branding={
            name: community.branding.model_dump(mode="json") for name, community in settings.communities.items()
        },
        quotas=tuple(_quotas_of(c, settings)),
        service_users=settings.hub.service_users,
        inviting=inviting(settings.communities),
        invitation_secret=c.Invitations.get("secret") or os.environ.get(KEY_VARIABLE, ""),
    )
    c.UsageLedger.database = usage.database
    c.UsageLedger.hub_name = usage.hub
    registered = [service.get("url") for service in _listed(c, "services") if service.get("name") == SERVICE]
    service = registration(
        usage,
        url=settings.usage.url or next(filter(None, registered), None) or f"http://127.0.0.1:{random_port()}",
    )
    put(c, "services", service.service)
    _update(c, "custom_scopes", service.custom_scopes)
    grant(c, "user", service.user_scopes)


def put(c: Config, trait: str, entry: Mapping[str, Any]) -> None:
    """Put an entry into one of JupyterHub's lists, in the place of one of the same name, else at the end."""
    _change(c, trait, str(entry["name"]), lambda _: dict(entry))


def add_role(c: Config, role: Mapping[str, Any]) -> None:
    """Add a role; an operator's role of that name keeps what it has and gains the scopes and groups."""

    def joined(found: Mapping[str, Any]) -> dict[str, Any]:
        return {**role, **found} | {key: _union(found.get(key), role[key]) for key in ("scopes", "groups")}

    _change(c, "load_roles", str(role["name"]), joined)


def grant(c: Config, role: str, scopes: Iterable[str]) -> None:
    """Add scopes to a role; it keeps what it has, from the operator or else from JupyterHub."""
    defined = any(entry.get("name") == role and _has_scopes(entry) for entry in _listed(c, "load_roles"))
    if role == "user" and not defined and jupyterhub.version_info >= (6,):
        c.JupyterHub.extra_user_scopes = _value(c, "extra_user_scopes", set()) | set(scopes)
        return
    default: list[str] = next((each["scopes"] for each in get_default_roles() if each["name"] == role), [])

    def with_scopes(found: Mapping[str, Any]) -> dict[str, Any]:
        return {**found, "name": role, "scopes": _union(found["scopes"] if _has_scopes(found) else default, scopes)}

    _change(c, "load_roles", role, with_scopes)


def _has_scopes(role: Mapping[str, Any]) -> bool:
    return role.get("scopes") is not None


def _union(found: Iterable[str] | None, added: Iterable[str]) -> list[str]:
    return list(dict.fromkeys([*(found or ()), *added]))


def _change(c: Config, trait: str, name: str, change: Callable[[Mapping[str, Any]], dict[str, Any]]) -> None:
    """Change the entry of that name in one of JupyterHub's lists, or append one."""
    entries = _listed(c, trait)
    index = next((i for i, entry in enumerate(entries) if entry.get("name") == name), len(entries))
    found = entries[index] if index < len(entries) else {}
    c.JupyterHub[trait] = [*entries[:index], change(found), *entries[index + 1 :]]


def _update(c: Config, trait: str, entries: Mapping[str, Any]) -> None:
    """Put entries into one of JupyterHub's mappings."""
    c.JupyterHub[trait] = {**_value(c, trait, {}), **entries}


def _listed(c: Config, trait: str) -> list[Any]:
    """What has been put into one of JupyterHub's lists so far."""
    return _entries(_value(c, trait, []))


def _entries(value: Any) -> list[Any]:
    """The entries of a list, or of a mapping of names to entries, as Zero to JupyterHub has services and roles."""
    return [{"name": name, **entry} for name, entry in value.items()] if isinstance(value, dict) else list(value)


def _value(c: Config, trait: str, empty: Any) -> Any:
    """What one of JupyterHub's traits has been given so far, by assignment or by adding to it."""
    value = c.JupyterHub.get(trait, empty)
    # A lazy value computes itself once, and forgets what is added afterwards.
    value = copy.deepcopy(value).get_value(empty) if isinstance(value, LazyConfigValue) else value
    return type(empty)(value) if isinstance(empty, set) else value
