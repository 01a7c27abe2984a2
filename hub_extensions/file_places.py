"""Where what a hub is configured with stands in its files: by the path in Helm values, or as a trait."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .findings import inside
from .login_settings import Login, listed
from .z2jh.custom import NESTED
from .z2jh.values import look_up

_STAFF = "custom.2i2c"


@dataclass(frozen=True)
class Places:
    """`values` are the Helm values, merged, of the chart that runs the hub; None where it has a configuration file."""

    values: Mapping[str, Any] | None = None

    def setting(self, path: str) -> str:
        """Where a setting of hub-extensions stands."""
        if self.values is None:
            return path
        nested = look_up(self.values, f"custom.{NESTED}.{path.partition('.')[0]}")
        return f"custom.{path}" if nested is None else f"custom.{NESTED}.{path}"

    def trait(self, section: str, name: str) -> str:
        """Where a trait stands that is configured for a class."""
        written = look_up(self.values or {}, "hub.config", {})
        here = written.get(section) if isinstance(written, Mapping) else None
        return f"hub.config.{section}.{name}" if isinstance(here, Mapping) and name in here else f"c.{section}.{name}"

    def entry(self, login: Login, name: str, entry: str = "") -> str:
        """Where a list of the login has an entry; or what the trait is set to, where none is named."""
        for section, traits in login.in_use:
            if name not in traits:
                continue
            place = self.trait(section, name)
            written = look_up(self.values or {}, f"hub.config.{section}.{name}", traits[name])
            if not entry:
                return place
            at = _index(written, entry)
            if at is not None:
                return inside(place, at) if isinstance(written, (list, tuple)) else place
        return self._among_staff(entry) or f"c.{login.classes[0]}.{name}"

    def _among_staff(self, entry: str) -> str:
        custom = look_up(self.values or {}, _STAFF, {})
        for key, names in custom.items() if entry and isinstance(custom, Mapping) else ():
            at = _index(names, entry) if isinstance(names, list) else None
            if at is not None:
                return inside(_STAFF, str(key), at)
            if names == entry:
                return inside(_STAFF, str(key))
        return _STAFF if entry and custom else ""


def _index(entries: Any, entry: str) -> int | None:
    known = [str(each).lower() for each in listed(entries)]
    return known.index(entry.lower()) if entry.lower() in known else None
