"""The one call that wires a hub: from settings to traits."""

import logging
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jupyterhub.utils import random_port
from traitlets.config import Config
from traitlets.config.loader import LazyConfigValue

from . import settings as settings_files
from . import usage_quota_policy
from .catalogue_check import check_list
from .communities import leads_group
from .findings import told_once
from .mistakes import Mistake, SettingsError
from .node_sizes import expand
from .pages import Announcement, PageContext
from .settings import Settings
from .share import TEMPLATES
from .spawner_traits import class_of, traits_of
from .usage_service import SERVICE, UsageSettings, registration

log = logging.getLogger("hub_extensions")


def configure(c: Config, settings: Mapping[str, Any] | str | Path) -> None:
    """Set everything that the settings, a mapping or a YAML file, ask for on a hub's configuration.

    What is there already stays: lists are appended to, and what stands under a name of ours is put in its place, so
    that a second call changes nothing. Settings with mistakes end the process with status 1 and one message that lists
    them all, before anything is set: JupyterHub would log an exception and start without its configuration.
    """
    try:
        checked = settings_files.load(settings, lambda named: traits_of(named or c.JupyterHub.get("spawner_class")))
        section, profiles = _profiles_of(c, checked)
        _quotas_of(c, checked)
        doubts = _doubts(profiles, f"c.{section}.profile_list" if section else "profiles", _spawner_class(c, checked))
    except SettingsError as error:
        sys.exit(str(error))
    for doubt in doubts:
        log.warning("%s", doubt)
    apply(c, checked)
    if section:
        c[section].profile_list = profiles


def _doubts(profiles: Any, path: str, spawner_class: Any) -> list[str]:
    """What is doubtful in the profiles that the hub will have, each thing told once.

    Raises SettingsError if there are mistakes: those of the settings have been found, those of the configuration not.
    """
    if not isinstance(profiles, (list, dict)):
        return []
    found = check_list(profiles, path, traits_of(spawner_class))
    mistakes = [finding for finding in found if finding.severity == "error"]
    if mistakes:
        raise SettingsError(mistakes, path)
    return told_once(found)


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
    quotas = _quotas_of(c, settings)
    if quotas:
        c.ProfileSpawner.quotas = quotas
        if settings.hub.service_users:
            c.ProfileSpawner.service_users = list(settings.hub.service_users)
    if settings.usage.database:
        _set_usage(c, settings)
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
    )
    c.UsageLedger.database = usage.database
    c.UsageLedger.hub_name = usage.hub
    registered = [service.get("url") for service in _listed(c, "services") if service.get("name") == SERVICE]
    service = registration(
        usage,
        url=settings.usage.url or next(filter(None, registered), None) or f"http://127.0.0.1:{random_port()}",
        leads={name: [leads_group(name)] for name in settings.communities},
    )
    put(c, "services", service.service)
    for role in service.roles:
        put(c, "load_roles", role)
    _update(c, "custom_scopes", service.custom_scopes)
    grant(c, "user", ["self"], service.user_scopes)


def put(c: Config, trait: str, entry: Mapping[str, Any]) -> None:
    """Put an entry into one of JupyterHub's lists, in the place of one of the same name, else at the end."""
    _change(c, trait, str(entry["name"]), lambda _: dict(entry))


def grant(c: Config, role: str, default_scopes: list[str], scopes: list[str]) -> None:
    """Add scopes to one of JupyterHub's own roles; an operator's definition of the role keeps what it has."""

    def with_scopes(found: Mapping[str, Any]) -> dict[str, Any]:
        has = list(found.get("scopes", default_scopes))
        return {**found, "name": role, "scopes": has + [scope for scope in scopes if scope not in has]}

    _change(c, "load_roles", role, with_scopes)


def _change(c: Config, trait: str, name: str, change: Callable[[Mapping[str, Any]], dict[str, Any]]) -> None:
    """Change the entry of that name in one of JupyterHub's lists, or append one."""
    entries = _listed(c, trait)
    index = next((i for i, entry in enumerate(entries) if entry.get("name") == name), len(entries))
    found = entries[index] if index < len(entries) else {}
    c.JupyterHub[trait] = [*entries[:index], change(found), *entries[index + 1 :]]


def _update(c: Config, trait: str, entries: Mapping[str, Any]) -> None:
    """Put entries into one of JupyterHub's mappings."""
    value = c.JupyterHub.get(trait, {})
    c.JupyterHub[trait] = {**(value.get_value({}) if isinstance(value, LazyConfigValue) else value), **entries}


def _listed(c: Config, trait: str) -> list[Any]:
    """What has been put into one of JupyterHub's lists so far, by assignment or by appending to it."""
    value = c.JupyterHub.get(trait, [])
    return list(value.get_value([]) if isinstance(value, LazyConfigValue) else value)
