"""Completion in the shells themselves, set up by the lines that its help tells."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from hub_extensions.commands import main

from .terminal import Terminal

BIN = Path(sys.executable).parent
DOCS = Path(__file__).parents[2] / "docs" / "checking.md"


def lines_for(shell):
    """The lines of the help for a shell, which the page tells too."""
    told = CliRunner().invoke(main, ["completion", "--help"]).stdout
    (block,) = re.findall(rf"for {shell}:\n\n((?:  .*\n)+)", told, flags=re.MULTILINE)
    lines = [line.strip() for line in block.splitlines()]
    assert "\n".join(["```sh", *lines, "```"]) in DOCS.read_text()
    return lines


@pytest.mark.parametrize("shell", ["bash", "fish", "zsh"])
def test_a_shell_completes_commands_arguments_options_and_their_values(shell, tmp_path):
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    environment = {"HOME": str(tmp_path), "PATH": f"{BIN}:{os.environ['PATH']}", "TERM": "xterm", "LC_ALL": "C.UTF-8"}
    for line in lines_for(shell):
        subprocess.run([shell, "-c", line], env=environment, check=True)
    terminal = Terminal()
    end = terminal.inner
    with subprocess.Popen(  # the terminal is the shell's own
        ["setsid", "--ctty", shell, "-i"], env=environment, stdin=end, stdout=end, stderr=end, cwd=tmp_path
    ) as process:
        os.close(end)
        terminal.type(b"hub-extensions siz\tr5.xla\t--form\tj\t\n")
        terminal.until(b'"choices": {')  # what the completed line prints
        terminal.type(b"exit\n")
        terminal.rest()
    assert process.returncode == 0
