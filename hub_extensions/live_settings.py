"""What of the settings changes while the hub runs: profiles with their sizes, and announcements.

They stand in the file of all settings, or in one of their own that `live_file` names, as a ConfigMap that is mounted.
"""

import copy
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from traitlets.config import Config

from . import catalogue, in_use
from . import settings as settings_files
from .announcements import Announcement
from .findings import Finding, told_once
from .live_file import LiveFile
from .login_settings import Staff
from .mistakes import Mistake, SettingsError, did_you_mean
from .override_check import Traits
from .settings import Settings
from .spawner_traits import traits_of

LIVE = ("profiles", "sizes", "announcements")
_RESTART = "Restart the hub with it."

Told = TypeVar("Told", bound=Mistake)


@dataclass(frozen=True)
class Live:
    """What is in use of what changes."""

    profiles: catalogue.Catalogue
    announcements: tuple[Announcement, ...]


@dataclass(frozen=True)
class LiveProfiles:
    """The profiles of the moment, for a spawner's `profile_list`: a function that answers with what was checked."""

    file: LiveFile[Live]

    def __call__(self, spawner: object = None) -> catalogue.Catalogue:  # noqa: ARG002 - as for an operator's function
        """The catalogue in use."""
        return self.file().profiles


@dataclass(frozen=True)
class LiveGroups:
    """The groups that profiles of the moment are for, for a login that asks for memberships."""

    file: LiveFile[Live]

    def __call__(self) -> frozenset[str]:
        """The groups of the catalogue in use."""
        return catalogue.groups_of(self.file().profiles)


@dataclass(frozen=True)
class LiveAnnouncements:
    """The announcements of the moment, for the pages."""

    file: LiveFile[Live]

    def __call__(self) -> tuple[Announcement, ...]:
        """The announcements in use."""
        return self.file().announcements


@dataclass(frozen=True)
class Given:
    """Settings as they are written, those of a live file among them.

    `name` is what messages call them. `file` is the file of which a new version takes effect, None if there is none,
    and `content` what was read of it. `below` are the settings over which its own are laid; None if it has all.
    """

    values: Mapping[str, Any]
    name: str = "settings"
    file: Path | None = None
    content: bytes = b""
    below: Mapping[str, Any] | None = None

    def placed(self, told: Iterable[Told]) -> list[Told]:
        """What was found, with the live file named for what stands in it."""
        if self.file is None or self.below is None:
            return list(told)
        return [replace(each, path=f"{self.file}: {each.path}") if _is_live(each.path) else each for each in told]

    def error(self, mistaken: SettingsError) -> SettingsError:
        """What is wrong in the settings, with the live file named for what stands in it."""
        return SettingsError(self.placed(mistaken.mistakes), mistaken.source, self.placed(mistaken.doubts))


def given(settings: Mapping[str, Any] | str | Path, *, may_be_absent: bool) -> Given:
    """The settings of a mapping or of a YAML file, with those of the `live_file` that they name.

    Raises SettingsError for what cannot be read; a live file that `may_be_absent` is then not known.
    """
    if isinstance(settings, Mapping):
        found = Given(settings)
    else:
        path = Path(settings)
        content = settings_files.read(path)
        found = Given(settings_files.parse(content, str(path)), str(path), path.absolute(), content)
    named = found.values.get("live_file")
    if not isinstance(named, str) or not named.strip():
        return found
    path = Path(named.strip()).absolute()
    if may_be_absent and not path.exists():
        return replace(found, file=None)  # it is where the hub runs, and nothing is wrong with that
    content = settings_files.read(path)
    written = Given({}, found.name, path, content, found.values)
    try:
        return replace(written, values=_laid_over(found.values, content, path))
    except SettingsError as error:
        in_file = [
            each if each.path.startswith(str(path)) else replace(each, path=f"{path}: {each.path}")
            for each in error.mistakes
        ]
        raise SettingsError(in_file, found.name) from None


def _is_live(path: str) -> bool:
    return path.partition(".")[0].partition("[")[0] in LIVE


def _laid_over(below: Mapping[str, Any], content: bytes, path: Path) -> dict[str, Any]:
    """The settings with those of a live file; raises SettingsError where it holds anything else."""
    values = settings_files.parse(content, str(path))
    mistakes = []
    for key in values:
        if key not in LIVE:
            advice = did_you_mean(str(key), LIVE)
            mistakes.append(Mistake(str(key), f"a live file holds only {', '.join(LIVE)}.", advice))
        elif below.get(key):
            mistakes.append(Mistake(str(key), "stands in the other settings too.", "Keep one of them."))
    if mistakes:
        raise SettingsError(mistakes, str(path))
    return {**below, **values}


def follow(
    written: Given, c: Config, staff: Staff | None, start: Settings, doubts: Iterable[Finding], log: logging.Logger
) -> LiveFile[Live] | None:
    """The file to follow, None if the settings come from none.

    `c` is the configuration without what the settings add, `start` are the settings with which the hub starts, and
    `doubts` those that were told of them.
    """
    if written.file is None:
        return None
    checker = _Checker(written, written.file, copy.deepcopy(c), staff, start, log, set(told_once(doubts)))
    return LiveFile(written.file, written.content, _live(start), checker.check, log)


def _live(settings: Settings) -> Live:
    return Live(catalogue.read(settings.profiles), settings.announcements)


@dataclass
class _Checker:
    """Makes what is in use of a new version, by the checks of the hub's start."""

    written: Given
    file: Path
    c: Config
    staff: Staff | None
    start: Settings
    log: logging.Logger
    told: set[str]
    waiting: frozenset[str] = frozenset()

    def check(self, content: bytes) -> Live:
        """What a version comes to; raises SettingsError with everything that is wrong in it."""
        values = self._values(content)
        try:
            settings = settings_files.check(values, str(self.file), self._traits_of)
            used = in_use.check(self.c, settings, self.staff)
        except SettingsError as error:
            raise SettingsError(error.mistakes, str(self.file)) from None
        switched = list(self._switched(settings))
        if switched:
            raise SettingsError(switched, str(self.file))
        self._tell(self.written.placed(used.doubts))
        self._tell_what_waits(values)
        return _live(settings)

    def _values(self, content: bytes) -> Mapping[str, Any]:
        if self.written.below is None:
            return settings_files.parse(content, str(self.file))
        return _laid_over(self.written.below, content, self.file)

    def _traits_of(self, spawner: Any) -> Traits | None:
        return traits_of(spawner or self.c.JupyterHub.get("spawner_class"))

    def _switched(self, settings: Settings) -> Iterator[Mistake]:
        """Profiles where there were none, or none where there were some: that changes more than a list."""
        if settings.profiles and not self.start.profiles:
            yield Mistake("profiles", "the hub has started without any.", _RESTART)
        if self.start.profiles and not settings.profiles:
            yield Mistake("profiles", "are none any more, which would switch profiles off.", _RESTART)

    def _tell(self, doubts: Iterable[Finding]) -> None:
        """Log what is doubtful and was not when it was last looked at."""
        lines = told_once(doubts)
        for line in lines:
            if line not in self.told:
                self.log.warning("%s", line)
        self.told = set(lines)

    def _tell_what_waits(self, values: Mapping[str, Any]) -> None:
        """Say once which other keys are others than those with which the hub has started."""
        if self.written.below is not None:
            return
        before = settings_files.parse(self.written.content, str(self.file))
        at_once = LIVE if self.start.profiles else ("announcements",)
        keys = sorted(key for key in {*before, *values} - {*at_once} if before.get(key) != values.get(key))
        if keys and frozenset(keys) != self.waiting:
            self.log.warning(
                "hub-extensions: what else was changed in %s takes effect when the hub is restarted: %s.",
                self.file,
                ", ".join(keys),
            )
        self.waiting = frozenset(keys)
