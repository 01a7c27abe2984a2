"""The catalogue of profiles: KubeSpawner's `profile_list` grammar, plus who each part is for.

`read` turns a `profile_list` as operators write it into a checked `Catalogue`. What a person may see and choose of it
is decided in `hub_extensions.profiles`.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, field_validator
from slugify import slugify

from .mistakes import Mistake, SettingsError, mistakes_in


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


def _nothing_is_empty(value: Any) -> Any:
    return {} if value is None else value


# Trait name → value; a mapping is merged into the trait's value, a None in it removes a key, anything else replaces.
Override = Annotated[dict[str, Any], BeforeValidator(_nothing_is_empty)]
# Names of groups; None is everyone.
Groups = Annotated[
    tuple[str, ...], BeforeValidator(lambda value: tuple(map(str, value)) if isinstance(value, list) else value)
]


class Choice(_Part):
    """One entry of an option's list."""

    display_name: str
    description: str = ""
    slug: str = ""  # accepted because production values carry it; the key is what names a choice
    default: bool = False
    allowed_groups: Groups | None = None
    kubespawner_override: Override = {}


class UnlistedChoice(_Part):
    """The field in which a person writes a value that is not in the list."""

    enabled: bool = False
    display_name: str = ""
    display_name_in_choices: str = "Other…"
    description: str = ""
    description_in_choices: str = ""
    validation_regex: str = ""
    validation_message: str = ""
    allowed_groups: Groups | None = None
    kubespawner_override: Override = {}

    @field_validator("validation_regex")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"is not a regular expression: {error}.") from None
        return pattern


class DynamicImageBuilding(_Part):
    """Whether a person may have an image built from a repository."""

    enabled: bool = False


class Option(_Part):
    """One thing to choose within a profile, such as the image or the size."""

    display_name: str = ""
    description: str = ""
    choices: Annotated[dict[str, Choice], BeforeValidator(_nothing_is_empty)] = {}
    unlisted_choice: UnlistedChoice = UnlistedChoice()
    dynamic_image_building: DynamicImageBuilding = DynamicImageBuilding()


class Profile(_Part):
    """One environment that people can start."""

    display_name: str
    slug: str = ""
    description: str = ""
    icon: str = ""
    default: bool = False
    allowed_groups: Groups | None = None
    profile_options: Annotated[dict[str, Option], BeforeValidator(_nothing_is_empty)] = {}
    kubespawner_override: Override = {}

    @cached_property
    def name(self) -> str:
        """The slug: as written, or made from the display name as KubeSpawner makes it."""
        return self.slug or slugify(self.display_name)


class Catalogue(_Part):
    """All profiles of a hub, in the order in which people see them."""

    profiles: tuple[Profile, ...] = ()


def read(
    profile_list: Sequence[Mapping[str, Any]] | Mapping[str, Mapping[str, Any]], path: str = "profiles"
) -> Catalogue:
    """The catalogue that a `profile_list` describes; in its mapping form the keys only give the order.

    Raises SettingsError with every mistake in it; `path` is where the list stands in the operator's configuration.
    """
    if isinstance(profile_list, Mapping):
        keys = sorted(profile_list)
        profiles = [profile_list[key] for key in keys]
        places = [f"{path}.{key}" for key in keys]
    else:
        profiles = list(profile_list)
        places = [f"{path}[{index}]" for index in range(len(profiles))]
    good, mistakes = [], []
    for place, profile in zip(places, profiles, strict=True):
        try:
            good.append(Profile.model_validate(profile))
        except ValidationError as error:
            mistakes += [
                Mistake(
                    place if mistake.path == "(top level)" else f"{place}.{mistake.path}", mistake.what, mistake.advice
                )
                for mistake in mistakes_in(error, Profile)
            ]
    if mistakes:
        raise SettingsError(mistakes, source=path)
    return Catalogue(profiles=tuple(good))
