"""How far a command is: a bar on standard error, for whoever sits before it; nothing in a log, nor beside JSON."""

import itertools
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Self

import click

_SOON = 1.0  # seconds; what takes no longer needs no bar
_STEP = 0.2  # seconds between two looks of a bar that only moves


class Progress:
    """A bar for one task, of so many parts, which appears after a second if somebody watches."""

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
            if time.monotonic() - self._begun < _SOON or not _is_watched():
                return
            self._bar = self._end.enter_context(
                click.progressbar(length=self._of, label=self._label, file=sys.stderr, show_pos=False)
            )
        self._bar.update(done - self._done)
        self._done = done


@contextmanager
def under_way(label: str) -> Iterator[None]:
    """Show, from its second second on, that something is being done of which nobody knows how long it takes.

    Nothing else may be written to the terminal meanwhile: a question or an answer comes before or after it.
    """
    if not _is_watched():
        yield
        return
    over = threading.Event()
    moving = threading.Thread(target=_move, args=[label, over], name="progress", daemon=True)
    moving.start()
    try:
        yield
    finally:
        over.set()
        moving.join()


def _move(label: str, over: threading.Event) -> None:
    if over.wait(_SOON):
        return
    endless = itertools.repeat(None)
    with click.progressbar(endless, label=label, file=sys.stderr, show_pos=False) as bar:
        while not over.wait(_STEP):
            bar.update(1)
        bar.finish()
        bar.render_progress()


def _is_watched() -> bool:
    """Whether a person sits before the command: standard error is a terminal, and they want no JSON."""
    context = click.get_current_context(silent=True)
    wants_json = context is not None and context.params.get("format_") == "json"
    return sys.stderr.isatty() and not wants_json
