"""Placeholders in settings: `{name}` and `{name[key][key]}`, and nothing that reaches further into an object."""

import re
import string
from collections.abc import Iterable
from dataclasses import dataclass

from .mistakes import did_you_mean, shown

_FIELD = re.compile(r"(\w+)((?:\[[^\[\]]+\])*)")


@dataclass(frozen=True)
class Placeholder:
    """`{name[key][key]}`; without keys it is `{name}`."""

    name: str
    keys: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "{" + self.name + "".join(f"[{key}]" for key in self.keys) + "}"


def parsed(template: str) -> tuple[str | Placeholder, ...]:
    """The text and the placeholders of a template, in order; `{{` and `}}` stand for braces.

    Raises ValueError, with a sentence for the operator, for attributes, conversions, formats and unpaired braces.
    """
    parts: list[str | Placeholder] = []
    try:
        pieces = list(string.Formatter().parse(template))
    except ValueError as error:
        raise ValueError(f"{shown(template)} has a brace without its pair; write {{{{ for a brace. ({error})") from None
    for text, field, form, conversion in pieces:
        if text:
            parts.append(text)
        if field is None:
            continue
        found = _FIELD.fullmatch(field)
        if not found or form or conversion:
            raise ValueError(
                f"{shown('{' + field + '}')} is not a placeholder, which has a name and keys only: {{name[key]}}."
            )
        parts.append(Placeholder(found[1], tuple(re.findall(r"\[([^\[\]]+)\]", found[2]))))
    return tuple(parts)


def check_names(template: str, known: Iterable[str]) -> frozenset[str]:
    """The names of a template's placeholders; raises ValueError when one is unknown or has keys."""
    known = list(known)
    found = [part for part in parsed(template) if isinstance(part, Placeholder)]
    for placeholder in found:
        if placeholder.keys or placeholder.name not in known:
            raise ValueError(f"unknown placeholder {placeholder}. {did_you_mean(placeholder.name, known)}".strip())
    return frozenset(placeholder.name for placeholder in found)
