"""What is wrong with a configuration: every mistake with its place, all of them at once."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import pydantic

LONGEST_VALUE = 64  # characters of somebody's input that a message may repeat


@dataclass(frozen=True)
class Mistake:
    """One thing to mend: where it stands, what is wrong, what to write instead."""

    path: str
    what: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.what}" + (f" {self.advice}" if self.advice else "")


class SettingsError(ValueError):
    """The settings cannot be used; `mistakes` lists everything that has to be mended, `source` says where it stands.

    `doubts` are what was found besides and would not have stopped anything.
    """

    def __init__(self, mistakes: Iterable[Mistake], source: str = "settings", doubts: Iterable[Mistake] = ()):
        self.mistakes = tuple(mistakes)
        self.doubts = tuple(doubts)
        self.source = source
        count = "one mistake" if len(self.mistakes) == 1 else f"{len(self.mistakes)} mistakes"
        super().__init__("\n".join([f"{source}: {count}", *(f"  {mistake}" for mistake in self.mistakes)]))


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was most likely meant, if any is near."""
    found = difflib.get_close_matches(name.casefold(), list(known), n=1, cutoff=0.6)
    return found[0] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Advice that names the nearest known name, or all of them when none is near and they are few."""
    known = sorted(known)
    guess = nearest(name, known)
    if guess:
        return f"Did you mean {guess!r}?"
    return f"Known: {', '.join(known)}." if len(known) <= 12 else ""


def shown(value: Any) -> str:
    """A value as a message may show it: short, and on one line."""
    text = repr(value)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def path_of(location: Sequence[str | int]) -> str:
    """A pydantic location as people write it: `profiles[2].slug`."""
    text = ""
    for part in location:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part.replace("_", "").replace("-", "").isalnum():
            text += f".{part}" if text else part
        else:
            text += f"[{part!r}]"
    return text or "(top level)"


_EXPECTED = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "date_from_datetime_inexact": "a date such as 2026-01-31",
    "date_from_datetime_parsing": "a date such as 2026-01-31",
    "date_type": "a date such as 2026-01-31",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "int_type": "a whole number",
    "list_type": "a list",
    "tuple_type": "a list",
    "frozen_set_type": "a list",
    "string_type": "text",
}


def mistakes_in(error: pydantic.ValidationError, kind: Any) -> list[Mistake]:
    """The mistakes behind a validation error, each with the nearest known name where that helps.

    `kind` is what was to be validated: a model, or a container of models such as `dict[str, Model]`.
    """
    found = []
    for detail in error.errors(include_url=False):
        location, error_type, value = detail["loc"], detail["type"], detail["input"]
        path = path_of([part for part in location if part != "[key]"])
        if error_type == "extra_forbidden":
            known = _fields_at(kind, location[:-1])
            found.append(Mistake(path, "unknown key.", did_you_mean(str(location[-1]), known)))
        elif error_type == "missing":
            found.append(Mistake(path, "is required and missing."))
        elif location[-1:] == ("[key]",) and error_type == "string_type":
            found.append(
                Mistake(path, f"expected text for a key, found {shown(value)}.", f'Write "{value}", in quotes.')
            )
        elif location[-1:] == ("[key]",):
            found.append(Mistake(path, "is not a name: letters and digits, with - _ . between them, at most 64."))
        elif error_type in _EXPECTED:
            found.append(Mistake(path, f"expected {_EXPECTED[error_type]}, found {shown(value)}."))
        elif error_type == "value_error":
            found.append(Mistake(path, str(detail["ctx"]["error"])))
        else:
            found.append(Mistake(path, f"{detail['msg']}, found {shown(value)}."))
    return found


def validated(kind: Any, value: Any, source: str) -> Any:
    """A value as `kind` (a model, or a container of models) has it; raises SettingsError with all its mistakes."""
    try:
        return _adapter(kind).validate_python(value)
    except pydantic.ValidationError as error:
        raise SettingsError(mistakes_in(error, kind), source) from None


@lru_cache(maxsize=64)
def _adapter(kind: Any) -> pydantic.TypeAdapter[Any]:
    return pydantic.TypeAdapter(kind)


def _fields_at(kind: Any, location: Sequence[str | int]) -> list[str]:
    """The keys that are known at a place."""
    here = kind
    for part in location:
        here = _inside(here, part)
    model = _model_in(here)
    return [field.alias or name for name, field in model.model_fields.items()] if model else []


def _inside(annotation: Any, part: str | int) -> Any:
    """The annotation one step further in: of a model's field, or of a container's items."""
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        fields = annotation.model_fields
        return next((field.annotation for name, field in fields.items() if part in (name, field.alias)), None)
    if get_origin(annotation) is Annotated:
        return _inside(get_args(annotation)[0], part)
    if get_origin(annotation) in (Union, UnionType):
        return next((_inside(inner, part) for inner in get_args(annotation) if _model_in(inner)), None)
    arguments = [argument for argument in get_args(annotation) if argument is not Ellipsis]
    return arguments[-1] if arguments else None


def _model_in(annotation: Any) -> type[pydantic.BaseModel] | None:
    """The model that an annotation is, or holds as one of a union or as items of a container."""
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return annotation
    return next((model for inner in get_args(annotation) if (model := _model_in(inner))), None)
