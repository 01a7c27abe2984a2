"""How far a command is: a bar on standard error, for whoever sits before it; nothing in a log."""

import sys
import time
from contextlib import ExitStack
from typing import Any, Self

import click

_SOON = 1.0  # seconds; what takes no longer needs no bar


class Progress:
    """A bar for one task, of so many parts, which appears after a second if standard error is a terminal."""

    def __init__(self, label: str, of: int) -> None:
        self._label = label
        self._of = of
        self._done = 0
        self._begun = time.monotonic()
        self._bar: Any = None
        self._end = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end.close()

    def at(self, done: int) -> None:
        """Show that so many parts are done."""
        if self._bar is None:
            if time.monotonic() - self._begun < _SOON or not sys.stderr.isatty():
                return
            self._bar = self._end.enter_context(
                click.progressbar(length=self._of, label=self._label, file=sys.stderr, show_pos=False)
            )
        self._bar.update(done - self._done)
        self._done = done
