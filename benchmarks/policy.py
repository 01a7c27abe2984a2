"""How long policy takes: one choice resolved, one page's offer made, and all hubs of a corpus read.

.venv/bin/python benchmarks/policy.py
"""

import os
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from hub_extensions import catalogue
from hub_extensions.catalogue_check import check_list
from hub_extensions.commands.values_files import read_values
from hub_extensions.offer import offer
from hub_extensions.profiles import Person, Resolved, resolve
from hub_extensions.spawner_traits import traits_of
from hub_extensions.z2jh.values import chart_values, look_up

PROFILES = [
    {
        "display_name": f"Profile {number}",
        "slug": f"profile-{number}",
        "allowed_groups": [f"group-{number % 7}", "everyone"],
        "kubespawner_override": {"mem_limit": "4G", "cpu_limit": 2},
        "profile_options": {
            f"option-{option}": {
                "display_name": f"Option {option}",
                "choices": {
                    f"choice-{choice}": {
                        "display_name": f"Choice {choice}",
                        "allowed_groups": ["everyone" if choice % 2 else "nobody", f"group-{choice % 7}"],
                        "kubespawner_override": {"mem_limit": f"{choice + 1}G", "mem_guarantee": f"{choice + 1}G"},
                    }
                    for choice in range(20)
                },
                "unlisted_choice": {"enabled": True, "validation_regex": ".+:.+"},
            }
            for option in range(3)
        },
    }
    for number in range(100)
]
GROUPS = frozenset({"Everyone", "Group-3", *(f"other-{number}" for number in range(20))})
LAST = {"profile": "profile-99", "option-0": "choice-19", "option-1--unlisted-choice": "quay.io/x:1"}


def person() -> Person:
    """Somebody for whom nothing has been worked out yet, as for each request."""
    return Person(GROUPS, date(2026, 3, 1))


def milliseconds(work: Callable[[], object], times: int = 200) -> float:
    """The median of several calls, in the time that the processor spent on them: a machine may have other work."""
    taken = []
    for _ in range(times):
        begin = time.thread_time()
        work()
        taken.append(time.thread_time() - begin)
    return statistics.median(taken) * 1000


def report(what: str, found: float, limit: float, unit: str) -> None:
    """One line: what was measured, the limit, and how many times it would fit."""
    sys.stdout.write(f"{what:<52} {found:9.2f} {unit}   limit {limit:g} {unit}   {limit / found:.1f} times within\n")


def check_corpus(folder: Path) -> int:
    """Read the values of each hub and check its profiles; how many hubs."""
    files, traits = sorted(folder.glob("*/*.yaml")), traits_of("profile-kube")
    for file in files:
        check_list(look_up(chart_values(read_values(file)), "singleuser.profileList", []), traits=traits)
    return len(files)


def main() -> None:
    """Print one line for each figure."""
    known = catalogue.read(PROFILES)
    assert isinstance(resolve(known, person(), LAST), Resolved)  # noqa: S101 - else a refusal would be timed
    report(
        "resolve, 100 profiles of 3 options of 20 choices",
        milliseconds(lambda: resolve(known, person(), LAST)),
        1,
        "ms",
    )
    report(
        "offer, 100 profiles of 3 options of 20 choices", milliseconds(lambda: offer(known, person(), LAST)), 5, "ms"
    )
    report(
        "read, 100 profiles of 3 options of 20 choices", milliseconds(lambda: catalogue.read(PROFILES), 10), 1000, "ms"
    )
    folder = os.environ.get("HUB_VALUES_CORPUS")
    if folder:
        begin = time.perf_counter()
        count = check_corpus(Path(folder))
        report(f"read and check {count} hubs of the corpus", time.perf_counter() - begin, 10, "s ")


if __name__ == "__main__":
    main()
