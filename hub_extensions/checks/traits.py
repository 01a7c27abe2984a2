"""Traits of the classes that a hub uses: names that no class has, and values that they cannot hold."""

import difflib
from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Any

from jupyterhub.app import JupyterHub
from traitlets import HasTraits
from traitlets.config import Config

from ..additions import sections
from ..findings import Finding, error, warning
from ..mistakes import did_you_mean, nearest, shown
from ..spawner_traits import check_of, class_of

_NEAR = 0.85  # of two names of classes: a slip of the finger, and not another class


def check_traits(c: Config) -> list[Finding]:
    """Misspelt names and wrong values in what is set for the application, the spawner and the authenticator."""
    there = sections(c)
    jupyterhub = there.get("JupyterHub", {})
    spawner = class_of(jupyterhub.get("spawner_class") or "jupyterhub.spawner.LocalProcessSpawner")
    authenticator = class_of(jupyterhub.get("authenticator_class") or "pam", "jupyterhub.authenticators")
    in_use = [cls for cls in (JupyterHub, spawner, authenticator) if cls is not None]
    found: list[Finding] = []
    for cls in in_use:
        for base in cls.__mro__:
            section = there.get(base.__name__, {})
            found += _values(base.__name__, section, cls)
            # The check of the login tells names of the authenticator that nobody knows.
            found += _names(base.__name__, section, cls) if cls is not authenticator else ()
    classes = {base.__name__ for cls in in_use for base in cls.__mro__ if issubclass(base, HasTraits)}
    return [*found, *_sections(there, classes)]


def _names(name: str, section: dict[str, Any], cls: type[HasTraits]) -> Iterator[Finding]:
    known = cls.class_trait_names(config=True)
    for trait in section:
        if trait not in known and not trait[:1].isupper() and not trait.startswith("_"):
            advice = did_you_mean(trait, known) or "Remove it, or use the version that knows it."
            yield warning(
                f"c.{name}.{trait}", f"is not a setting of {cls.__name__}.", advice, "It is passed over without a word."
            )


def _values(name: str, section: dict[str, Any], cls: type[HasTraits]) -> Iterator[Finding]:
    traits = cls.class_traits(config=True)
    for trait, value in section.items():
        if trait not in traits or callable(value) or hasattr(traits[trait], "entry_point_group"):
            continue
        try:
            expected = check_of(traits[trait])(value)
        except AttributeError:  # a trait that asks its own object cannot be asked without one
            continue
        if expected:
            when = "The hub would not start." if cls is JupyterHub else "It cannot be used, and people see an error."
            yield error(f"c.{name}.{trait}", f"expected {expected}, found {shown(value)}.", why=when)


def _sections(there: dict[str, dict[str, Any]], classes: set[str]) -> Iterator[Finding]:
    """Names of classes that are nearly the name of one that is in use."""
    others = _installed() | {"OAuthenticator", "CommunityAuthenticator", "CommunityOAuthenticator"}
    for name in there:
        guess = None if name in classes else nearest(name, classes)
        guess = guess or next((cls for cls in classes if cls.casefold() == name.casefold() and cls != name), None)
        if guess and difflib.SequenceMatcher(None, name.casefold(), guess.casefold()).ratio() >= _NEAR:
            if name in others:
                continue
            what = "is not the name of a class in use."
            yield warning(f"c.{name}", what, f"Did you mean {guess!r}?", "Nothing in it has an effect.")


def _installed() -> set[str]:
    """The names of classes that could be in use, without importing them."""
    entries = (*entry_points(group="jupyterhub.spawners"), *entry_points(group="jupyterhub.authenticators"))
    return {entry.value.rpartition(":")[2] for entry in entries}
