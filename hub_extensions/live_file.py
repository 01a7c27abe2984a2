"""A file that is followed while the hub runs: a new version is checked, and used only if nothing is wrong with it.

Requirements:

- what is used is always a version that was checked; a bad one, or a file that is gone, leaves the last good one in use;
- reading and checking happen in a thread of their own, which begins when the version is first asked for: nothing waits
  for it, and a hub that nobody has used yet does nothing;
- it is the content that counts: Kubernetes swaps the files of a ConfigMap by a symbolic link, editors write a new one;
- a file is read when it was the same at two looks, so that one that is being written is not taken for its beginning.
"""

from __future__ import annotations

import hashlib
import threading
import weakref
from typing import TYPE_CHECKING, Generic, TypeVar

from .live_metrics import LIVE_FILE
from .mistakes import Mistake, SettingsError

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable
    from pathlib import Path

Version = TypeVar("Version")
Stamp = tuple[int, ...] | None  # None: the file is not there

SECONDS = 2.0  # between looks


class LiveFile(Generic[Version]):
    """The version in use of a file. There is one for all copies of a configuration, so copying it gives itself.

    `checked` makes a version of the file's bytes, or raises SettingsError; `content` and `version` are those of the
    start. `log` is told what became of new versions. `refused` counts bad versions, `is_current` says whether what is
    in use is what the file has.
    """

    def __init__(
        self,
        path: Path,
        content: bytes,
        version: Version,
        checked: Callable[[bytes], Version],
        log: logging.Logger,
        seconds: float = SECONDS,
    ) -> None:
        self.path = path
        self.refused = 0
        self.is_current = True
        self._version = version
        self._checked = checked
        self._log = log
        self._seconds = seconds
        self._in_use = self._judged = _digest(content)
        self._seen: Stamp = ()
        self._read: Stamp = ()
        self._thread: threading.Thread | None = None

    def __deepcopy__(self, memo: object) -> LiveFile[Version]:
        return self

    def __call__(self) -> Version:
        """The version in use; from the first call on the file is followed."""
        if self._thread is None:
            LIVE_FILE.follow(self)
            self._thread = threading.Thread(
                target=_follow, args=[weakref.ref(self), self._seconds], name="live-file", daemon=True
            )
            self._thread.start()
        return self._version

    def look(self) -> None:
        """Use what the file has by now if it is good. Never raises."""
        stamp = self._stamp()
        if stamp == self._read:
            return
        if stamp != self._seen:
            self._seen = stamp  # it may be in the middle of being written
            return
        content: bytes | SettingsError
        try:
            content = self.path.read_bytes()
        except OSError as error:
            found = "is gone." if isinstance(error, FileNotFoundError) else f"cannot be read: {error}."
            content = SettingsError([Mistake(str(self.path), found)], str(self.path))
        if self._stamp() == stamp:
            self._read = stamp
            self._judge(content)

    def _stamp(self) -> Stamp:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino, found.st_dev

    def _judge(self, content: bytes | SettingsError) -> None:
        digest = _digest(content) if isinstance(content, bytes) else ""
        if digest == self._judged:
            return
        self._judged = digest
        if isinstance(content, SettingsError):
            self._refuse(str(content))
            return
        if digest == self._in_use:
            self.is_current = True
            self._log.info("hub-extensions: %s is again as it is in use.", self.path)
            return
        try:
            self._version = self._checked(content)
        except SettingsError as error:
            self._refuse(str(error))
        except Exception as failure:  # the thread has to live on, whatever a file holds
            self._log.exception("hub-extensions: the check of %s has failed", self.path)
            self._refuse(f"{self.path}: cannot be checked: {type(failure).__name__}.")
        else:
            self._in_use, self.is_current = digest, True
            self._log.info("hub-extensions: the new version of %s is in use.", self.path)

    def _refuse(self, why: str) -> None:
        self.refused += 1
        self.is_current = False
        self._log.error("hub-extensions: a new version is refused, and the last good one stays in use.\n%s", why)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _follow(reference: weakref.ref[LiveFile[object]], seconds: float) -> None:
    """Look at a file until nobody has it any more."""
    pause = threading.Event()
    while not pause.wait(seconds):
        file = reference()
        if file is None:
            return
        file.look()
        del file
