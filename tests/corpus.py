"""Helm values of real hubs, one file each, in the folder that HUB_VALUES_CORPUS names: `<cluster>/<hub>.yaml`."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hub_extensions import catalogue
from hub_extensions.commands.values_files import read_values
from hub_extensions.z2jh.values import chart_values, look_up

FOLDER = os.environ.get("HUB_VALUES_CORPUS")


@dataclass(frozen=True)
class Request:
    """What somebody asks a hub for, and the groups that may have it."""

    options: dict[str, str] = field(default_factory=dict)
    groups: tuple[str, ...] = ()


def hubs() -> list[Any]:
    """A parameter for each hub; without a corpus, one that is skipped."""
    if not FOLDER:
        return [
            pytest.param(Path(), marks=pytest.mark.skip(reason="HUB_VALUES_CORPUS names no folder of values files"))
        ]
    files = sorted(Path(FOLDER).glob("*/*.yaml"))
    assert files, f"there is no <cluster>/<hub>.yaml in {FOLDER}"
    return [pytest.param(file, id=f"{file.parent.name}/{file.stem}") for file in files]


def values_of(file: Path) -> dict[str, Any]:
    return read_values(file)


def profiles_of(values: dict[str, Any]) -> tuple[catalogue.Profile, ...]:
    profile_list = look_up(chart_values(values), "singleuser.profileList", [])
    return catalogue.read(profile_list).profiles


def requests_of(values: dict[str, Any]) -> Iterator[Request]:
    """Every profile with its default choices, and once with each single choice; nothing at all where there are none."""
    profiles = profiles_of(values)
    if not profiles:
        yield Request()
    for profile in profiles:
        groups = _groups_that_open(profile)
        least = {"profile": profile.name, **_written_in(profile)}
        yield Request(least, groups)
        for name, option in profile.profile_options.items():
            for key in option.choices:
                yield Request({**least, name: key}, groups)


def _written_in(profile: catalogue.Profile) -> dict[str, str]:
    """An image for each option that has no choices, which cannot be left to its default."""
    options = profile.profile_options.items()
    return {
        f"{name}--unlisted-choice": "quay.io/jupyter/base-notebook:latest"
        for name, option in options
        if not option.choices
    }


def _groups_that_open(profile: catalogue.Profile) -> tuple[str, ...]:
    opening = set(profile.allowed_groups or ())
    for option in profile.profile_options.values():
        for choice in option.choices.values():
            opening.update(choice.allowed_groups or ())
    return tuple(sorted(opening))
