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
from .communities import leads_group
from .mistakes import SettingsError
from .pages import Announcement, PageContext
from .settings import Settings
from .share import TEMPLATES
from .usage_service import SERVICE, UsageSettings, registration

log = logging.getLogger("hub_extensions")


def configure(c: Config, settings: Mapping[str, Any] | str | Path) -> None:
    """Set everything that the settings, a mapping or a YAML file, ask for on a hub's configuration.

    What is there already stays: lists are appended to, and what stands under a name of ours is put in its place, so
    that a second call changes nothing. Settings with mistakes end the process with status 1 and one message that lists
    them all, before anything is set: JupyterHub would log an exception and start without its configuration.
    """
    try:
        checked = settings_files.load(settings)
    except SettingsError as error:
        sys.exit(str(error))
    apply(c, checked)


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
        c.CommunityAuthenticator.contact = settings.branding.contact or ""
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
