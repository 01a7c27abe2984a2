"""Reading what a provider says of a person from a file."""

from dataclasses import fields
from pathlib import Path
from typing import Any

from ..identities import Identity
from ..mistakes import did_you_mean, shown
from .mistaken_call import CalledWrongly
from .values_files import read_values

_KINDS = {"bool": (bool, "true or false"), "str": (str, "text"), "Collection[str]": (list, "a list of texts")}


def read_identity(path: Path, user: str) -> Identity:
    """The identity in a YAML or JSON file, whose keys are those of `Identity`; `user` is the name on the hub.

    Raises CalledWrongly with everything that is wrong in it.
    """
    said = {"user_name": user, **read_values(path)}
    kinds = {field.name: _kind(field.type) for field in fields(Identity)}
    wrong = [_mistake(str(key), value, kinds) for key, value in said.items()]
    if said["user_name"] != user:
        wrong.append(f"user_name: is {shown(said['user_name'])}, and --user names {shown(user)}.")
    if any(wrong):
        raise CalledWrongly("\n".join([f"{path} is not an identity:", *(f"  {each}" for each in wrong if each)]))
    return Identity(**said)


def _kind(annotation: Any) -> tuple[type, str]:
    name = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
    return _KINDS.get(name, _KINDS["Collection[str]"])


def _mistake(key: str, value: Any, kinds: dict[str, tuple[type, str]]) -> str:
    if key not in kinds:
        return f"{key[:64]}: unknown key. {did_you_mean(key, kinds)}".strip()
    kind, words = kinds[key]
    entries = value if isinstance(value, list) else []
    if isinstance(value, kind) and all(isinstance(entry, str) for entry in entries):
        return ""
    return f"{key}: expected {words}, found {shown(value)}."
