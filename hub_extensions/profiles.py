"""Profiles: what of the catalogue a person sees, and what their choice comes to.

- A profile, choice or write-in without `allowed_groups` is for everyone, with it for members of any of the groups.
- An option that is left with nothing to choose hides its profile: nobody gets a server with half of its settings.
- `resolve` is the only way from what somebody asked for to settings of a server. It takes any JSON at all and answers
  `Resolved` or `Refused`; it never falls back to something that was not asked for.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import groups as group_names
from . import sizes
from .catalogue import Catalogue, Choice, Option, Profile, UnlistedChoice
from .mistakes import shown
from .overrides import filled_in

LONGEST_WRITE_IN = 1000  # characters; the longest valid image reference has fewer
WRITE_IN = "--unlisted-choice"  # KubeSpawner's suffix of the key that holds a written-in value


@dataclass(frozen=True)
class VisibleChoice:
    """A choice as a page may show it."""

    key: str
    display_name: str
    description: str
    size: str
    selected: bool


@dataclass(frozen=True)
class VisibleUnlisted:
    """A write-in field as a page may show it; `value` is what it holds at first."""

    display_name: str
    display_name_in_choices: str
    description: str
    pattern: str
    pattern_message: str
    value: str
    selected: bool


@dataclass(frozen=True)
class VisibleOption:
    """An option with what is left of its choices for one person."""

    name: str
    display_name: str
    description: str
    choices: tuple[VisibleChoice, ...]
    unlisted: VisibleUnlisted | None


@dataclass(frozen=True)
class VisibleProfile:
    """A profile as one person may see it: nothing of its overrides, nothing of other people's groups."""

    slug: str
    display_name: str
    description: str
    icon: str
    size: str
    selected: bool
    options: tuple[VisibleOption, ...]
    locked: str = ""


@dataclass(frozen=True)
class Resolved:
    """What a request comes to.

    `choices` maps each option to the key of the choice, or to what was written in. `overrides` are to be applied in
    order. `admitted_by` are the groups of the person that opened the profile; none if it is open to everyone.
    `options` is the request in full, as it can be saved and asked for again.
    """

    profile: str
    display_name: str
    choices: Mapping[str, str]
    overrides: Sequence[Mapping[str, Any]]
    admitted_by: frozenset[str]
    options: Mapping[str, str]


@dataclass(frozen=True)
class Refused:
    """Why a request cannot be granted, as a sentence for the person; `code` is the reason's short name in metrics."""

    reason: str
    code: str = field(default="profile", kw_only=True)


def visible(
    catalogue: Catalogue, groups: Iterable[str], options: Mapping[str, Any] | None = None
) -> tuple[VisibleProfile, ...]:
    """The profiles that someone in these groups may choose from, with what `options` asks for selected.

    What `options` asks for that does not exist, or not for this person, is passed over: the default is selected.
    """
    groups = frozenset(groups)
    options = options if isinstance(options, Mapping) else {}
    profiles = _open_profiles(catalogue, groups)
    if not profiles:
        return ()
    selected = _named(profiles, options.get("profile")) or _default(profiles)
    return tuple(
        _visible_profile(profile, groups, options if profile is selected else {}, selected=profile is selected)
        for profile in profiles
    )


def resolve(catalogue: Catalogue, groups: Iterable[str], options: Any) -> Resolved | Refused:
    """What a request comes to for someone in these groups; an empty request is one for their default profile."""
    groups = frozenset(groups)
    options = {} if options is None else options
    if not isinstance(options, Mapping):
        return Refused("The choice of an environment could not be read. Choose one on the start page.")
    profiles = _open_profiles(catalogue, groups)
    if not profiles:
        return Refused(nothing_offered(catalogue), code="nothing_offered")
    if not options:
        profile = _default(profiles)
    elif "profile" not in options:
        return Refused("No environment was named. Choose one on the start page.")
    else:
        named = _named(profiles, options["profile"])
        if named is None:
            return Refused(
                f"There is no environment {shown(options['profile'])} for you. Choose one on the start page."
            )
        profile = named
    known = {"profile", *profile.profile_options, *(name + WRITE_IN for name in profile.profile_options)}
    unknown = sorted(str(key) for key in options if key not in known)
    if unknown:
        return Refused(f"{profile.display_name} has no option {shown(unknown[0])}. Choose on the start page.")
    choices: dict[str, str] = {}
    request = {"profile": profile.name}
    overrides: list[Mapping[str, Any]] = [profile.kubespawner_override]
    for name, option in profile.profile_options.items():
        chosen = _choose(option, name, groups, options)
        if isinstance(chosen, Refused):
            return chosen
        choices[name], request_key, override = chosen
        request[request_key] = choices[name]
        overrides.append(override)
    admitted_by = frozenset(
        group
        for group in groups
        if profile.allowed_groups and group_names.member_of_any([group], profile.allowed_groups)
    )
    return Resolved(profile.name, profile.display_name, choices, overrides, admitted_by, request)


def nothing_offered(catalogue: Catalogue) -> str:
    """The sentence for someone to whom no profile is open: which groups would open one."""
    helpful = sorted({group for profile in catalogue.profiles for group in profile.allowed_groups or ()})
    if not helpful:
        return "This hub has no environment to offer."
    return f"No environment of this hub is open to you. They are for members of {', '.join(helpful)}."


def _allowed(allowed_groups: Sequence[str] | None, groups: frozenset[str]) -> bool:
    return not allowed_groups or group_names.member_of_any(groups, allowed_groups)


def _open_choices(option: Option, groups: frozenset[str]) -> dict[str, Choice]:
    return {key: choice for key, choice in option.choices.items() if _allowed(choice.allowed_groups, groups)}


def _open_write_in(option: Option, groups: frozenset[str]) -> UnlistedChoice | None:
    write_in = option.unlisted_choice
    return write_in if write_in.enabled and _allowed(write_in.allowed_groups, groups) else None


def _open_profiles(catalogue: Catalogue, groups: frozenset[str]) -> list[Profile]:
    return [
        profile
        for profile in catalogue.profiles
        if _allowed(profile.allowed_groups, groups)
        and all(
            _open_choices(option, groups) or _open_write_in(option, groups)
            for option in profile.profile_options.values()
        )
    ]


def _named(profiles: Sequence[Profile], slug: Any) -> Profile | None:
    return next((profile for profile in profiles if profile.name == slug), None)


def _default(profiles: Sequence[Profile]) -> Profile:
    return next((profile for profile in profiles if profile.default), profiles[0])


def _default_choice(choices: Mapping[str, Choice]) -> str | None:
    return next((key for key, choice in choices.items() if choice.default), next(iter(choices), None))


def _choose(
    option: Option, name: str, groups: frozenset[str], options: Mapping[str, Any]
) -> tuple[str, str, Mapping[str, Any]] | Refused:
    """What was chosen of an option, under which key it is asked for, and the override it stands for."""
    title = option.display_name or name
    choices, write_in = _open_choices(option, groups), _open_write_in(option, groups)
    written, key = options.get(name + WRITE_IN), options.get(name)
    if written is not None and key is not None:
        return Refused(f"{title}: choose from the list or write your own, not both.")
    if written is not None:
        if write_in is None:
            return Refused(f"{title}: choose from the list.")
        refusal = _refuse_written(write_in, title, written)
        return refusal or (written, name + WRITE_IN, filled_in(write_in.kubespawner_override, written))
    if key is None:
        key = _default_choice(choices)
        if key is None:
            return Refused(f"{title}: write what you want to use.")
    if not isinstance(key, str) or key not in choices:
        return Refused(f"{title}: there is no choice {shown(key)} for you. Choose from the list.")
    return key, name, choices[key].kubespawner_override


def _refuse_written(write_in: UnlistedChoice, title: str, value: Any) -> Refused | None:
    """Why a written-in value is refused: it must be one line of text that fits the whole pattern.

    Braces are refused because KubeSpawner expands `{username}` and the like in the settings that the value ends up in.
    """
    if not isinstance(value, str) or not value.strip():
        return Refused(f"{title}: write what you want to use.")
    if len(value) > LONGEST_WRITE_IN:
        return Refused(f"{title}: what you wrote is longer than {LONGEST_WRITE_IN} characters.")
    if not value.isprintable() or "{" in value or "}" in value:
        return Refused(f"{title}: {shown(value)} has characters that cannot be used here.")
    if write_in.validation_regex and not re.fullmatch(write_in.validation_regex, value):
        return Refused(f"{title}: {shown(value)} does not fit. {write_in.validation_message}".strip())
    return None


def _visible_profile(
    profile: Profile, groups: frozenset[str], options: Mapping[str, Any], *, selected: bool
) -> VisibleProfile:
    return VisibleProfile(
        slug=profile.name,
        display_name=profile.display_name,
        description=profile.description,
        icon=profile.icon,
        size=sizes.describe(profile.kubespawner_override),
        selected=selected,
        options=tuple(
            _visible_option(name, option, groups, options) for name, option in profile.profile_options.items()
        ),
    )


def _visible_option(name: str, option: Option, groups: frozenset[str], options: Mapping[str, Any]) -> VisibleOption:
    choices, write_in = _open_choices(option, groups), _open_write_in(option, groups)
    written = options.get(name + WRITE_IN)
    if write_in is None or not isinstance(written, str) or _refuse_written(write_in, "", written):
        written = ""
    wanted = options.get(name)
    selected = (
        None if written else wanted if isinstance(wanted, str) and wanted in choices else _default_choice(choices)
    )
    return VisibleOption(
        name=name,
        display_name=option.display_name or name,
        description=option.description,
        choices=tuple(
            VisibleChoice(
                key,
                choice.display_name,
                choice.description,
                sizes.describe(choice.kubespawner_override),
                key == selected,
            )
            for key, choice in choices.items()
        ),
        unlisted=None
        if write_in is None
        else VisibleUnlisted(
            display_name=write_in.display_name or "Write your own",
            display_name_in_choices=write_in.display_name_in_choices,
            description=write_in.description or write_in.description_in_choices,
            pattern=write_in.validation_regex,
            pattern_message=write_in.validation_message,
            value=written,
            selected=bool(written) or not choices,
        ),
    )
