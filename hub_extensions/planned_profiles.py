"""The profiles of a planned hub, and for whom they are decided."""

from datetime import datetime
from typing import Any

from jupyterhub.utils import maybe_future
from traitlets.config import Config

from . import catalogue, user_names
from . import groups as group_names
from .additions import listed, so_far
from .catalogue import Catalogue
from .file_places import Places
from .planned_login import LoginAnswer
from .profiles import Person
from .spawner_traits import class_of
from .usage_service import time_zone
from .z2jh.stock_classes import our_spawner
from .z2jh.values import look_up

_GROUP = "jupyterhub.spawners"


async def catalogue_of(c: Config, person: LoginAnswer) -> Catalogue:
    """The profiles that a hub with this configuration has; empty if it has none.

    A function that lists them is called with a spawner of the person. Raises SettingsError for mistakes in them.
    """
    profile_list = _value(c, "profile_list")
    if callable(profile_list):
        from .rendering import spawner_of

        profile_list = await maybe_future(profile_list(spawner_of(c, person.user, person.groups)))
    builder = _value(c, "binder_service") or "binder"
    has_builder = any(service.get("name") == builder for service in listed(c, "services"))
    read = catalogue.read(profile_list or [], "profiles")
    return read.model_copy(update={"built_images": (_value(c, "built_images") or "") if has_builder else ""})


def person_of(c: Config, login: LoginAnswer) -> Person:
    """For whom profiles are decided, as the spawner of a hub with this configuration has it."""
    mine = group_names.keys(login.groups)
    names = _value(c, "communities") or {}
    return Person(
        groups=frozenset(login.groups),
        today=datetime.now(time_zone(_value(c, "time_zone") or "UTC")).date(),
        user_name=login.user,
        communities=tuple(name for name in names if group_names.key(name) in mine),
        is_program=user_names.is_among(login.user, _value(c, "service_users") or ()),
    )


def spawner_class(c: Config) -> type[Any] | None:
    """The class that spawns servers; ours in the place of a stock one."""
    named = c.JupyterHub.get("spawner_class")
    return class_of(our_spawner(named) or named, _GROUP)


def configured(c: Config, trait: str) -> tuple[str, Any]:
    """What the spawner's class is configured with for a trait, and in which section; "" and None if with nothing."""
    cls = spawner_class(c)
    for base in cls.__mro__ if cls else ():
        if trait in c.get(base.__name__, {}):
            return base.__name__, so_far(c[base.__name__][trait])
    return "", None


def place_of_profiles(c: Config, places: Places) -> str:
    """Where the list of profiles stands in the hub's files."""
    section, _ = configured(c, "profile_list")
    if places.values is None:
        return f"c.{section}.profile_list" if section else "profiles"
    return "singleuser.profileList" if look_up(places.values, "singleuser.profileList") else places.setting("profiles")


def _value(c: Config, trait: str) -> Any:
    return configured(c, trait)[1]
