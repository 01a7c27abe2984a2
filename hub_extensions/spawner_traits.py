"""The settings that a hub's spawner has, for the check of overrides: looked up on its class, without starting one."""

import re
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoints, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from jupyterhub.traitlets import ByteSpecification
from traitlets import Bool, Dict, Float, HasTraits, Integer, TraitError, TraitType, Unicode

from .override_check import Traits
from .overrides import merged

# A setting of KubeSpawner, for which profiles are written; other spawners pass over those that they do not have.
_SETTING = re.compile(r"^    ([a-z]\w*) = [A-Z]\w*\(", re.MULTILINE)
_EXPECTED: tuple[tuple[type[TraitType[Any, Any]], str], ...] = (
    (ByteSpecification, "an amount of memory such as 512M or 4G"),
    (Float, "a number"),
    (Integer, "a whole number"),
    (Bool, "true or false"),
    (Unicode, "text"),
    (Dict, "a mapping"),
)


def traits_of(spawner_class: Any) -> Traits | None:
    """The settings of a spawner, and the names that only KubeSpawner has; the class is named as JupyterHub lets it be.

    None if they cannot be told: the spawner is not named (yet), cannot be imported, which JupyterHub reports better, or
    KubeSpawner's are not to be had because it is not installed.
    """
    cls = class_of(spawner_class)
    passed_over = _names_of_kubespawner() if cls else None
    if cls is None or passed_over is None:
        return None
    own = {name: check_of(trait) for name, trait in cls.class_traits().items()}
    return own if passed_over <= own.keys() else {**dict.fromkeys(passed_over, _takes_anything), **own}


def class_of(named: Any, group: str = "jupyterhub.spawners") -> type[HasTraits] | None:
    """The class that is meant by a class, the name of an entry point or a dotted path; None if there is none."""
    if isinstance(named, type):
        return named if issubclass(named, HasTraits) else None
    wanted = str(named or "")
    for entry in _entries(group):
        if entry.name.casefold() == wanted.casefold():
            return _imported(entry.value.replace(":", "."))
    return _imported(wanted)


@cache
def _entries(group: str) -> EntryPoints:
    """The entry points of a group; looking for them reads a file of every package that is installed."""
    return entry_points(group=group)


@cache
def _names_of_kubespawner() -> frozenset[str] | None:
    """What stands in the class body of KubeSpawner; None if it is not installed.

    Read from its source: importing it takes a quarter of a second, which a hub without pods need not wait for.
    """
    if (package := find_spec("kubespawner")) is None or package.origin is None:
        return None
    source = Path(package.origin).with_name("spawner.py").read_text("utf-8")
    _, _, body = source.partition("class KubeSpawner(")
    return frozenset(_SETTING.findall(body))


def _takes_anything(_: Any) -> str:
    return ""


def _imported(dotted: str) -> type[HasTraits] | None:
    module, _, name = dotted.rpartition(".")
    if not module:
        return None
    try:
        found = getattr(import_module(module), name, None)
    except Exception:  # what the module of an operator does is not known, and JupyterHub reports it better
        return None
    return found if isinstance(found, type) and issubclass(found, HasTraits) else None


def check_of(trait: TraitType[Any, Any]) -> Callable[[Any], str]:
    """What tells of a value what the trait expected, if it cannot hold it; "" if it can."""
    nobody = HasTraits()  # traits are checked for an object, whose name and locks they ask for
    validate = getattr(trait, "validate", None)  # a trait that holds anything has none

    def expected(value: Any) -> str:
        if validate is None or (value is None and trait.allow_none):
            return ""
        # As it comes to the trait: a mapping is laid over the one that is there, and a None in it removes a key.
        wanted = merged({}, value) if isinstance(value, dict) else value
        try:
            validate(nobody, wanted)
        except (TraitError, TypeError, ValueError, OverflowError):  # some traits trip over what they are not made for
            return next((words for kind, words in _EXPECTED if isinstance(trait, kind)), trait.info())
        return ""

    return expected
