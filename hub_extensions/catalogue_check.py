"""The check of a whole catalogue, beyond its grammar: what would fail at somebody's start, or do other than it says.

`check` knows the catalogue and, if it is told, the settings that the spawner has. It starts nothing and asks nobody.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from itertools import combinations
from typing import Any

from . import groups as group_names
from .catalogue import Catalogue, Choice, Option, Profile, Restricted, UnlistedChoice, read, read_each
from .catalogue_names import check_names
from .findings import Finding, error, errors, inside, warning
from .mistakes import SettingsError, did_you_mean, shown
from .override_check import Traits, check_override
from .patterns import matched
from .reach import left_out, meet, meet_in_time
from .size_check import check_sizes

# As the form has it.
SHOWN_ICONS = ("https://", "http://", "/", "data:image/")
# What no pattern of images lets through by intent.
_NO_IMAGE = ("any text: at all", "$(a);:|b")


def check_list(
    profile_list: Any, path: str = "profiles", traits: Traits | None = None, today: date | None = None
) -> list[Finding]:
    """Everything that is wrong or doubtful in a `profile_list` as an operator writes it; see `check`.

    Where a profile does not follow the grammar, only clashes are said of how the others stand to each other: which is
    the default, or what replaces what, may depend on it.
    """
    placed, mistakes = read_each(profile_list, path)
    if not mistakes:
        return _check(placed, path, traits, None, today)
    findings = [finding for place, profile in placed for finding in _in_profile(profile, place, traits)]
    return [*errors(mistakes), *findings, *_clashes(placed)]


def read_checked(
    profile_list: Any, path: str = "profiles", traits: Traits | None = None
) -> tuple[Catalogue, list[Finding]]:
    """The catalogue that a `profile_list` describes, and what is doubtful in it; see `check`.

    Raises SettingsError with everything that is wrong in it.
    """
    found = check_list(profile_list, path, traits)
    mistakes = [finding for finding in found if finding.severity == "error"]
    if mistakes:
        raise SettingsError(mistakes, path)
    return read(profile_list, path), found


def check(
    catalogue: Catalogue,
    path: str = "profiles",
    traits: Traits | None = None,
    *,
    known_groups: Collection[str] | None = None,
    today: date | None = None,
) -> list[Finding]:
    """Everything that is wrong or doubtful in a catalogue, in the order of its profiles.

    `path` is where it stands in the operator's configuration. `traits` are the settings of the spawner in use; without
    them, names and values of overrides are not checked. With `known_groups`, which must be all that the hub can have, a
    group that is none of them is doubted; with `today`, a default that is over, and that nothing is offered any more.
    """
    placed = [(f"{path}[{index}]", profile) for index, profile in enumerate(catalogue.profiles)]
    return _check(placed, path, traits, known_groups, today)


def check_building(profile_list: Any, path: str, builder: str) -> list[Finding]:
    """Options that offer to have an image built, on a hub without the service `builder` that would do it."""
    placed, _ = read_each(profile_list, path)
    return [
        warning(
            inside(place, "profile_options", name, "dynamic_image_building"),
            f"is on, and this hub has no service {builder!r} that builds images: nobody is offered to build one.",
            "Add the service, and grant its access:services scope to the role user.",
        )
        for place, profile in placed
        for name, option in profile.profile_options.items()
        if option.dynamic_image_building.enabled
    ]


def _check(
    placed: Sequence[tuple[str, Profile]],
    path: str,
    traits: Traits | None,
    known_groups: Collection[str] | None,
    today: date | None,
) -> list[Finding]:
    findings = [finding for place, profile in placed for finding in _in_profile(profile, place, traits)]
    findings += _clashes(placed)
    findings += _defaults(placed, Restricted(), "profile")
    findings += _successors(placed)
    if known_groups is not None:
        findings += _groups(placed, path, known_groups)
    if today is not None:
        findings += _over(placed, path, today)
    return findings


def _over(placed: Sequence[tuple[str, Profile]], path: str, today: date) -> Iterator[Finding]:
    over = [(place, profile) for place, profile in placed if profile.is_over(today)]
    if over and len(over) == len(placed):
        yield warning(
            path, "are all over, so nobody can start anything.", "Move a date of until or retired, or remove it."
        )
        return
    for place, profile in over:
        if profile.default:
            yield warning(
                inside(place, "default"),
                "is of a profile that is over.",
                "Make another one the default.",
                "People get the first that is open to them.",
            )


def _in_profile(profile: Profile, place: str, traits: Traits | None) -> Iterator[Finding]:
    yield from check_names(profile, place)
    yield from _restriction(profile, place)
    yield from check_override(profile, place, "profile", traits)
    if profile.icon and not profile.icon.startswith(SHOWN_ICONS):
        yield warning(
            inside(place, "icon"),
            f"{shown(profile.icon)} is not shown: it is no address of an image.",
            "Write one that begins with https:// or with /.",
        )
    if profile.opens and profile.closes and profile.opens > profile.closes:
        yield error(inside(place, "until"), f"{profile.closes} is before from, {profile.opens}.")
    if profile.opens and profile.retired and profile.opens >= profile.retired:
        yield error(inside(place, "retired"), f"{profile.retired} is not after from, {profile.opens}.")
    for name, option in profile.profile_options.items():
        at_option = inside(place, "profile_options", name)
        yield from _in_option(option, profile, at_option, traits)
    yield from check_sizes(profile, place)


def _in_option(option: Option, profile: Profile, place: str, traits: Traits | None) -> Iterator[Finding]:
    placed = [(inside(place, "choices", key), choice) for key, choice in option.choices.items()]
    for at_choice, choice in placed:
        yield from _restriction(choice, at_choice)
        yield from check_override(choice, at_choice, "choice", traits)
    yield from _defaults(placed, profile, "choice")
    write_in = option.unlisted_choice
    if write_in.enabled:
        yield from _write_in(write_in, inside(place, "unlisted_choice"), traits)
    yield from _nothing_to_choose(option, profile, place)


def _restriction(part: Restricted, place: str) -> Iterator[Finding]:
    if part.allowed_teams:
        advice = "Rename it to allowed_groups." if not part.allowed_groups else "Remove it: allowed_groups counts."
        yield warning(inside(place, "allowed_teams"), "is what allowed_groups was called before.", advice)
    if "allowed_groups" in part.model_fields_set and not part.groups and not part.allowed_users:
        yield warning(
            inside(place, "allowed_groups"), "is empty, so this is for nobody.", "Name a group, or leave it out."
        )


def _nothing_to_choose(option: Option, profile: Profile, place: str) -> Iterator[Finding]:
    write_in = option.unlisted_choice
    if not option.choices and not write_in.enabled:
        # An option of which images are built is filled in by whoever starts it, not by this catalogue.
        severity = warning if option.dynamic_image_building.enabled else error
        yield severity(
            place, "has neither choices nor a write-in, so nobody can start the profile.", "Add a choice to it."
        )
        return
    if not option.choices:
        yield warning(
            place,
            "has only a write-in, so the profile cannot be started without a value: by an admin for somebody else, "
            "through the API, or by a health check.",
            "Add a choice to it, as the default.",
        )
    parts: list[Restricted] = [*option.choices.values(), *([write_in] if write_in.enabled else [])]
    people = left_out(profile, parts)
    if people:
        yield warning(
            place, f"has nothing to choose for {people}: the profile is not offered to them.",
            "Restrict the profile alike, or add a choice for them.",
        )  # fmt: skip


def _write_in(write_in: UnlistedChoice, place: str, traits: Traits | None) -> Iterator[Finding]:
    override = write_in.kubespawner_override
    yield from _restriction(write_in, place)
    yield from check_override(write_in, place, "write-in", traits)
    if not any("{value}" in text for text in _texts_in(override)):
        yield warning(
            inside(place, "kubespawner_override"),
            "uses nothing of what is written in.",
            "Write {value} where it goes.",
            "Whatever people write, they get the same.",
        )
    pattern = write_in.validation_regex
    if pattern and not any(matched(pattern, text) for text in _NO_IMAGE):
        return
    found = f"{shown(pattern)} accepts nearly anything." if pattern else "is missing, so anything is accepted."
    advice = (
        r"Name what people may use, as '^quay\.io/my-organisation/[\w./-]+:[\w.-]+$' does."
        if "image" in override
        else "Describe the values that make sense."
    )
    why = "Whoever may start a server may run any image, whoever made it." if "image" in override else ""
    yield warning(inside(place, "validation_regex"), found, advice, why)


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts_in(key)
            yield from _texts_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts_in(inner)


def _defaults(placed: Sequence[tuple[str, Profile | Choice]], whole: Restricted, word: str) -> Iterator[Finding]:
    """Defaults of which one is never the default, and a default that not everyone gets.

    The first default that is open to a person is theirs, so a restricted one before one for everyone is no mistake.
    """
    defaults = [(place, part) for place, part in placed if part.default]
    for index, (place, part) in enumerate(defaults):
        for earlier_place, earlier in defaults[:index]:
            if not meet(earlier, part) or (part.for_everyone and not earlier.for_everyone):
                continue
            if isinstance(earlier, Profile) and isinstance(part, Profile) and not meet_in_time(earlier, part):
                continue
            yield warning(
                inside(place, "default"),
                f"{earlier_place} is a default too, and comes first.",
                "Keep one of them.",
                "People find the first one selected.",
            )
            break
    parts = [part for _, part in defaults]
    people = left_out(whole, parts)
    if parts and people and any(not part.default and not left_out(whole, [part]) for _, part in placed):
        yield warning(
            inside(defaults[0][0], "default"),
            f"is not the default of {people}, who get the first {word} that is open to them.",
            f"Make a {word} that is open to all of them a default too, after this one.",
        )


def _clashes(placed: Sequence[tuple[str, Profile]]) -> Iterator[Finding]:
    """Slugs and aliases that two profiles share."""
    for (earlier_place, earlier), (place, profile) in combinations(placed, 2):
        severity = error if meet(earlier, profile) and meet_in_time(earlier, profile) else warning
        for slug in (profile.name, *profile.aliases):
            if slug != earlier.name and slug not in earlier.aliases:
                continue
            at = inside(place, "slug" if slug == profile.name else "aliases")
            whose = "slug" if slug == earlier.name else "alias"
            made = "" if profile.slug or slug != profile.name else ", made from the display name,"
            yield severity(
                at, f"{slug!r}{made} is the {whose} of {earlier_place} too.", "Give each profile a slug of its own."
            )
    for place, profile in placed:
        repeated = sorted({alias for alias in profile.aliases if profile.aliases.count(alias) > 1})
        if profile.name in profile.aliases or repeated:
            yield warning(inside(place, "aliases"), "names the profile's own slug, or one alias twice.", "Remove it.")
        if not profile.name:
            yield error(place, "has no slug, and its display name has no letter to make one from.", "Add a slug.")


def _successors(placed: Sequence[tuple[str, Profile]]) -> Iterator[Finding]:
    """`replaced_by` that names nothing, or that leads back to where it began."""
    by_slug = {slug: profile for _, profile in reversed(placed) for slug in (*profile.aliases, profile.name)}
    for place, profile in placed:
        at = inside(place, "replaced_by")
        if not profile.replaced_by:
            continue
        if profile.replaced_by not in by_slug:
            yield error(at, f"there is no profile {profile.replaced_by!r}.", did_you_mean(profile.replaced_by, by_slug))
            continue
        seen = [profile.name]
        following = by_slug.get(profile.replaced_by)
        while following and following.name not in seen:
            seen.append(following.name)
            following = by_slug.get(following.replaced_by)
        # Of a circle that others only lead into, its own members tell.
        if following and following.name == profile.name:
            yield error(
                at, f"comes back to where it began: {' → '.join([*seen, profile.name])}.", "Leave out one of them."
            )


def _groups(placed: Sequence[tuple[str, Profile]], path: str, known: Collection[str]) -> Iterator[Finding]:
    """Groups that do not exist, and groups whose members have no profile at all."""
    for place, part in _restricted_parts(placed):
        for group in part.groups:
            if not any(group_names.matches(group, name) for name in known):
                yield warning(
                    inside(place, "allowed_groups"), f"there is no group {group!r}.", did_you_mean(group, known)
                )
    parts = [profile for _, profile in placed]
    for group in sorted(known):
        if parts and left_out(Restricted(allowed_groups=(group,)), parts):
            yield warning(
                path,
                f"no profile is open to members of {group}.",
                "Name the group in one, if they are to start servers.",
            )


def _restricted_parts(placed: Sequence[tuple[str, Profile]]) -> Iterator[tuple[str, Restricted]]:
    for place, profile in placed:
        yield place, profile
        for name, option in profile.profile_options.items():
            at_option = inside(place, "profile_options", name)
            for key, choice in option.choices.items():
                yield inside(at_option, "choices", key), choice
            yield inside(at_option, "unlisted_choice"), option.unlisted_choice
