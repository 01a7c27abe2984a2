"""The catalogue of profiles: KubeSpawner's `profile_list` grammar, plus who each part is for.

`read` turns a `profile_list` as operators write it into a checked `Catalogue`. What a person may see and choose of it
is decided in `hub_extensions.profiles`.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator
from slugify import slugify

from . import sizes, user_names
from .mistakes import Mistake, SettingsError, mistakes_in, shown
from .patterns import compiled


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


def _nothing_is_empty(value: Any) -> Any:
    return {} if value is None else value


# Trait name → value; a mapping is merged into the trait's value, a None in it removes a key, anything else replaces.
Override = Annotated[dict[str, Any], BeforeValidator(_nothing_is_empty, dict[str, Any] | None)]


def _numbers_as_texts(value: Any) -> Any:
    # What YAML takes for a number is a name all the same; what it takes for null or true is a slip.
    return (
        tuple(str(name) if type(name) in (int, float) else name for name in value) if isinstance(value, list) else value
    )


def _not_empty(name: str) -> str:
    if not name:
        raise ValueError("expected a name, found an empty text.")
    return name


# Names of groups or of users.
Names = Annotated[
    tuple[Annotated[str, AfterValidator(_not_empty)], ...],
    BeforeValidator(_numbers_as_texts, tuple[str | float, ...]),
]


@dataclass(frozen=True, eq=False, slots=True)
class Audience:
    """Whom a part is for; `users` are in lower case. Parts that are for the same people share one, see `_audience`."""

    everyone: bool
    groups: tuple[str, ...]
    users: frozenset[str]


# Comparing two objects is comparing where they are, and a page asks for each of thousands of choices.
_audience = lru_cache(maxsize=65536)(Audience)


class VisibleChoice(NamedTuple):
    """A choice as a page may show it: of its override the size, in words, and the name of the image.

    `uses`: what it uses of a quota of the person, in words.
    """

    key: str
    display_name: str
    description: str
    size: str
    image: str
    selected: bool
    uses: str = ""

    @property
    def size_told(self) -> str:
        """The size where the name does not say it already, as that of a generated choice does."""
        return "" if self.size == self.display_name else self.size

    @property
    def is_explained(self) -> bool:
        """Whether there is more to say than its name."""
        return bool(self.description or self.size or self.uses)

    @property
    def line(self) -> str:
        """All there is to say of it, on one line."""
        return " \N{EN DASH} ".join(filter(None, (self.display_name, self.size_told, self.uses, self.description)))


class Restricted(_Part):
    """A part that is for members of any of the groups and for the named users; with neither list, for everyone.

    A list that is there and empty names nobody: it may have been computed, and have come out empty.
    """

    allowed_groups: Names = ()
    """Only members of any of these groups have it; an empty list is nobody."""
    allowed_teams: Names = ()  # what allowed_groups was called before
    """What allowed_groups was called before."""
    allowed_users: Names = ()
    """Only these people have it, and whoever is in allowed_groups."""

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """The groups whose members this part is for."""
        return self.allowed_groups or self.allowed_teams

    @cached_property
    def users(self) -> frozenset[str]:
        """The named users, as they are compared."""
        return frozenset(map(user_names.key, self.allowed_users))

    @cached_property
    def audience(self) -> Audience:
        """Whom this part is for."""
        return _audience(self.for_everyone, self.groups, self.users)

    @cached_property
    def for_everyone(self) -> bool:
        """Whether nothing restricts this part."""
        return not {"allowed_groups", "allowed_teams", "allowed_users"} & self.model_fields_set


class Choice(Restricted):
    """One entry of an option's list."""

    display_name: str
    """What people read."""
    description: str = ""
    """More about it, for people."""
    slug: str = ""  # accepted because production values carry it; the key is what names a choice
    """Accepted and not used: the key names a choice."""
    default: bool = False
    """Whether it is chosen where people choose nothing."""
    kubespawner_override: Override = {}
    """Traits of the spawner → values. A mapping is merged into the trait's value."""


class UnlistedChoice(Restricted):
    """The field in which a person writes a value that is not in the list."""

    enabled: bool = False
    """Whether people may write in a value."""
    display_name: str = ""
    """What the field is called."""
    display_name_in_choices: str = "Other…"
    """What stands for it among the choices."""
    description: str = ""
    """More about it, for people."""
    description_in_choices: str = ""
    """More about it, beside the choices."""
    validation_regex: str = ""
    """What is written in has to fit this regular expression, as a whole."""
    validation_message: str = ""
    """What people read whose text does not fit."""
    kubespawner_override: Override = {}
    """Traits → values, in which `{value}` is what was written in."""

    @field_validator("validation_regex")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        compiled(pattern)
        return pattern


class DynamicImageBuilding(_Part):
    """Whether a person may have an image built from a repository; its name is then written in for them."""

    enabled: bool = False
    """Whether people may have an image built from a repository."""


class Option(_Part):
    """One thing to choose within a profile, such as the image or the size."""

    display_name: str = ""
    """What the option is called."""
    description: str = ""
    """More about it, for people."""
    choices: Annotated[dict[str, Choice], BeforeValidator(_nothing_is_empty, dict[str, Choice] | None)] = {}
    """What can be chosen, by key."""
    unlisted_choice: UnlistedChoice = UnlistedChoice()
    """A field in which people write a value that is not in the list."""
    dynamic_image_building: DynamicImageBuilding = DynamicImageBuilding()
    """Images that people have built from a repository."""

    @cached_property
    def audiences(self) -> tuple[Audience, ...]:
        """Whom each of its choices is for."""
        return tuple(choice.audience for choice in self.choices.values())

    @cached_property
    def defaults(self) -> tuple[str, ...]:
        """The keys of the choices that are a default, of which the first that is open to a person is theirs."""
        return tuple(key for key, choice in self.choices.items() if choice.default)

    @cached_property
    def visible_choices(self) -> Mapping[str, VisibleChoice]:
        """Its choices by key, as a page may show them to somebody for whom none is selected."""
        return {
            key: VisibleChoice(
                key=key,
                display_name=choice.display_name,
                description=choice.description,
                size=sizes.describe(choice.kubespawner_override),
                image=_image(choice.kubespawner_override),
                selected=False,
            )
            for key, choice in self.choices.items()
        }


class Profile(Restricted):
    """One environment that people can start."""

    display_name: str
    """What people read."""
    slug: str = ""
    """Its name in links, reports and settings; else made from display_name."""
    aliases: Names = ()
    """Slugs that it had before, which links and saved choices may still carry."""
    replaced_by: str = ""
    """The slug of the profile that takes its place when it cannot be started any more."""
    description: str = ""
    """More about it, for people."""
    icon: str = ""
    """An image beside its name: an address, a path on this host, or `data:image/…`."""
    tags: Names = ()
    """Words by which people find it."""
    default: bool = False
    """Whether it is chosen where people choose nothing."""
    when_not_allowed: Literal["hide", "lock"] = "hide"
    """What others see of it: nothing (`hide`), or that it exists (`lock`)."""
    opens: date | None = Field(None, alias="from")
    """The first day on which it can be started."""
    closes: date | None = Field(None, alias="until")
    """The last day on which it can be started."""
    retired: date | None = None
    """The day from which it is offered to nobody."""
    profile_options: Annotated[dict[str, Option], BeforeValidator(_nothing_is_empty, dict[str, Option] | None)] = {}
    """What people choose within it, by the option's name."""
    kubespawner_override: Override = {}
    """Traits of the spawner → values. A mapping is merged into the trait's value."""

    @cached_property
    def name(self) -> str:
        """The slug: as written, or made from the display name as KubeSpawner makes it."""
        return self.slug or slugify(self.display_name)

    @cached_property
    def size(self) -> str:
        """What it comes to without its options, in words."""
        return sizes.describe(self.kubespawner_override)

    @property
    def image(self) -> str:
        """The name of its image, "" if it sets none."""
        return _image(self.kubespawner_override)

    def is_over(self, today: date) -> bool:
        """Whether it was offered once and is not any more."""
        return bool((self.retired and today >= self.retired) or (self.closes and today > self.closes))

    def parts(self) -> "list[Profile | Choice | UnlistedChoice]":
        """The profile itself, the choices of its options and their write-ins: whatever has an override."""
        options = self.profile_options.values()
        choices = [choice for option in options for choice in option.choices.values()]
        return [self, *choices, *(option.unlisted_choice for option in options)]


def _image(override: Mapping[str, Any]) -> str:
    """The name of an override's image; one that is computed has none."""
    image = override.get("image")
    return image if isinstance(image, str) else ""


class Catalogue(_Part):
    """All profiles of a hub, in the order in which people see them.

    `built_images` is a regular expression which the names of all images fit that the hub's image builder makes, "" if
    that is not known.
    """

    profiles: tuple[Profile, ...] = ()
    built_images: str = ""


def read(profile_list: Any, path: str = "profiles") -> Catalogue:
    """The catalogue that a `profile_list` describes; in its mapping form the keys only give the order.

    One that was read already is what it is. Raises SettingsError with every mistake in it; `path` is where the list
    stands in the operator's configuration.
    """
    if isinstance(profile_list, Catalogue):
        return profile_list
    placed, mistakes = read_each(profile_list, path)
    if mistakes:
        raise SettingsError(mistakes, source=path)
    return Catalogue(profiles=tuple(profile for _, profile in placed))


def names_of(profile_list: Any) -> dict[str, str]:
    """What people call each profile, by its slug; what is no profile has no name."""
    return {profile.name: profile.display_name for profile in _known(profile_list)}


def groups_of(profile_list: Any) -> frozenset[str]:
    """Every group that any part of a profile is for; what is no profile is for nobody."""
    parts = [part for profile in _known(profile_list) for part in profile.parts()]
    return frozenset(group for part in parts for group in part.groups)


def _known(profile_list: Any) -> Sequence[Profile]:
    if isinstance(profile_list, Catalogue):
        return profile_list.profiles
    placed, _ = read_each(profile_list, "profiles")
    return [profile for _, profile in placed]


def read_each(profile_list: Any, path: str) -> tuple[list[tuple[str, Profile]], list[Mistake]]:
    """The profiles of a list that follow the grammar, each with its place, and what is wrong with the others."""
    placed: list[tuple[str, Profile]] = []
    mistakes: list[Mistake] = []
    try:
        parts = _parts(profile_list, path)
    except TypeError as error:
        return [], [Mistake(path, str(error))]
    for place, part in parts:
        try:
            placed.append((place, Profile.model_validate(part)))
        except ValidationError as error:
            mistakes += [
                Mistake(
                    place if mistake.path == "(top level)" else f"{place}.{mistake.path}", mistake.what, mistake.advice
                )
                for mistake in mistakes_in(error, Profile)
            ]
    return placed, mistakes


def _parts(profile_list: Any, path: str) -> list[tuple[str, Any]]:
    """Each profile as it is written, with its place; raises TypeError for what is no list of profiles."""
    if profile_list is None:
        return []
    if isinstance(profile_list, Mapping):
        if len({isinstance(key, str) for key in profile_list}) > 1:
            raise TypeError("has keys that are text and keys that are not, which have no order. Write all in quotes.")
        return [(f"{path}.{key}", profile_list[key]) for key in sorted(profile_list)]
    if isinstance(profile_list, str) or not isinstance(profile_list, Sequence):
        raise TypeError(f"expected a list of profiles, or a mapping of them, found {shown(profile_list)}.")
    return [(f"{path}[{index}]", part) for index, part in enumerate(profile_list)]


class Reader:
    """Reads a list, by default with `read`, anew only when it is another than last time.

    The order within a mapping makes no difference.

    Comparing takes a tenth of the time of reading, and what a catalogue works out when first asked is kept with it.
    What it keeps shares nothing with the lists that it is given, so that nobody who changes theirs changes it.
    """

    def __init__(self, read: Callable[[Any], Catalogue] = read) -> None:
        self._read = read
        self._listed: Any = ()
        self._catalogue = Catalogue()

    def read(self, profile_list: Any) -> Catalogue:
        """The catalogue that a `profile_list` describes; see `read`."""
        if profile_list != self._listed:
            listed = copy.deepcopy(profile_list)
            self._listed, self._catalogue = listed, self._read(listed)
        return self._catalogue
