"""The settings that a person's server would have, each with where it comes from; no spawner is made."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from traitlets.config import Config

from .catalogue import Catalogue
from .changes import is_secret
from .file_places import Places
from .findings import inside
from .mounts import GroupDirectory, of_groups
from .overrides import laid_over
from .planned_login import LoginAnswer
from .planned_profiles import configured, place_of_profiles, spawner_class
from .profiles import WRITE_IN, Person, Refused, Resolved, resolve

DEFAULT = "the spawner's default"
# Told even where nothing sets them.
_ALWAYS = ("image", "mem_limit", "mem_guarantee", "cpu_limit", "cpu_guarantee", "default_url")


@dataclass(frozen=True)
class Setting:
    """A trait of the spawner: its value, and the places that made it, the last of which wins."""

    value: Any
    places: tuple[str, ...]


@dataclass(frozen=True)
class PlannedServer:
    """What somebody's request comes to: `refused` is the sentence that they would read, "" if they get a server."""

    traits: Mapping[str, Setting] = field(default_factory=dict)
    refused: str = ""

    @property
    def plain(self) -> dict[str, Any]:
        """All of it, as JSON has it; variables that are secret by their names are not shown."""
        return {
            name: {"value": _plain(name, each.value), "from": list(each.places)} for name, each in self.traits.items()
        }


def planned_server(
    c: Config,
    catalogue: Catalogue,
    person: Person,
    login: LoginAnswer,
    options: Mapping[str, str],
    places: Places,
) -> PlannedServer:
    """What a start with these options comes to; `options` as in `profiles.resolve`."""
    resolved = resolve(catalogue, person, options)
    if isinstance(resolved, Refused):
        return PlannedServer(refused=resolved.reason)
    found = dict(_configured(c, places))
    layers = [*_of_groups(c, login, places), *_of_profile(c, catalogue, resolved, places)]
    for place, override in layers:
        for name, value in override.items():
            found[name] = _over(found.get(name), value, place)
    cls = spawner_class(c)
    for name in _ALWAYS:
        trait = cls.class_traits().get(name) if cls else None
        if name not in found and trait is not None:
            found[name] = Setting(trait.default(), (DEFAULT,))
    return PlannedServer({**dict(sorted(found.items())), **dict(_additions(c, login, places))})


def _over(below: Setting | None, value: Any, place: str) -> Setting:
    if below is None:
        return Setting(laid_over(None, value), (place,))
    merges = isinstance(value, Mapping) and isinstance(below.value, (Mapping, list))
    return Setting(laid_over(below.value, value), (*(below.places if merges else ()), place))


def _plain(name: str, value: Any) -> Any:
    if name == "environment" and isinstance(value, Mapping):
        value = {
            key: "(not shown)" if is_secret(str(key)) and isinstance(each, str) else each for key, each in value.items()
        }
    plain: Any = json.loads(json.dumps(value, default=str))
    return plain


def _configured(c: Config, places: Places) -> Iterator[tuple[str, Setting]]:
    """What is set for the spawner's class and those that it is made of, but for hooks and what makes no server."""
    cls = spawner_class(c)
    traits = cls.class_traits(config=True) if cls else {}
    for name, trait in traits.items():
        if trait.this_class.__module__.startswith("hub_extensions") or name in _NOT_OF_A_SERVER:
            continue
        section, value = configured(c, name)
        if section and not callable(value):
            yield name, Setting(value, (places.of_spawner(section, name),))


_NOT_OF_A_SERVER = {"profile_list", "group_overrides", "options_form", "apply_user_options"}


def _of_groups(c: Config, login: LoginAnswer, places: Places) -> Iterator[tuple[str, Mapping[str, Any]]]:
    section, overrides = configured(c, "group_overrides")
    for key in sorted(overrides) if isinstance(overrides, Mapping) else ():
        entry = overrides[key]
        if set(login.groups) & set(entry.get("groups", ())):  # as JupyterHub compares them
            yield inside(places.trait(section, "group_overrides"), str(key)), entry.get("spawner_override", {})


def _of_profile(
    c: Config, catalogue: Catalogue, resolved: Resolved, places: Places
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each override with the place of the profile or the choice that it is of."""
    path = place_of_profiles(c, places)
    index = [profile.name for profile in catalogue.profiles].index(resolved.profile)
    profile = f"{path}[{index}]"
    parts = [f"profile {resolved.profile} ({profile})"]
    for name, chosen in resolved.choices.items():
        written = name + WRITE_IN in resolved.options
        part = ("unlisted_choice",) if written else ("choices", chosen)
        place = inside(profile, "profile_options", name, *part)
        parts.append(f"{'written in for' if written else 'choice'} {name}={chosen} ({place})")
    return zip(parts, resolved.overrides, strict=True)


def _additions(c: Config, login: LoginAnswer, places: Places) -> Iterator[tuple[str, Setting]]:
    """What is added to the finished pod: folders of groups, volumes of the person, extras of admins."""
    _, directories = configured(c, "group_directories")
    told, mounts = [], []
    for index, directory in enumerate(directories or ()):
        mine = of_groups([GroupDirectory.model_validate(directory)], login.groups)
        mounts += [dict(mount) for mount in mine]
        told += [places.setting(f"group_directories[{index}]")] if mine else []
    if mounts:
        yield "group_directories", Setting(mounts, tuple(told))
    section, volumes = configured(c, "user_volumes")
    if volumes:
        yield "user_volumes", Setting(volumes, (places.basehub("singleuser.extraPVCs", section, "user_volumes"),))
    section, extras = configured(c, "admin_extras")
    if extras and login.admin:
        yield "admin_extras", Setting(extras, (places.basehub("singleuserAdmin", section, "admin_extras"),))
