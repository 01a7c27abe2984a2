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


def _may_be_empty(schema: dict[str, Any]) -> None:
    """Put what `_empty_is_absent` lets through into the schema of a section."""
    for key, value in schema["properties"].items():
        if key not in schema.get("required", ()):
            told = {name: value.pop(name) for name in ("default", "description") if name in value}
            alternatives = [each for each in value.pop("anyOf", [value]) if each != {"type": "null"}]
            schema["properties"][key] = {"anyOf": [*alternatives, {"type": "null"}], **told}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, json_schema_extra=_may_be_empty)

    @model_validator(mode="before")
    @classmethod
    def _empty_is_absent(cls, values: Any) -> Any:
        # `profiles:` with nothing after it is how people leave a section of a YAML file empty.
        return (
            {key: value for key, value in values.items() if value is not None} if isinstance(values, dict) else values
        )


class Hub(_Part):
    """The hub itself."""

    title: str = "JupyterHub"
    """What pages, reports and refusals call the hub."""
    admins: tuple[Rule, ...] = ()
    """Rules that say who administers the hub, besides `admin_users`."""
    service_users: tuple[Name, ...] = ()
    """Users that are programs, such as a health check: no login, no quota, counted nowhere."""
    config: dict[str, dict[str, Any]] = {}
    """Traits by class, as in `hub.config` of Zero to JupyterHub: `JupyterHub: {spawner_class: profile-kube}`."""


class Usage(_Part, ReportSettings):
    """The ledger, the usage service and its reports; without a database all are off.

    The service listens on all interfaces when the host of `url` is another than loopback. After `keep_sessions` only
    sums of each day and month are left, without names.
    """

    database: str = ""
    """SQLAlchemy's URL of the ledger, such as `sqlite:////srv/hub/usage.sqlite`; without it, all of this is off."""
    hub_name: str = "hub"
    """What this hub is called in the ledger, which several hubs may share."""
    url: str = ""
    """Where the hub's proxy calls the usage service, such as `http://hub:10101`; else a free port on loopback."""
    time_zone: str = "UTC"
    """IANA name of the zone in which days and months begin, such as `Europe/Berlin`."""
    keep_sessions: str = USUAL_KEEPING
    """How long sessions stand there with people's names: `13 months`, `400 days`, `2 years`, `forever`."""
    metrics_per_user: bool = False
    """Whether the service's metrics for Prometheus have the hours of people by name."""

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
    """Name of the role, such as `user` or `server`."""
    scopes: tuple[str, ...] = Field(min_length=1)
    """What whoever holds the role may do besides what the role has already."""


class Settings(_Part):
    """Everything that `configure` wires; sizes are put into the profiles, which `catalogue_check` checks."""

    hub: Hub = Hub()
    """The hub itself."""
    communities: Communities = {}
    """Who may log in, as named sets of people."""
    profiles: Any = ()
    """The environments that people can start: KubeSpawner's `profile_list`, and whom each part is for."""
    sizes: Any = {}
    """Sizes by name, for `size` in a profile or a choice and for `sizes` in an option."""
    usage: Usage = Usage()
    """What is kept of sessions, and shown of them."""
    quotas: Quotas = ()
    """How much each person may use."""
    idle: Idle = Idle()
    """When servers are stopped for being idle or old."""
    branding: Branding = Branding()
    """How pages look."""
    announcements: tuple[Announcement, ...] = ()
    """Sentences at the top of pages."""
    live_file: str = ""
    """A file with `profiles`, `sizes` and `announcements`, which is read again when it changes."""
    grants: tuple[Grant, ...] = ()
    """Scopes that are added to roles."""
    group_directories: tuple[GroupDirectory, ...] = ()
    """Folders that the members of groups have in their servers."""
    environment_from_auth_state: auth_state_environment.Templates = {}
    """Variables of a server, filled in from its owner's auth_state: `{auth_state[github_user][login]}`."""
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
    """Refuses a key that stands twice in one mapping, of which YAML would quietly keep the last.

    A date that does not exist stays text, so that it is told by its place in the settings.
    """

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

    def construct_yaml_timestamp(self, node: yaml.ScalarNode) -> Any:
        try:
            return super().construct_yaml_timestamp(node)
        except ValueError:
            return self.construct_scalar(node)


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _Loader.construct_yaml_timestamp)
