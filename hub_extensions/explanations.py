"""Why somebody sees a profile, a choice or a write-in, or does not: the decisions of `profiles`, in words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from . import groups as group_names
from .catalogue import Catalogue, Option, Profile, Restricted
from .offer import is_shown
from .profiles import WRITE_IN, Person, admits, helpful_groups, open_choices, open_write_in, why_closed

State = Literal["visible", "locked", "hidden"]
_MOST_NAMED = 8  # groups in a sentence


@dataclass(frozen=True)
class ExplainedOption:
    """What of an option a person may take: `choices` are keys, `unlisted` whether they may write a value in.

    `closed`: what they may not take → why; the key of a choice, or `--unlisted-choice` for the write-in.
    """

    name: str
    choices: tuple[str, ...]
    unlisted: bool
    closed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ExplainedProfile:
    """A profile as somebody sees it: to start, locked, or not at all; of one that cannot be started nothing is open."""

    slug: str
    display_name: str
    state: State
    why: str
    options: tuple[ExplainedOption, ...]

    @property
    def plain(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        return {
            "slug": self.slug,
            "display_name": self.display_name,
            "state": self.state,
            "why": self.why,
            "options": {each.name: {"choices": list(each.choices), "unlisted": each.unlisted} for each in self.options},
            "closed": {each.name: dict(each.closed) for each in self.options if each.closed},
        }


def explain(catalogue: Catalogue, person: Person) -> list[ExplainedProfile]:
    """Every profile of a catalogue, as this person sees it and why."""
    return [_explained(profile, person) for profile in catalogue.profiles]


def _explained(profile: Profile, person: Person) -> ExplainedProfile:
    closed = why_closed(profile, person)
    state: State = "visible" if not closed else "locked" if is_shown(profile, person) else "hidden"
    options = tuple(
        _nothing_of(name, option, person) if closed else _open(name, option, person)
        for name, option in profile.profile_options.items()
    )
    why = _why_open(profile, person) if not closed else f"{closed} {_help(profile, person)}".strip()
    return ExplainedProfile(profile.name, profile.display_name, state, why, options)


def _help(profile: Profile, person: Person) -> str:
    """What would open something of a profile whose own groups are no obstacle."""
    if not admits(profile, person) or profile.is_over(person.today):
        return ""
    groups = helpful_groups(profile, person)
    return f"It would be for {_members(groups)}." if groups else ""


def _open(name: str, option: Option, person: Person) -> ExplainedOption:
    mine = open_choices(option, person)
    closed = dict(_closed(option, person))
    return ExplainedOption(name, tuple(mine), open_write_in(option, person) is not None, closed)


def _nothing_of(name: str, option: Option, person: Person) -> ExplainedOption:
    return ExplainedOption(name, (), False, dict(_closed(option, person)))


def _closed(option: Option, person: Person) -> Iterator[tuple[str, str]]:
    for key, choice in option.choices.items():
        if not admits(choice, person):
            yield key, _for_whom(choice)
    if option.unlisted_choice.enabled and not admits(option.unlisted_choice, person):
        yield WRITE_IN, _for_whom(option.unlisted_choice)


def _for_whom(part: Restricted) -> str:
    if part.groups:
        return f"For {_members(part.groups)}{' and people who are named' if part.users else ''}."
    return "For people who are named." if part.users else "For nobody: its list of groups or users is empty."


def _members(groups: Sequence[str]) -> str:
    names = list({group_names.key(group): group for group in groups}.values())
    more = len(names) - _MOST_NAMED
    if more > 1:
        return f"members of {', '.join(names[:_MOST_NAMED])} or {more} more groups"
    return f"members of {' or '.join(names)}"


def _why_open(profile: Profile, person: Person) -> str:
    if profile.for_everyone:
        return "For everyone."
    mine = [group for group in profile.groups if group_names.member_of_any(person.groups, [group])]
    if mine:
        return f"For {_members(mine)}, and {person.user_name} is one."
    if person.user_name.lower() in profile.users:
        return f"{person.user_name} is named in allowed_users."
    return "For programs, which are shown every profile."
