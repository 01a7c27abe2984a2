"""How the usage service is registered with a hub: the service, who may see what, and what its process is told.

Only data: the service itself is a plug-in, found by the entry point ``usage`` of ``hub_extensions.services``.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .invitations import KEY_VARIABLE
from .keeping import USUAL, Keeping

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import tzinfo

SERVICE = "usage"
READ = "custom:usage:read"
"""The scope that shows usage: of everybody, or with ``!group=NAME`` of one community."""
READ_EVERYBODY = "read:users:activity"
"""Whoever may see everybody's activity in the hub sees everybody's usage: its admins, whose role JupyterHub gives this
scope and lets nobody extend by a custom one."""

INVITE = "custom:invitations:make"
"""The scope that makes invitations: with ``!group=NAME`` to one community. Who may see its usage is not enough."""
ADMINISTER = "read:roles"
"""Whoever has this administers the hub, and may invite everywhere: of JupyterHub's roles only that of admins has it. It
shows who has which role, and so a token of it does no harm here."""

LIST_USERS = "list:users"
"""The scope by which the hub shows somebody its people: leads those of their community."""

RUNNING_SERVERS = "hub-extensions/servers"
"""Where, under the hub's API, services read which servers run."""
SCOPES = ("list:users", "read:users:groups", "read:servers", "read:groups")
"""What the service itself may do, to read that, and who is in the group of a community."""

DATABASE_VARIABLE = "HUB_EXTENSIONS_DATABASE"
HUB_PROCESS_VARIABLE = "HUB_EXTENSIONS_HUB_PID"
"""The process that configures the hub and starts the service: without it the service has nothing to do."""
SETTINGS_VARIABLE = "HUB_EXTENSIONS_USAGE"
# -P: not what happens to lie in the folder in which the hub runs. The installed package, of the hub's own Python.
_COMMAND = (sys.executable, "-P", "-m", "hub_extensions.commands", SERVICE)


def time_zone(name: str) -> tzinfo:
    """Return the zone that an IANA name stands for, such as ``Europe/Berlin``; ``ValueError`` if there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name[:64]!r}; expected a name such as UTC or Europe/Berlin") from None


@dataclass(frozen=True, kw_only=True)
class UsageSettings:
    """What the usage service is told.

    ``database`` is an SQLAlchemy URL; ``hub`` the hub's name in the ledger, ``title`` what pages call it;
    ``time_zone`` an IANA name, in which months begin; ``template_paths`` are looked into before the bundle's own
    folder; ``communities`` maps the name of each community to its title, ``inviting`` names those that admit people by
    invitation, and ``invitation_secret`` signs invitations (see ``ledger.invitations``). ``branding`` and
    ``community_branding`` are what settings have under ``branding``, as plain values, of the hub and of communities by
    name; ``quotas`` what they have under ``quotas``, none of which holds for ``service_users``; ``reports`` what they
    say about reports (see ``report_settings``), and ``keep_sessions`` (see ``keeping``). Every ``beat_seconds`` the
    service asks the hub which servers run.
    ``metrics_per_user`` puts people's names into its metrics; ``metrics_open`` shows these to whoever asks.
    ``profiles`` maps the slug of each profile to the name by which people know it.
    """

    database: str
    hub: str = "hub"
    title: str = "JupyterHub"
    time_zone: str = "UTC"
    template_paths: tuple[str, ...] = ()
    communities: Mapping[str, str] = field(default_factory=dict)
    branding: Mapping[str, Any] = field(default_factory=dict)
    community_branding: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    quotas: tuple[Mapping[str, Any], ...] = ()
    service_users: tuple[str, ...] = ()
    inviting: tuple[str, ...] = ()
    invitation_secret: str = ""
    reports: Mapping[str, Any] = field(default_factory=dict)
    keep_sessions: str = USUAL
    beat_seconds: float = 60.0
    metrics_per_user: bool = False
    metrics_open: bool = False
    profiles: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.database:
            raise ValueError(
                "the usage service has no database: set usage.database, the environment variable "
                f"{DATABASE_VARIABLE}, or --database sqlite:///usage.sqlite"
            )
        time_zone(self.time_zone)
        Keeping.parse(self.keep_sessions)

    def environment(self) -> dict[str, str]:
        """Return what the service's process gets; the database by itself, as it may hold a password."""
        rest = {
            "hub": self.hub,
            "title": self.title,
            "time_zone": self.time_zone,
            "template_paths": list(self.template_paths),
            "communities": dict(self.communities),
            "branding": dict(self.branding),
            "community_branding": dict(self.community_branding),
            "quotas": [dict(quota) for quota in self.quotas],
            "service_users": list(self.service_users),
            "inviting": list(self.inviting),
            "reports": dict(self.reports),
            "keep_sessions": self.keep_sessions,
            "beat_seconds": self.beat_seconds,
            "metrics_per_user": self.metrics_per_user,
            "metrics_open": self.metrics_open,
            "profiles": dict(self.profiles),
        }
        secret = {KEY_VARIABLE: self.invitation_secret} if self.invitation_secret else {}
        return {DATABASE_VARIABLE: self.database, SETTINGS_VARIABLE: json.dumps(rest), **secret}

    @classmethod
    def read(cls, environment: Mapping[str, str], **given: Any) -> UsageSettings:
        """Read what ``environment()`` wrote; ``given`` values that are neither ``None`` nor empty win.

        Raises ``ValueError`` when something is missing or wrong.
        """
        values: dict[str, Any] = {
            "database": environment.get(DATABASE_VARIABLE, ""),
            "invitation_secret": environment.get(KEY_VARIABLE, ""),
        }
        values |= json.loads(environment.get(SETTINGS_VARIABLE, "{}"))
        values |= {name: value for name, value in given.items() if value}
        try:
            names = ("template_paths", "quotas", "service_users", "inviting")
            lists = {name: tuple(values.get(name, ())) for name in names}
            return cls(**{**values, **lists})
        except TypeError as error:
            raise ValueError(
                f"{SETTINGS_VARIABLE} in the environment was written by another version: {error}"
            ) from None


@dataclass(frozen=True)
class Registration:
    """What to append to a hub's configuration.

    ``service`` → ``JupyterHub.services``; ``custom_scopes`` → ``JupyterHub.custom_scopes``; ``user_scopes`` → what the
    role ``user`` gets besides what it has; ``role`` → ``JupyterHub.load_roles``,
    for the service itself. Leads get ``READ`` and ``INVITE`` by their role, see `roles`.
    """

    service: dict[str, Any]
    custom_scopes: dict[str, dict[str, str]]
    user_scopes: list[str]
    role: dict[str, Any]


def registration(
    settings: UsageSettings,
    *,
    url: str,
    command: Iterable[str] = _COMMAND,
) -> Registration:
    """Return what a hub needs to run the service at ``url``, e.g. ``http://127.0.0.1:9000``.

    ``command`` starts the service's process.
    """
    return Registration(
        service={
            "name": SERVICE,
            "command": list(command),
            "url": url,
            "display": True,
            # The service asks for nothing beyond what the hub itself shows a person.
            "oauth_no_confirm": True,
            # The hub hands out what a person has of this: the whole scope, a part (!group=…), or nothing. Their groups
            # only choose the brand of the page. Whom the hub shows them, and when these were last active, it is asked
            # in their name.
            "oauth_client_allowed_scopes": [
                READ,
                READ_EVERYBODY,
                INVITE,
                ADMINISTER,
                LIST_USERS,
                "read:users:groups!user",
            ],
            "environment": {**settings.environment(), HUB_PROCESS_VARIABLE: str(os.getpid())},
        },
        custom_scopes={
            READ: {"description": "See the usage of a community, or of the whole hub"},
            INVITE: {"description": "Invite people into a community"},
        },
        user_scopes=[f"access:services!service={SERVICE}"],
        role={
            "name": "hub-extensions-usage",
            "description": "Read which servers run, for the usage ledger",
            "scopes": list(SCOPES),
            "services": [SERVICE],
        },
    )
