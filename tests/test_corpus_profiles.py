"""What real hubs offer to whom: the catalogue of every hub of the corpus, beside the rule as its operators know it.

The rule, from the documentation of those hubs: a profile, a choice or an `unlisted_choice` without `allowed_groups` is
for everyone; with it, for members of any of the groups, ignoring case.
"""

from __future__ import annotations

from datetime import date
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest

from hub_extensions import catalogue
from hub_extensions.offer import VisibleProfile, offer
from hub_extensions.profiles import Person
from hub_extensions.z2jh.values import chart_values, look_up

from . import corpus

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

COMBINATIONS = 64
TODAY = date(2026, 3, 1)

# Option → the keys of its choices, and whether there is a field to write in.
Seen = dict[str, tuple[list[str], bool]]
NOTHING: tuple[list[str], bool] = ([], False)


def is_for(part: dict[str, Any], groups: tuple[str, ...]) -> bool:
    """The rule's one sentence."""
    if "allowed_groups" not in part:
        return True
    mine = [group.lower() for group in groups]
    return any(str(group).lower() in mine for group in part["allowed_groups"])


def by_the_rule(profile_list: list[dict[str, Any]], groups: tuple[str, ...]) -> list[tuple[dict[str, Any], Seen]]:
    """The profiles that the rule gives, each with what it gives of their options, which may be nothing."""
    seen = []
    for profile in profile_list:
        if not is_for(profile, groups):
            continue
        options: Seen = {}
        for name, option in (profile.get("profile_options") or {}).items():
            choices = [key for key, choice in (option.get("choices") or {}).items() if is_for(choice, groups)]
            unlisted = option.get("unlisted_choice") or {}
            options[name] = choices, bool(unlisted.get("enabled")) and is_for(unlisted, groups)
        seen.append((profile, options))
    return seen


def as_offered(profile: VisibleProfile) -> Seen:
    return {
        option.name: ([choice.key for choice in option.choices], option.unlisted is not None)
        for option in profile.options
    }


def groups_in(part: Any) -> set[str]:
    """Every group that is named anywhere in it."""
    if isinstance(part, list):
        return set().union(*map(groups_in, part))
    if not isinstance(part, dict):
        return set()
    return set(map(str, part.get("allowed_groups", ()))) | groups_in(list(part.values()))


def people(profile_list: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    """The combinations of a hub's groups, small and large ones first and every second one in capitals, at most 64."""
    named = sorted(groups_in(profile_list))
    sizes = sorted(range(len(named) + 1), key=lambda size: min(size, len(named) - size))
    found = [chosen for size in sizes for chosen in combinations(named, size)][:COMBINATIONS]
    return [tuple(map(str.upper, chosen)) if number % 2 else chosen for number, chosen in enumerate(found)]


@pytest.mark.parametrize("file", corpus.hubs())
def test_a_hub_offers_what_the_rule_gives(file: Path) -> None:
    profile_list = look_up(chart_values(corpus.values_of(file)), "singleuser.profileList", [])
    known = catalogue.read(profile_list)
    for groups in people(profile_list):
        person = Person(groups=frozenset(groups), today=TODAY)
        offered = offer(known, person).profiles
        # Documented: an option that is left with nothing to choose hides its profile.
        ruled = [(profile, seen) for profile, seen in by_the_rule(profile_list, groups) if NOTHING not in seen.values()]
        assert [(profile.display_name, as_offered(profile)) for profile in offered] == [
            (profile["display_name"], seen) for profile, seen in ruled
        ], groups
        assert_defaults([profile for profile, _ in ruled], offered)


def assert_defaults(ruled: list[dict[str, Any]], offered: tuple[VisibleProfile, ...]) -> None:
    """What is selected at first is the first default; documented: one that is not for this person gives way."""
    defaults = [number for number, profile in enumerate(ruled) if profile.get("default")]
    assert [number for number, profile in enumerate(offered) if profile.selected] == first(
        defaults or range(len(ruled))
    )
    for profile, visible in zip(ruled, offered, strict=True):
        for option in visible.options:
            written = profile["profile_options"][option.name].get("choices") or {}
            keys = [choice.key for choice in option.choices]
            chosen = [choice.key for choice in option.choices if choice.selected]
            assert chosen == first([key for key in keys if written[key].get("default")] or keys)
            assert option.unlisted is None or option.unlisted.selected == (not keys)


def first(of: Sequence[Any]) -> list[Any]:
    return list(of[:1])


def test_the_corpus_has_every_case_of_the_rule() -> None:
    """Else the test above would prove little: restricted profiles, choices, options that are left empty, defaults."""
    cases = dict.fromkeys(("hubs", "restricted hubs", "combinations", "hidden profiles", "emptied", "defaults"), 0)
    for parameter in corpus.hubs():
        file = parameter.values[0]
        if not file.name:
            pytest.skip("HUB_VALUES_CORPUS names no folder of values files")
        profile_list = look_up(chart_values(corpus.values_of(file)), "singleuser.profileList", [])
        if not profile_list:
            continue
        cases["hubs"] += 1
        cases["restricted hubs"] += bool(groups_in(profile_list))
        for groups in people(profile_list):
            cases["combinations"] += 1
            ruled = by_the_rule(profile_list, groups)
            cases["hidden profiles"] += len(ruled) < len(profile_list)
            cases["emptied"] += any(NOTHING in options.values() for _, options in ruled)
            cases["defaults"] += any(
                choice.get("default") and not is_for(choice, groups)
                for profile in profile_list
                for option in (profile.get("profile_options") or {}).values()
                for choice in (option.get("choices") or {}).values()
            )
    assert all(cases.values()), cases
