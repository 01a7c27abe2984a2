"""The authenticator as the hub will make it: a class that there is, with a configuration that it does not refuse."""

import logging
from collections.abc import Iterator
from copy import deepcopy
from importlib.metadata import entry_points
from typing import Any

from traitlets import HasTraits
from traitlets.config import Config, Configurable

from ..additions import sections
from ..findings import Finding, error, warning
from ..mistakes import LONGEST_VALUE, nearest, shown
from ..planned_hub import PlannedHub
from ..spawner_traits import class_of

_SILENT = logging.getLogger("hub_extensions.checks.silent")  # what is old is told when the hub starts
_SILENT.propagate = False
_SILENT.addHandler(logging.NullHandler())
_GROUP = "jupyterhub.authenticators"
_CLASS = "c.JupyterHub.authenticator_class"
# Making one of these contacts nobody and writes nothing. OpenShift's asks its provider.
_HARMLESS = ("hub_extensions", "jupyterhub", "oauthenticator", "tmpauthenticator")
_ASKING = "oauthenticator.openshift"
# Former or short names that people write, each near to none that there is.
_MEANT = {"generic": "generic-oauth", "oauth": "generic-oauth", "oidc": "generic-oauth", "azure": "azuread"}


def check_authenticator(hub: PlannedHub) -> Iterator[Finding]:
    """A class that nobody knows, and what the class says of its configuration when it is made."""
    named = sections(hub.config).get("JupyterHub", {}).get("authenticator_class")
    cls = class_of(named, _GROUP)
    if cls is None:
        yield from _no_class(named)
    else:
        yield from _refused(cls, hub.config)


def _no_class(named: Any) -> Iterator[Finding]:
    if not isinstance(named, str) or not named:
        return
    known = {entry.name for entry in entry_points(group=_GROUP)}
    if named.casefold() in {name.casefold() for name in known}:
        return  # it is installed, and lacks a library of its own
    guess = _MEANT.get(named.casefold()) or (None if "." in named else nearest(named, known))
    if guess:
        yield error(_CLASS, f"there is no authenticator {shown(named)}.", f"Did you mean {guess!r}?")
        return
    yield warning(
        _CLASS,
        f"{shown(named)} is not installed here, so what is set for it is not checked.",
        "Install beside this command what the hub has, or correct the name.",
        "A hub without it does not start.",
    )


def _refused(cls: type[HasTraits], c: Config) -> Iterator[Finding]:
    module = cls.__module__
    if module.partition(".")[0] not in _HARMLESS or module == _ASKING or not issubclass(cls, Configurable):
        return
    names = [base.__name__ for base in cls.__mro__]
    there = {name: deepcopy(c[name]) for name in names if name in c}
    try:
        cls(config=Config(there), log=_SILENT)
    except Exception as refusal:  # each class has exceptions of its own
        # Those of a JSON schema hold the whole schema in their text, and one sentence beside it.
        said = str(getattr(refusal, "message", refusal)).strip().splitlines() or [type(refusal).__name__]
        # Operators write for the stock class; what configure sets, it sets for ours.
        section = next((name for name in names if name in there and not name.startswith("Community")), names[0])
        yield error(f"c.{section}", f"is refused by {cls.__name__}: {said[0][: 4 * LONGEST_VALUE]}", "Correct it.")
