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
from .catalogue_check import check_list
from .communities import leads_group
from .findings import told_once
from .mistakes import SettingsError
from .pages import Announcement, PageContext
from .settings import Settings
from .share import TEMPLATES
from .spawner_traits import class_of, traits_of
from .usage_service import UsageSettings, registration

log = logging.getLogger("hub_extensions")


def configure(c: Config, settings: Mapping[str, Any] | str | Path) -> None:
    """Set everything that the settings, a mapping or a YAML file, ask for on a hub's configuration.

    What is there already stays: lists are appended to, and what stands under a name of ours is put in its place, so
    that a second call changes nothing. Settings with mistakes end the process with status 1 and one message that lists
    them all, before anything is set: JupyterHub would log an exception and start without its configuration.
    """
    try:
        checked = settings_files.load(settings, lambda named: traits_of(named or c.JupyterHub.get("spawner_class")))
        doubts = _check_profiles(c, checked)
    except SettingsError as error:
        sys.exit(str(error))
    for doubt in doubts:
        log.warning("%s", doubt)
    apply(c, checked)


def _check_profiles(c: Config, settings: Settings) -> list[str]:
    """What is doubtful in the profiles that the hub will have: those of the settings, else those of its configuration.

    Raises SettingsError for mistakes in the latter; the former have been checked for them.
    """
    configured = _layered(c, settings.hub.config)
    spawner_class = configured("JupyterHub", "spawner_class")
    path, profiles = "profiles", settings.profiles
    if not profiles:
        path, profiles = _configured_profiles(spawner_class, configured)
    if not isinstance(profiles, (list, dict)):
        return []
    found = check_list(profiles, path, traits_of(spawner_class))
    mistakes = [finding for finding in found if finding.severity == "error"]
    if mistakes:
        raise SettingsError(mistakes, path)
    return told_once(found)


def _layered(c: Config, above: Mapping[str, Mapping[str, Any]]) -> Callable[[str, str], Any]:
    """A reader of what a class's trait is configured with, once the settings are laid over what is there."""

    def configured(section: str, name: str) -> Any:
        return above.get(section, {}).get(name, c[section].get(name) if section in c else None)

    return configured


def _configured_profiles(spawner_class: Any, configured: Callable[[str, str], Any]) -> tuple[str, Any]:
    """Where the profiles of a spawner of ours are configured, and what they are; other spawners have other grammars.

    Zero to JupyterHub sets `singleuser.profileList` for KubeSpawner. The most specific class counts.
    """
    cls = class_of(spawner_class)
    names = [base.__name__ for base in cls.__mro__] if cls else []
    if "ProfileSpawner" not in names:
        return "", None
    found = ((f"c.{name}.profile_list", configured(name, "profile_list")) for name in names)
    return next((entry for entry in found if entry[1] is not None), ("", None))


def apply(c: Config, settings: Settings) -> None:
    """Set what checked settings ask for; see `configure`."""
    for section, traits in settings.hub.config.items():
        for name, value in traits.items():
            c[section][name] = value
    _set_pages(c, settings)
    if settings.profiles:
        c.ProfileSpawner.profile_list = settings.profiles
    if settings.communities:
        c.ProfileSpawner.communities = {
            name: community.title or name for name, community in settings.communities.items()
        }
        c.CommunityAuthenticator.communities = {
            name: community.model_dump(mode="json", by_alias=True) for name, community in settings.communities.items()
        }
        if settings.branding.contact:
            c.CommunityAuthenticator.contact = settings.branding.contact
    if settings.usage.database:
        _set_usage(c, settings)
    log.info(
        "%d profiles, %d communities, usage %s",
        len(settings.profiles),
        len(settings.communities),
        "on" if settings.usage.database else "off",
    )


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
    )
    c.UsageLedger.database = usage.database
    c.UsageLedger.hub_name = usage.hub
    service = registration(
        usage,
        url=settings.usage.url or f"http://127.0.0.1:{random_port()}",
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
