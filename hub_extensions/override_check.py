"""The check of one `kubespawner_override`: are its keys settings of a server, and can they hold its values?"""

import difflib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .catalogue import Choice, Option, Profile, UnlistedChoice
from .findings import Finding, error, inside, warning
from .mistakes import nearest, shown
from .overrides import filled_in

# Name of a trait of the spawner → what it expected, if it cannot hold a value; "" if it can.
Traits = Mapping[str, Callable[[Any], str]]

_GRAMMAR = {
    field.alias or name
    for part in (Profile, Option, Choice, UnlistedChoice)
    for name, field in part.model_fields.items()
}
# Without effect where they are misplaced. The others of the grammar restrict people or settings, which would be lost.
_HARMLESS = {"default", "description", "display_name", "icon", "slug", "tags", "validation_message"}
# Mappings whose values Kubernetes takes only as text; those of `environment` may also be functions or references.
_TEXTS = ("environment", "extra_annotations", "extra_labels", "node_selector")
_MOUNTING = ("volumes", "volume_mounts")
_AMOUNTS = ("mem_limit", "mem_guarantee", "cpu_limit", "cpu_guarantee")
_LEAST_MEMORY = 2**20  # bytes; a smaller amount is a number of gigabytes whose unit was forgotten
# What somebody may write in: if a setting can hold none of these, it can hold nothing that is written in.
_WRITTEN = ("quay.io/jupyter/base-notebook:2026-01-05", "1", "1G", "a")


def check_override(
    part: Profile | Choice | UnlistedChoice, path: str, word: str, traits: Traits | None
) -> Iterator[Finding]:
    """What is wrong with the override of a part that stands at `path` and is called a `word` such as "choice".

    Without `traits` nothing is known of the spawner.
    """
    template = isinstance(part, UnlistedChoice)  # with {value} where what is written in goes
    for name, value in part.kubespawner_override.items():
        place = inside(path, "kubespawner_override", name)
        known = traits is not None and name in traits
        if not known and name in _GRAMMAR:
            yield _misplaced(name, place, word, is_there=name in part.model_fields_set)
        elif traits is not None and not known:
            yield _unknown(name, place, traits)
        elif not callable(value):
            yield from _check_value(name, value, place, traits[name] if traits else None, template=template)
    image = part.kubespawner_override.get("image")
    if isinstance(image, str) and not template:
        yield from _check_image(image, inside(path, "kubespawner_override", "image"))


def _misplaced(name: str, place: str, word: str, *, is_there: bool) -> Finding:
    if is_there:
        return warning(place, "does nothing here.", "Remove it: it stands beside kubespawner_override already.")
    what = f"is a key of the {word}, and does nothing within kubespawner_override."
    return (warning if name in _HARMLESS else error)(place, what, "Move it up, beside kubespawner_override.")


def _unknown(name: str, place: str, traits: Traits) -> Finding:
    guess = nearest(name, traits)
    # A longer name that begins or ends alike is another setting, not a slip of the finger.
    if guess and difflib.SequenceMatcher(None, name.casefold(), guess).ratio() >= 0.7:
        return error(place, "is not a setting of the spawner.", f"Did you mean {guess!r}?")
    return error(
        place,
        "is not a setting of the spawner, and would do nothing.",
        "Remove it, or see its traits for the right name.",
    )


def _check_value(
    name: str, value: Any, place: str, expected_by: Callable[[Any], str] | None, *, template: bool
) -> Iterator[Finding]:
    values = [filled_in(value, written) for written in _WRITTEN] if template else [value]
    expected = [expected_by(filled) for filled in values] if expected_by else [""]
    if all(expected):
        yield error(place, f"expected {expected[0]}, found {shown(value)}.")
        return
    if name in _TEXTS and isinstance(value, Mapping):
        yield from _check_texts(value, place, references=name == "environment")
    if name in _MOUNTING and isinstance(value, list):
        yield warning(
            place,
            f"is a list, which replaces all {name} of the hub, such as those of home directories.",
            "Write a mapping, such as {scratch: {name: scratch, …}}, to add to them.",
        )
    if name in _AMOUNTS and isinstance(value, (int, float)) and value < 0:
        yield error(place, f"expected no negative number, found {shown(value)}.")
    if name in _AMOUNTS[:2] and type(value) is int and 0 < value < _LEAST_MEMORY:
        yield warning(
            place, f"{value} is a number of bytes.", f'Did you mean "{value}G"?', "No server runs in so little."
        )


def _check_texts(entries: Mapping[Any, Any], place: str, *, references: bool) -> Iterator[Finding]:
    for key, value in entries.items():
        if value is None or isinstance(value, str) or (references and (callable(value) or isinstance(value, Mapping))):
            continue
        text = str(value).lower() if isinstance(value, bool) else str(value)
        yield error(inside(place, str(key)), f"expected text, found {shown(value)}.", f'Write "{text}", in quotes.')


def _check_image(image: str, place: str) -> Iterator[Finding]:
    if "@" in image:
        return  # pinned by its digest
    _, _, tag = image.rpartition("/")[2].partition(":")
    if tag in ("", "latest"):
        how = "ends in :latest" if tag else "has no tag"
        yield warning(
            place, f"{shown(image)} {how}: one day the same choice starts another image.", "Write a fixed tag."
        )
