"""Where what a hub is configured with stands in its files: by the path in Helm values, or as a trait."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .findings import inside
from .login_settings import Login, listed
from .z2jh.custom import NESTED
from .z2jh.translation import AS_IT_IS
from .z2jh.values import look_up

_STAFF = "custom.2i2c"
CHART_DEFAULT = "the chart's default"
# Trait → the value that most decides it, where the chart computes it from several.
_COMPUTED = {
    "image": "singleuser.image",
    "cmd": "singleuser.cmd",
    "init_containers": "singleuser.initContainers",
    "tolerations": "singleuser.extraTolerations",
    "volumes": "singleuser.storage",
    "volume_mounts": "singleuser.storage",
    "storage_class": "singleuser.storage",
    "storage_capacity": "singleuser.storage",
    "storage_access_modes": "singleuser.storage",
    "storage_pvc_ensure": "singleuser.storage",
    "pvc_name_template": "singleuser.storage",
    "allow_privilege_escalation": "singleuser.allowPrivilegeEscalation",
    "image_pull_secrets": "singleuser.image.pullSecrets",
    "scheduler_name": "scheduling.userScheduler",
    "priority_class_name": "scheduling.podPriority",
    "node_affinity_preferred": "scheduling.userPods.nodeAffinity",
    "node_affinity_required": "scheduling.userPods.nodeAffinity",
    "debug": "debug.enabled",
}
_OF_CHART = ("common_labels",)


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

    def of_spawner(self, section: str, name: str) -> str:
        """Where a trait of the spawner stands; the chart fills in what values leave out."""
        place = self.trait(section, name)
        if self.values is None or not place.startswith("c."):
            return place
        path = next((value for value, trait in AS_IT_IS.items() if trait.endswith(f".{name}")), _COMPUTED.get(name))
        if path is None:
            return CHART_DEFAULT if name in _OF_CHART else place
        return path if look_up(self.values, path) is not None else CHART_DEFAULT

    def basehub(self, path: str, section: str, name: str) -> str:
        """Where a trait stands that basehub's values make, below `custom`."""
        written = look_up(self.values or {}, f"custom.{path}")
        return self.trait(section, name) if written is None else f"custom.{path}"

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
            if at is not None and place.startswith("c."):
                return self._among_staff(entry) or place
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
