"""Profiles: what of the catalogue a person sees, and what their choice comes to.

- A part (a profile, a choice, a write-in) without `allowed_groups` and `allowed_users` is for everyone, with them for
  members of any of the groups and for the named users.
- An option that is left with nothing to choose hides its profile: nobody gets a server with half of its settings.
- `resolve` is the only way from what somebody asked for to settings of a server. It takes any JSON at all and answers
  `Resolved` or `Refused`; it never falls back to something that was not asked for. Only `offer`, which a page shows
  before anything is started, falls back, and says so.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from . import groups as group_names
from . import user_names
from .catalogue import Audience, Catalogue, Choice, Option, Profile, Restricted, UnlistedChoice
from .mistakes import shown
from .overrides import filled_in
from .patterns import matched

_MOST_GROUPS = 8  # that a sentence lists
LONGEST_WRITE_IN = 1000  # characters; the longest valid image reference has fewer
WRITE_IN = "--unlisted-choice"  # KubeSpawner's suffix of the key that holds a written-in value
COMMUNITY = "community"  # the key that says which of several communities a session counts for


@dataclass(frozen=True)
class Person:
    """For whom something is decided, and when: `communities` are theirs, in the order of the hub's settings.

    Each community is a group too, so its name is among the `groups`. A program, such as a health check, is shown every
    profile: it is there to try them.
    """

    groups: frozenset[str]
    today: date
    user_name: str = ""
    communities: tuple[str, ...] = ()
    is_program: bool = False

    @cached_property
    def admitted(self) -> "_Admitted":
        """Whether this is one of an audience."""
        return _Admitted(self)


class _Admitted(dict[Audience, bool]):
    """Audience → whether a person is one of it, found when it is first asked for: thousands of choices have a few."""

    def __init__(self, person: Person):
        super().__init__()
        self._person = person

    def __missing__(self, audience: Audience) -> bool:
        self[audience] = found = (
            audience.everyone
            or self._person.is_program
            or group_names.member_of_any(self._person.groups, audience.groups)
            or user_names.key(self._person.user_name) in audience.users
        )
        return found


@dataclass(frozen=True)
class Resolved:
    """What a request comes to.

    `choices` maps each option to the key of the choice, or to what was written in. `overrides` are to be applied in
    order. `community` is the one that the session counts for, "" if the person has none. `options` is the request in
    full, as it can be saved and asked for again.
    """

    profile: str
    display_name: str
    choices: Mapping[str, str]
    overrides: Sequence[Mapping[str, Any]]
    community: str
    options: Mapping[str, str]


@dataclass(frozen=True)
class Refused:
    """Why a request cannot be granted, as a sentence for the person; `code` is the reason's short name in metrics."""

    reason: str
    code: str = field(default="profile", kw_only=True)


def resolve(catalogue: Catalogue, person: Person, options: Any) -> Resolved | Refused:
    """What a request comes to for a person; an empty request is one for their default profile."""
    options = {} if options is None else options
    if not isinstance(options, Mapping):
        return Refused("The choice of an environment could not be read. Please choose one again.")
    profile = _asked_for(catalogue, person, options)
    if isinstance(profile, Refused):
        return profile
    known = {"profile", COMMUNITY, *profile.profile_options, *(name + WRITE_IN for name in profile.profile_options)}
    unknown = sorted(str(key) for key in options if key not in known)
    if unknown:
        return Refused(f"{profile.display_name} has no option {shown(unknown[0])}. Please choose again.")
    candidates = counted_for(profile, person) or ("",)
    community = options.get(COMMUNITY, candidates[0])
    if community not in candidates:
        return Refused("The session cannot count for this community. Please choose another one.")
    choices: dict[str, str] = {}
    request = {"profile": profile.name} | ({COMMUNITY: community} if len(candidates) > 1 else {})
    overrides: list[Mapping[str, Any]] = [profile.kubespawner_override]
    for name, option in profile.profile_options.items():
        chosen = _choose(option, name, person, options, catalogue.built_images)
        if isinstance(chosen, Refused):
            return chosen
        choices[name], request_key, override = chosen
        request[request_key] = choices[name]
        overrides.append(override)
    return Resolved(profile.name, profile.display_name, choices, overrides, community, request)


def nothing_offered(catalogue: Catalogue, person: Person) -> str:
    """The sentence for someone to whom no profile is open: what would open one."""
    lines = ["No environment of this hub is open to you."]
    coming = [profile for profile in catalogue.profiles if not profile.is_over(person.today)]
    days = [profile.opens for profile in coming if profile.opens and admits(profile, person)]
    helpful: dict[str, str] = {}
    for group in (group for profile in coming for group in helpful_groups(profile, person)):
        helpful.setdefault(group_names.key(group), group)
    if days:
        lines.append(f"The first opens on {min(days)}.")
    elif helpful:
        names = list(helpful.values())
        more = f" and {len(names) - _MOST_GROUPS} more" if len(names) > _MOST_GROUPS else ""
        lines.append(f"They are for members of {', '.join(names[:_MOST_GROUPS])}{more}.")
    return " ".join([*lines, "If you should have one, ask the people who run this hub."])


def helpful_groups(profile: Profile, person: Person) -> list[str]:
    """Groups of which one would bring a person nearer to a profile."""
    if not admits(profile, person):
        return list(profile.groups)
    return [
        group
        for option in profile.profile_options.values()
        if not _is_open(option, person)
        for part in (*option.choices.values(), *([option.unlisted_choice] if option.unlisted_choice.enabled else ()))
        for group in part.groups
    ]


def counted_for(profile: Profile, person: Person) -> tuple[str, ...]:
    """The communities of a person that a session of a profile can count for: those whose group opens the profile.

    All of the person's, where none of them does: the profile is open to everyone, or a group of another kind opens it.
    """
    opening = tuple(name for name in person.communities if group_names.member_of_any([name], profile.groups))
    return opening or person.communities


def admits(part: Restricted, person: Person) -> bool:
    """Whether a part is for this person."""
    return person.admitted[part.audience]


def open_choices(option: Option, person: Person) -> dict[str, Choice]:
    """The choices of an option that are for this person."""
    admitted = person.admitted
    # As fast as can be: a page asks for thousands.
    return {
        key: choice for (key, choice), of in zip(option.choices.items(), option.audiences, strict=True) if admitted[of]
    }


def open_write_in(option: Option, person: Person) -> UnlistedChoice | None:
    """The write-in of an option, if it has one that is for this person."""
    write_in = option.unlisted_choice
    return write_in if write_in.enabled and admits(write_in, person) else None


def _is_open(option: Option, person: Person) -> bool:
    """Whether an option has something to choose for this person."""
    return bool(open_write_in(option, person)) or any(person.admitted[of] for of in option.audiences)


def takes_built_images(option: Option, person: Person, built_images: str) -> bool:
    """Whether an option takes images that this person has built: as write-ins, or because their names are known.

    Who may not write in may not build either, unless nobody may write in: then `built_images` says what is let through.
    """
    write_in = option.unlisted_choice
    return (
        option.dynamic_image_building.enabled and admits(write_in, person) and (write_in.enabled or bool(built_images))
    )


def is_built_image(option: Option, person: Person, built_images: str, value: Any) -> bool:
    """Whether a written-in value is an image that only the builder makes, which no other rule of the option holds for.

    The browser says which image was built, so only its name can be checked.
    """
    if not built_images or not takes_built_images(option, person, built_images):
        return False
    return refuse_written(UnlistedChoice(validation_regex=built_images), "", value) is None


def why_closed(profile: Profile, person: Person) -> str:
    """Why a profile cannot be started by this person today, in words; "" if it can."""
    if profile.retired and person.today >= profile.retired:
        return "It is no longer offered."
    if profile.closes and person.today > profile.closes:
        return f"It was offered until {profile.closes}."
    if not admits(profile, person):
        return f"For members of {', '.join(profile.groups)}." if profile.groups else "For people who were named."
    if profile.opens and person.today < profile.opens:
        return f"It opens on {profile.opens}."
    for name, option in profile.profile_options.items():
        if not _is_open(option, person):
            return f"Nothing of {option.display_name or name} is open to you."
    return ""


def open_profiles(catalogue: Catalogue, person: Person) -> list[Profile]:
    """The profiles that a person can start today."""
    return [profile for profile in catalogue.profiles if not why_closed(profile, person)]


def default_of(profiles: Sequence[Profile]) -> Profile:
    """Which of some profiles, of which there is at least one, is the default."""
    return next((profile for profile in profiles if profile.default), profiles[0])


def default_choice(option: Option, choices: Mapping[str, Choice]) -> str | None:
    """The key of the default among those choices of an option that are open, None if there are none."""
    return next((key for key in option.defaults if key in choices), next(iter(choices), None))


def named(profiles: Iterable[Profile], slug: Any) -> Profile | None:
    """The profile of that slug, or that had it before."""
    profiles = list(profiles)
    now = next((profile for profile in profiles if profile.name == slug), None)
    return now or next((profile for profile in profiles if slug in profile.aliases), None)


def refuse_written(write_in: UnlistedChoice, title: str, value: Any) -> Refused | None:
    """Why a written-in value is refused: it must be one line of text that fits the whole pattern.

    Braces are refused because KubeSpawner expands `{username}` and the like in the settings that the value ends up in.
    """
    if not isinstance(value, str) or not value.strip():
        return Refused(f"{title}: write what you want to use.")
    if len(value) > LONGEST_WRITE_IN:
        return Refused(f"{title}: what you wrote is longer than {LONGEST_WRITE_IN} characters.")
    if not value.isprintable() or "{" in value or "}" in value:
        return Refused(f"{title}: {shown(value)} has characters that cannot be used here.")
    if write_in.validation_regex and not matched(write_in.validation_regex, value):
        return Refused(f"{title}: {shown(value)} does not fit. {write_in.validation_message}".strip())
    return None


def _asked_for(catalogue: Catalogue, person: Person, options: Mapping[str, Any]) -> Profile | Refused:
    slug = options.get("profile")
    # Only what is asked for is looked at: of a long list, the others matter when it cannot be had.
    asked = (profile for profile in catalogue.profiles if slug == profile.name or slug in profile.aliases)
    found = named((profile for profile in asked if not why_closed(profile, person)), slug)
    if found:
        return found
    profiles = open_profiles(catalogue, person)
    if not profiles:
        return Refused(nothing_offered(catalogue, person), code="nothing_offered")
    if not options:
        return default_of(profiles)
    if "profile" not in options:
        return Refused("No environment was named. Please choose one.")
    locked = named((profile for profile in catalogue.profiles if profile.when_not_allowed == "lock"), slug)
    if locked:
        return Refused(
            f"{locked.display_name} is not open to you. {why_closed(locked, person)} Please choose another one."
        )
    return Refused(f"There is no environment {shown(slug)} for you. Please choose another one.")


def _choose(
    option: Option, name: str, person: Person, options: Mapping[str, Any], built_images: str
) -> tuple[str, str, Mapping[str, Any]] | Refused:
    """What was chosen of an option, under which key it is asked for, and the override it stands for."""
    title = option.display_name or name
    choices, write_in = open_choices(option, person), open_write_in(option, person)
    written, key = options.get(name + WRITE_IN), options.get(name)
    if written is not None and key is not None:
        return Refused(f"{title}: choose from the list or write your own, not both.")
    if written is not None:
        if not is_built_image(option, person, built_images, written):
            refusal = (
                refuse_written(write_in, title, written) if write_in else Refused(f"{title}: choose from the list.")
            )
            if refusal:
                return refusal
        template = option.unlisted_choice.kubespawner_override
        if option.dynamic_image_building.enabled and not template:
            template = {"image": "{value}"}
        return written, name + WRITE_IN, filled_in(template, written)
    if key is None:
        key = default_choice(option, choices)
        if key is None:
            return Refused(f"{title}: write what you want to use.")
    if not isinstance(key, str) or key not in choices:
        return Refused(f"{title}: there is no choice {shown(key)} for you. Choose from the list.")
    return key, name, choices[key].kubespawner_override
