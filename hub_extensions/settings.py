"""The settings of a hub: one mapping or YAML file, checked whole before anything of it is used."""

from collections.abc import Callable, Hashable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, field_validator, model_validator

from . import announcements as announced
from . import auth_state_environment
from .announcements import Announcement
from .branding import Branding
from .catalogue_check import check_list
from .communities import Communities
from .findings import Finding
from .idle import Idle
from .invitations import inviting
from .keeping import USUAL as USUAL_KEEPING
from .keeping import Keeping
from .ledger.engine import connect
from .membership import Name, Rule
from .mistakes import Mistake, SettingsError, mistakes_in, shown
from .mounts import GroupDirectory
from .node_sizes import expand
from .override_check import Traits
from .quotas import Quotas, too_long, unknown_communities
from .report_settings import ReportSettings
from .usage_service import time_zone

_SET_DATABASE = "Set usage.database, for instance to sqlite:///usage.sqlite."


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    @model_validator(mode="before")
    @classmethod
    def _empty_is_absent(cls, values: Any) -> Any:
        # `profiles:` with nothing after it is how people leave a section of a YAML file empty.
        return (
            {key: value for key, value in values.items() if value is not None} if isinstance(values, dict) else values
        )


class Hub(_Part):
    """The hub itself; `config` holds traits by class, as Zero to JupyterHub's `hub.config` does.

    `admins`: rules that say who administers it. `service_users`: users that are programs, such as a health check.
    """

    title: str = "JupyterHub"
    admins: tuple[Rule, ...] = ()
    service_users: tuple[Name, ...] = ()
    config: dict[str, dict[str, Any]] = {}


class Usage(_Part, ReportSettings):
    """The ledger, the usage service and its reports; without a database all are off.

    `database` is an SQLAlchemy URL, `hub_name` tells hubs apart that share one, `url` is where the proxy calls the
    service (default: a free port on loopback; the service listens on all interfaces when the host is another), and days
    and months of reports begin in `time_zone`. For `keep_sessions` (`13 months`, `400 days`, `forever`) sessions stand
    there with people's names; then only sums of each day and month are left.
    `metrics_per_user` puts the hours of people, by name, into the service's metrics, for Prometheus.
    """

    database: str = ""
    hub_name: str = "hub"
    url: str = ""
    time_zone: str = "UTC"
    keep_sessions: str = USUAL_KEEPING
    metrics_per_user: bool = False

    @field_validator("database")
    @classmethod
    def _can_be_used(cls, url: str) -> str:
        if url:
            connect(url, timeout=1).dispose()  # nothing was opened
        return url

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        if url and not (url.startswith(("http://", "https://")) and urlsplit(url).hostname):
            raise ValueError(f"expected an address such as http://hub:10101, found {shown(url)}.")
        return url

    @field_validator("time_zone")
    @classmethod
    def _exists(cls, name: str) -> str:
        time_zone(name)
        return name

    @field_validator("keep_sessions")
    @classmethod
    def _is_a_time(cls, text: str) -> str:
        Keeping.parse(text)
        return text


class Grant(_Part):
    """Scopes that whoever holds a role gets besides what the role has; `to` is the role's name, such as `user`."""

    to: str
    scopes: tuple[str, ...] = Field(min_length=1)


class Settings(_Part):
    """Everything that `configure` wires; sizes are put into the profiles, which `catalogue_check` checks.

    `live_file` names a file of which profiles, sizes and announcements are read, and read again when it changes.
    """

    hub: Hub = Hub()
    communities: Communities = {}
    profiles: Any = ()
    sizes: Any = {}
    usage: Usage = Usage()
    quotas: Quotas = ()
    idle: Idle = Idle()
    branding: Branding = Branding()
    announcements: tuple[Announcement, ...] = ()
    live_file: str = ""
    grants: tuple[Grant, ...] = ()
    group_directories: tuple[GroupDirectory, ...] = ()
    environment_from_auth_state: auth_state_environment.Templates = {}
    _doubts: tuple[Finding, ...] = PrivateAttr(())

    @property
    def doubts(self) -> tuple[Finding, ...]:
        """What the check of the profiles found doubtful."""
        return self._doubts

    @field_validator("profiles", mode="before")
    @classmethod
    def _are_listed(cls, profiles: Any) -> Any:
        if isinstance(profiles, (list, dict)):
            return profiles
        raise ValueError(f"expected a list of profiles, found {shown(profiles)}.")


def today(settings: Settings) -> date:
    """The day by which profiles are found to be over: where the hub's days begin."""
    return datetime.now(time_zone(settings.usage.time_zone)).date()


def load(source: Mapping[str, Any] | str | Path, traits_of: Callable[[Any], Traits | None] | None = None) -> Settings:
    """The settings in a mapping, or in the YAML file of that name.

    `traits_of` tells the settings of the spawner that `hub.config` names (None if it names none); the overrides of
    profiles are checked by them. Raises SettingsError with everything that is wrong, not only the first.
    """
    if isinstance(source, Mapping):
        return check(source, "settings", traits_of)
    path = Path(source)
    return check(parse(read(path), str(path)), str(path), traits_of)


def check(values: Mapping[str, Any], source: str, traits_of: Callable[[Any], Traits | None] | None = None) -> Settings:
    """The settings in a mapping; `source` names where they come from in messages. Raises SettingsError."""
    profiles, mistakes = expand(values.get("profiles"), values.get("sizes", {}))
    values = {**values, "profiles": profiles} if "profiles" in values else values
    settings = Settings()
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        mistakes += mistakes_in(error, Settings)
    if not settings.usage.database:
        mistakes += [
            Mistake(f"communities.{name}", "invitation: true needs a database to keep invitations in.", _SET_DATABASE)
            for name in inviting(settings.communities)
        ]
    if isinstance(profiles, (list, dict)):
        traits = traits_of(_at(values, "hub", "config", "JupyterHub", "spawner_class")) if traits_of else None
        found = check_list(profiles, "profiles", traits, today(settings))
        mistakes += [finding for finding in found if finding.severity == "error"]
        settings._doubts = tuple(found)
    mistakes += announced.mistakes(settings.announcements, settings.communities, time_zone(settings.usage.time_zone))
    mistakes += unknown_communities(settings.quotas, settings.communities)
    mistakes += too_long(settings.quotas, Keeping.parse(settings.usage.keep_sessions).shortest, "usage.keep_sessions")
    if mistakes:
        raise SettingsError(mistakes, source, [found for found in settings.doubts if found.severity == "warning"])
    return settings


def _at(values: Any, *path: str) -> Any:
    """What stands at a path in values that may have mistakes; None if nothing does."""
    for key in path:
        values = values.get(key) if isinstance(values, Mapping) else None
    return values


def read(path: Path) -> bytes:
    """What a file of settings holds; raises SettingsError if it cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise SettingsError([Mistake(str(path), "there is no such file.")]) from None
    except OSError as error:
        raise SettingsError([Mistake(str(path), f"cannot be read: {error}.")]) from None


def parse(content: bytes, source: str) -> Mapping[str, Any]:
    """The mapping that a YAML file called `source` holds; raises SettingsError if it holds none."""
    try:
        values = yaml.load(content.decode("utf-8"), _Loader)  # noqa: S506 - a SafeLoader
    except UnicodeDecodeError as error:
        raise SettingsError([Mistake(source, f"cannot be read: {error}.")]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{source}, line {mark.line + 1}, column {mark.column + 1}" if mark else source
        raise SettingsError([Mistake(place, f"is not YAML: {error.problem}.")]) from None
    except yaml.YAMLError as error:  # characters that YAML does not have
        raise SettingsError([Mistake(source, f"is not YAML: {error}.")]) from None
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise SettingsError([Mistake(source, "expected a mapping of settings.")])
    return values


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice in one mapping, of which YAML would quietly keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen and key_node.tag != "tag:yaml.org,2002:merge":
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key!r} stands here twice", problem_mark=key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)
