"""Traits whose values are checked when they are set, so that a mistake stops the start of the hub."""

from typing import Any

from traitlets import TraitError, Unicode

from .mistakes import SettingsError, validated
from .usage_service import time_zone


def model_of(kind: Any, proposal: Any) -> Any:
    """A trait's proposed value as `kind` has it; raises TraitError with everything that is wrong with it."""
    try:
        return validated(kind, proposal["value"], proposal["trait"].name)
    except SettingsError as error:
        raise TraitError(str(error)) from None


def checked(kind: Any, proposal: Any) -> Any:
    """A trait's proposed value as it is; raises TraitError with everything that is wrong with it."""
    model_of(kind, proposal)
    return proposal["value"]


class TimeZone(Unicode):  # type: ignore[type-arg]  # it is generic for type checkers only
    """An IANA name of a time zone, such as Europe/Berlin."""

    def validate(self, obj: Any, value: Any) -> Any:
        """The name; raises TraitError if there is no such zone."""
        name = super().validate(obj, value)
        try:
            time_zone(name)
        except ValueError as error:
            raise TraitError(f"{self.name}: {error}") from None
        return name
