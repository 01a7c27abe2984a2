"""The one call that wires a hub: from settings to traits."""

import copy
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from jupyterhub.utils import random_port
from traitlets.config import Application, Config

from . import catalogue, changes, idle_service, in_use, live_settings
from . import settings as settings_files
from .additions import add_role, grant, handle, listed, put, sections, update
from .findings import Finding, told_once
from .in_use import InUse
from .invitations import KEY_VARIABLE, inviting
from .live_file import LiveFile
from .live_settings import Given, Live, LiveAnnouncements, LiveGroups, LiveProfiles
from .mistakes import SettingsError
from .pages import PageContext
from .report_settings import plain
from .roles import leads_roles
from .settings import Settings
from .share import TEMPLATES
from .spawner_traits import class_of, traits_of
from .usage_service import INVITE, READ, RUNNING_SERVERS, SERVICE, UsageSettings, registration, time_zone
from .z2jh.chart import read_chart
from .z2jh.custom import translate

log = logging.getLogger("hub_extensions")


def configure(c: Config, settings: Mapping[str, Any] | str | Path | None = None) -> None:
    """Set everything that the settings, a mapping or a YAML file, ask for on a hub's configuration.

    Without settings, they are read from the values of the Zero to JupyterHub chart that runs this hub: see `z2jh`.

    What is there already stays: lists are appended to, and what stands under a name of ours is put in its place, so
    that a second call changes nothing. Settings with mistakes end the process with status 1 and one message that lists
    them all, before anything is set: JupyterHub would log an exception and start without its configuration.

    Profiles, sizes and announcements of a YAML file, or of the one that `live_file` names, are those that it has at any
    moment: it is followed from the hub's first page or server on, see `live_settings`.
    """
    tell = _log()
    try:
        wired = wire(c, read_chart() if settings is None else None, settings, live_log=tell)
    except SettingsError as error:
        raise SystemExit(str(error)) from error
    for doubt in told_once(wired.doubts):
        tell.warning("%s", doubt)
    for line in wired.lines:
        tell.info("hub-extensions: %s", line)


@dataclass(frozen=True)
class Wired:
    """What came of a configuration: what is doubtful in it, and lines for the log on what was changed."""

    doubts: Sequence[Finding]
    lines: Sequence[str]


def wire(
    c: Config,
    values: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | str | Path | None = None,
    process: Mapping[str, str] = os.environ,
    live_log: logging.Logger | None = None,
) -> Wired:
    """Do what `configure` does, from the values of a chart or from settings, and tell it nobody.

    `process` is the environment of the hub's process. `live_log` is told what becomes of new versions of the file that
    profiles and announcements come from; without it they stay as they are, and a `live_file` may be absent. Raises
    SettingsError with everything that is wrong, by the paths of what was given, before anything is set.
    """
    source = None if values is None else translate(values, sections(c), process)
    staff = source.staff if source else None
    given = source.settings if source else {} if settings is None else settings
    written = Given({})
    try:
        written = live_settings.given(given, may_be_absent=live_log is None)
        checked = settings_files.check(
            written.values, written.name, lambda named: traits_of(named or c.JupyterHub.get("spawner_class"))
        )
        used = in_use.check(c, checked, staff)
    except SettingsError as error:
        placed = written.error(error)
        raise source.error(placed) if source else placed from None
    if source and source.is_wrong:
        raise source.error()
    used = replace(used, doubts=written.placed(used.doubts))
    live = live_settings.follow(written, c, staff, checked, used.doubts, live_log) if live_log else None
    before = copy.deepcopy(sections(c))
    _apply(c, checked, used, live)
    found = changes.compare(before, sections(c))
    changes.remember(c, found, checked)
    summary = f"{len(used.profiles or ())} profiles, {len(checked.communities)} communities, {len(used.quotas)} quotas"
    summary += f", usage {'on' if checked.usage.database else 'off'}"
    return Wired(source.doubts(used.doubts) if source else used.doubts, [summary, *changes.lines(found)])


def _log() -> logging.Logger:
    """The hub's log, which is where people look; ours where no hub runs."""
    return Application.instance().log if Application.initialized() else log


def _apply(c: Config, settings: Settings, used: InUse, live: LiveFile[Live] | None) -> None:
    for section, traits in settings.hub.config.items():
        for name, value in traits.items():
            c[section][name] = value
    _set_pages(c, settings, live)
    if live and settings.profiles:
        c.ProfileSpawner.profile_list = LiveProfiles(live)
    elif used.profiles is not None:
        c[used.section or "ProfileSpawner"].profile_list = used.profiles
    if used.profiles is not None and _may_ask_github(c):
        groups = LiveGroups(live) if live and settings.profiles else set(catalogue.groups_of(used.profiles))
        c.CommunityGitHubAuthenticator.profile_groups = groups
    if "time_zone" in settings.usage.model_fields_set:
        c.ProfileSpawner.time_zone = c.CommunityAuthenticator.time_zone = settings.usage.time_zone
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
    if used.quotas:
        c.ProfileSpawner.quotas = list(used.quotas)
    if settings.usage.database:
        _set_usage(c, settings, used)
    if settings.idle.is_set:
        put(c, "services", idle_service.service(settings.idle))
        add_role(c, idle_service.role())
    if settings.usage.database or settings.idle.is_set:
        (endpoint,) = entry_points(group="hub_extensions.hub_handlers", name="servers")
        handle(c, f"/api/{RUNNING_SERVERS}", endpoint.load())
    # JupyterHub refuses a custom scope that no service has defined.
    for role in leads_roles(settings.communities, [READ, INVITE] if settings.usage.database else []):
        add_role(c, role)
    for given in settings.grants:
        grant(c, given.to, given.scopes)


def _may_ask_github(c: Config) -> bool:
    """Whether people log in with GitHub alone, as far as that is known by now."""
    named = c.JupyterHub.get("authenticator_class")
    login = class_of(named, "jupyterhub.authenticators")
    return not named or "CommunityGitHubAuthenticator" in [base.__name__ for base in (login.__mro__ if login else ())]


def _set_login(c: Config, settings: Settings) -> None:
    login = c.CommunityAuthenticator
    if settings.communities:
        login.communities = {
            name: community.model_dump(mode="json", by_alias=True, exclude_defaults=True)
            for name, community in settings.communities.items()
        }
    if settings.hub.admins:
        login.admins = [rule.model_dump(mode="json", exclude_defaults=True) for rule in settings.hub.admins]
    if settings.hub.service_users:
        login.service_users = set(settings.hub.service_users)
    if settings.branding.contact:
        login.contact = settings.branding.contact


def _set_pages(c: Config, settings: Settings, live: LiveFile[Live] | None) -> None:
    paths = listed(c, "template_paths")
    if str(TEMPLATES) not in paths:
        # The first folder that has a page wins, and JupyterHub adds its own at the end: an operator's pages come first.
        c.JupyterHub.template_paths = [*paths, str(TEMPLATES)]
    page = PageContext(
        settings.hub.title,
        settings.branding,
        [(name, community.title or name, community.branding) for name, community in settings.communities.items()],
        LiveAnnouncements(live) if live else lambda: settings.announcements,
        time_zone(settings.usage.time_zone),
    )
    update(c, "template_vars", {"hub_extensions": page})


def _set_usage(c: Config, settings: Settings, used: InUse) -> None:
    usage = UsageSettings(
        database=settings.usage.database,
        hub=settings.usage.hub_name,
        title=settings.hub.title,
        time_zone=settings.usage.time_zone,
        template_paths=tuple(listed(c, "template_paths")),
        communities={name: community.title or name for name, community in settings.communities.items()},
        branding=settings.branding.model_dump(mode="json"),
        community_branding={
            name: community.branding.model_dump(mode="json") for name, community in settings.communities.items()
        },
        quotas=tuple(used.quotas),
        profiles=catalogue.names_of(used.profiles),
        service_users=settings.hub.service_users,
        inviting=inviting(settings.communities),
        reports=plain(settings.usage),
        keep_sessions=settings.usage.keep_sessions,
        metrics_per_user=settings.usage.metrics_per_user,
        # Who may see the hub's own metrics may see these.
        metrics_open=c.JupyterHub.get("authenticate_prometheus", True) is False,
        invitation_secret=c.Invitations.get("secret") or os.environ.get(KEY_VARIABLE, ""),
    )
    c.UsageLedger.database = usage.database
    c.UsageLedger.hub_name = usage.hub
    registered = [service.get("url") for service in listed(c, "services") if service.get("name") == SERVICE]
    service = registration(
        usage,
        url=settings.usage.url or next(filter(None, registered), None) or f"http://127.0.0.1:{random_port()}",
    )
    there: Mapping[str, Any] = next((each for each in listed(c, "services") if each.get("name") == SERVICE), {})
    # One with a token and no command is started by the operator, who also tells it what it needs.
    elsewhere = {"command", "environment"} if there.get("api_token") and not there.get("command") else set()
    kept = {"api_token": there["api_token"]} if elsewhere else {}
    put(c, "services", {**{key: each for key, each in service.service.items() if key not in elsewhere}, **kept})
    update(c, "custom_scopes", service.custom_scopes)
    grant(c, "user", service.user_scopes)
    add_role(c, service.role)
