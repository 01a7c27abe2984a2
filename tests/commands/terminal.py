"""A terminal before which a command, or a shell, believes that somebody sits."""

import contextlib
import os
import pty
import select


class Terminal:
    """Its end for a program is `inner`; what that writes there is `seen`."""

    def __init__(self):
        shown, self.inner = pty.openpty()
        self._screen = os.fdopen(shown, "r+b", buffering=0)
        self.seen = b""

    def type(self, keys):
        self._screen.write(keys)

    def until(self, text):
        """Read until the text is there; a command that ends without it fails the test."""
        while text not in self.seen:
            assert select.select([self._screen], [], [], 60)[0], f"{text!r} is not shown: {self.seen!r}"
            self.seen += self._screen.read(65536)

    def rest(self):
        with contextlib.suppress(OSError):  # nobody has it open any more
            while some := self._screen.read(65536):
                self.seen += some
        self._screen.close()
        return self.seen
