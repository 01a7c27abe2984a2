"""Settings that hold for one start: those of groups, of a profile and of its choices."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from traitlets import TraitError
from traitlets.config import LoggingConfigurable

from hub_extensions.overrides import laid_over, unmounted

from .refusal import refusal

if TYPE_CHECKING:
    from jupyterhub.spawner import Spawner as Base  # what this is put before
else:
    Base = LoggingConfigurable

MOUNTING = ("volumes", "volume_mounts")
MISTAKE = "The settings of this environment have a mistake. Please tell the people who run this hub."


class TraitOverrides(Base):
    """Put this before a Spawner class, to have overrides of its traits undone before the next start."""

    _traits_before: dict[str, Any]

    def __init__(self, **kwargs: Any):
        self._traits_before = {}
        super().__init__(**kwargs)

    def override_trait(self, name: str, value: Any, whose: str) -> None:
        """Lay a value over a trait's until the next start; `whose` says in the log where the value comes from."""
        if not self.has_trait(name):
            self.log.info("%s cannot honour %r of %s: not applied", type(self).__name__, name, whose)
            return
        current = getattr(self, name)
        if name in MOUNTING and isinstance(value, list):
            gone = unmounted(current, value)
            if gone:
                self.log.warning(
                    "%s replaces %s by a list, without %s. Write a mapping to add to what is there.",
                    whose,
                    name,
                    ", ".join(gone),
                )
        self._traits_before.setdefault(name, current)
        try:
            setattr(self, name, laid_over(current, value))
        except TraitError as error:
            self.log.error("%s sets %s to what it cannot be: %s", whose, name, error)  # noqa: TRY400 - the operator's mistake, not ours
            raise refusal(MISTAKE, code="profile_settings") from error

    def _apply_overrides(self, spawner_override: Mapping[str, Any]) -> None:
        """What JupyterHub calls for `group_overrides`."""
        for name, wanted in spawner_override.items():
            self.override_trait(name, wanted(self) if callable(wanted) else wanted, "group_overrides")

    def clear_state(self) -> None:
        """Forget the last start, also what overrides set: the next one may be of other groups and another profile."""
        super().clear_state()
        for name, value in self._traits_before.items():
            setattr(self, name, value)
        self._traits_before = {}
