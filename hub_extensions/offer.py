"""The offer: what of the catalogue a page may show to one person, with a choice already made.

Nothing of an override gets here but sizes in words and the name of an image, and nothing of other people's groups but
what a locked profile is made to say.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from .catalogue import Catalogue, Option, Profile, VisibleChoice
from .mistakes import shown
from .profiles import (
    COMMUNITY,
    WRITE_IN,
    Person,
    counted_for,
    default_choice,
    default_of,
    is_built_image,
    named,
    open_choices,
    open_write_in,
    refuse_written,
    takes_built_images,
    why_closed,
)
from .quota_words import Override, Uses


class VisibleUnlisted(NamedTuple):  # takes half the time to make of a dataclass, and a page may have hundreds
    """A write-in field as a page may show it; `value` is what it holds at first."""

    display_name: str
    display_name_in_choices: str
    description: str
    pattern: str
    pattern_message: str
    value: str
    selected: bool


@dataclass(frozen=True)
class VisibleBuild:
    """Fields for having an image built from a repository; `value` is an image that was built before, or ""."""

    value: str
    selected: bool


class VisibleOption(NamedTuple):
    """An option with what is left of its choices for one person."""

    name: str
    display_name: str
    description: str
    choices: tuple[VisibleChoice, ...]
    unlisted: VisibleUnlisted | None
    build: VisibleBuild | None = None


@dataclass(frozen=True)
class VisibleCommunity:
    """A community that a session may count for."""

    name: str
    selected: bool


@dataclass(frozen=True)
class VisibleProfile:
    """A profile as a page may show it; a locked one says why, and has nothing to choose.

    `uses` says what of a quota it uses in an hour, where no choice decides that.
    `communities` are those among which a person who belongs to several says what the session counts for; else none.
    """

    slug: str
    display_name: str
    description: str
    icon: str
    tags: tuple[str, ...]
    size: str
    image: str
    selected: bool
    options: tuple[VisibleOption, ...]
    communities: tuple[VisibleCommunity, ...] = ()
    locked: str = ""
    uses: str = ""


@dataclass(frozen=True)
class Offer:
    """What a page shows; `notices` say in sentences what of an earlier choice or of a link could not be kept."""

    profiles: tuple[VisibleProfile, ...]
    notices: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing that the person could start."""
        return all(profile.locked for profile in self.profiles)


def offer(catalogue: Catalogue, person: Person, options: Any = None, uses: Uses | None = None) -> Offer:
    """The profiles to show to a person, with what `options` (saved, or from a link) asks for selected.

    What they ask for and cannot be kept gives way: a profile to the one that replaces it or to the default, a choice or
    a written-in value to the option's default. Each time a notice says so. `uses` says what a profile, with one of its
    choices or without, uses of the person's quotas, if there are any.
    """
    options = options if isinstance(options, Mapping) else {}
    closed = [(profile, why_closed(profile, person)) for profile in catalogue.profiles]
    startable = [profile for profile, why in closed if not why]
    selected, notices = _selected(catalogue, startable, person, options) if startable else (None, [])
    shown_profiles = []
    for profile, why in closed:
        if not why:
            chosen = options if profile is selected else {}
            visible, given_up = _visible(
                profile, person, chosen, uses, selected=profile is selected, built_images=catalogue.built_images
            )
            shown_profiles.append(visible)
            notices += given_up
        elif is_shown(profile, person):
            shown_profiles.append(_locked(profile, why))
    return Offer(tuple(shown_profiles), tuple(notices))


def is_shown(profile: Profile, person: Person) -> bool:
    """Whether a profile that the person cannot start is shown to them all the same, locked."""
    return profile.when_not_allowed == "lock" and not profile.is_over(person.today)


def _selected(
    catalogue: Catalogue, startable: list[Profile], person: Person, options: Mapping[str, Any]
) -> tuple[Profile, list[str]]:
    slug = options.get("profile")
    if not slug:
        return default_of(startable), []
    found = named(startable, slug)
    if found:
        renamed = slug != found.name
        return found, [f"{shown(slug)} is called {found.display_name} now."] if renamed else []
    gone = named(catalogue.profiles, slug)
    successor, passed = gone, set()
    while successor and successor.replaced_by and successor.name not in passed:
        passed.add(successor.name)
        successor = named(catalogue.profiles, successor.replaced_by)
        if successor in startable:
            return successor, [f"{gone.display_name if gone else slug} gave way to {successor.display_name}."]
    default = default_of(startable)
    # The name of a profile is told only to who may know that it exists.
    what = gone.display_name if gone and is_shown(gone, person) else shown(slug)
    return default, [f"{what} is not open to you any more: {default.display_name} is chosen instead."]


def _locked(profile: Profile, why: str) -> VisibleProfile:
    return VisibleProfile(
        slug=profile.name,
        display_name=profile.display_name,
        description=profile.description,
        icon=profile.icon,
        tags=profile.tags,
        size="",
        image="",
        selected=False,
        options=(),
        locked=why,
    )


def _visible(
    profile: Profile,
    person: Person,
    options: Mapping[str, Any],
    uses: Uses | None,
    *,
    selected: bool,
    built_images: str,
) -> tuple[VisibleProfile, list[str]]:
    notices: list[str] = []
    visible_options = []
    for name, option in profile.profile_options.items():
        of_choice = partial(uses, profile.name, profile.kubespawner_override) if uses else None
        visible, given_up = _visible_option(name, option, person, options, built_images, of_choice)
        visible_options.append(visible)
        notices += given_up
    # Without quotas nothing uses anything.
    decided_by_choices = uses and any(choice.uses for option in visible_options for choice in option.choices)
    communities = counted_for(profile, person)
    wanted = options.get(COMMUNITY)
    counted = wanted if isinstance(wanted, str) and wanted in communities else next(iter(communities), "")
    if wanted is not None and wanted != counted:
        notices.append(
            f"The session cannot count for {shown(wanted)}{f': it counts for {counted}' if counted else ''}."
        )
    known = {"profile", COMMUNITY, *(name + end for name in profile.profile_options for end in ("", WRITE_IN))}
    notices += [f"{profile.display_name} has no option {shown(key)} any more." for key in options if key not in known]
    return VisibleProfile(
        slug=profile.name,
        display_name=profile.display_name,
        description=profile.description,
        icon=profile.icon,
        tags=profile.tags,
        size=profile.size,
        image=profile.image,
        selected=selected,
        options=tuple(visible_options),
        communities=tuple(VisibleCommunity(name, name == counted) for name in communities)
        if len(communities) > 1
        else (),
        uses=uses(profile.name, profile.kubespawner_override, None) if uses and not decided_by_choices else "",
    ), notices


def _visible_option(
    name: str,
    option: Option,
    person: Person,
    options: Mapping[str, Any],
    built_images: str,
    uses: Callable[[Override], str] | None,
) -> tuple[VisibleOption, list[str]]:
    choices, write_in = open_choices(option, person), open_write_in(option, person)
    title = option.display_name or name
    notices = []
    written, wanted = options.get(name + WRITE_IN), options.get(name)
    built = is_built_image(option, person, built_images, written)
    if written is not None and not built and (write_in is None or refuse_written(write_in, title, written)):
        notices.append(f"{title}: {shown(written)} cannot be used any more.")
        written = None
    if wanted is not None and (not isinstance(wanted, str) or wanted not in choices):
        notices.append(f"{title}: {shown(wanted)} is not offered to you any more.")
        wanted = None
    selected = None if written else wanted or default_choice(option, choices)
    # What a choice looks like does not depend on the person, and there may be thousands.
    looks = option.visible_choices
    visible = {key: looks[key] for key in choices}
    if uses:
        for key, choice in choices.items():
            visible[key] = visible[key]._replace(uses=uses(choice.kubespawner_override))
    if selected is not None:
        visible[selected] = visible[selected]._replace(selected=True)
    unlisted = None
    if write_in:
        unlisted = VisibleUnlisted(
            display_name=write_in.display_name or "Write your own",
            display_name_in_choices=write_in.display_name_in_choices,
            description=write_in.description or write_in.description_in_choices,
            pattern=write_in.validation_regex,
            pattern_message=write_in.validation_message,
            value="" if built else written or "",
            selected=not built and (bool(written) or not choices),
        )
    build = None
    if takes_built_images(option, person, built_images):
        build = VisibleBuild(value=written if built and written else "", selected=built)
    return VisibleOption(name, title, option.description, tuple(visible.values()), unlisted, build), notices
