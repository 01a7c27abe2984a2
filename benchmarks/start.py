"""How much longer a hub takes to start for `configure`, and how soon `hub-extensions --help` answers.

.venv/bin/python benchmarks/start.py

Each figure is the least of several processes, as a machine that does other things only makes them longer. What
JupyterHub imports anyway is imported before the clock starts. The compiled modules are in a folder of their own, as an
image has them. `python -X importtime` on the program that is measured says what takes how long.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TIMES = 5
EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "laptop" / "hub.yaml"
CONFIGURE = """
import sys, time
import jupyterhub.app, oauthenticator.generic, sqlalchemy.dialects.sqlite
from traitlets.config import Config
begun = time.perf_counter()
from hub_extensions import configure
configure(Config(), sys.argv[1])
print(time.perf_counter() - begun)
"""
HUB = """
import sys, time
begun = time.perf_counter()
import jupyterhub.app, oauthenticator.generic, sqlalchemy.dialects.sqlite
jupyterhub.app.JupyterHub().class_traits()
print(time.perf_counter() - begun)
"""
HELP = """
import time
begun = time.perf_counter()
from hub_extensions.commands import main
try:
    main(["--help"])
except SystemExit:
    print(time.perf_counter() - begun)
"""
PYTHON = "print(0)"


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as compiled:
        hub, configure = least(HUB, compiled), least(CONFIGURE, compiled)
        answer, python = least(HELP, compiled), whole(PYTHON, compiled)
        sys.stdout.write(
            f"configure and its imports      {configure:6.2f} s   {configure / hub:5.0%} of a hub's own imports "
            f"({hub:.2f} s)\n"
            f"hub-extensions --help          {answer + python:6.2f} s   {python:.2f} s of it Python itself\n"
        )


def least(program: str, compiled: str) -> float:
    """Seconds that a program says it took, at the least."""
    return min(float(run(program, compiled).split()[-1]) for _ in range(TIMES + 1))


def whole(program: str, compiled: str) -> float:
    """Seconds from the start of the process to its end, at the least."""
    taken = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        run(program, compiled)
        taken.append(time.perf_counter() - begun)
    return min(taken)


def run(program: str, compiled: str) -> str:
    """What a program prints in a process of its own."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(  # noqa: S603 - the programs above
        [sys.executable, "-P", "-c", program, str(EXAMPLE)],
        env={**environment, "PYTHONPYCACHEPREFIX": compiled},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


if __name__ == "__main__":
    main()
