"""How long a hundred starts take with ProfileKubeSpawner, beside KubeSpawner alone, and what each asks of the cluster.

    KUBEBUILDER_ASSETS=folder .venv/bin/python benchmarks/spawns.py [rounds]

Both start the same quick server on a real kube-apiserver, in turns, so that other work of the machine meets both.
"""

import asyncio
import collections
import logging
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))  # after the installed package

from tests.kube.apiserver import ASSETS, api_server
from tests.kube.cluster import NAMESPACE, Cluster, cluster, hub_on
from tests.kube.people import start, stop

PROFILES = [
    {
        "display_name": "Ocean",
        "slug": "ocean",
        "kubespawner_override": {"mem_limit": "1G", "environment": {"A": "1"}},
        "profile_options": {
            "size": {"display_name": "Size", "choices": {key: {"display_name": key} for key in ("small", "large")}}
        },
    }
]
OPTIONS = {"profile": "ocean", "size": "large"}
OURS, STOCK = "hub_extensions.spawners.kube.ProfileKubeSpawner", "kubespawner.KubeSpawner"
STARTS = 5  # in each turn
WITH_TIME = {"watch", "list"}  # a hub repeats them while it runs, whatever it starts


@dataclass
class Taken:
    """What all turns of one spawner took: seconds of each start, and the calls of hubs that made one start more."""

    starts: list[float] = field(default_factory=list)
    calls: collections.Counter[str] = field(default_factory=collections.Counter)

    def each(self) -> dict[str, float]:
        """The calls for one start and stop, of all verbs."""
        count = len(self.starts) / STARTS * (STARTS + 1)
        return {call: round(calls / count, 2) for call, calls in sorted(self.calls.items())}


async def turn(kube: Cluster, spawner: str, number: int, taken: Taken) -> None:
    """Starts, one after the other; each server is stopped before the next start."""
    config = {"JupyterHub": {"spawner_class": spawner}, "KubeSpawner": {"profile_list": PROFILES}}
    people = [f"ada-{number}-{person}" for person in range(STARTS)]
    before = len(kube.calls_of_hub())
    async with hub_on(kube, config) as hub:
        await start(hub, f"first-{number}", OPTIONS)  # starts what a hub starts once
        await stop(hub, f"first-{number}")
        for name in people:
            hub.token(name)
            begin = time.perf_counter()
            await start(hub, name, OPTIONS)
            taken.starts.append(time.perf_counter() - begin)
            await stop(hub, name)
    taken.calls += collections.Counter(f"{call.verb} {call.resource}" for call in kube.calls_of_hub()[before:])


async def compare(kube: Cluster, rounds: int) -> None:
    """Print each round's ratio, that of all starts, and the calls of one start and stop."""
    ours, stock = Taken(), Taken()
    for number in range(rounds):
        both = [(OURS, 2 * number, ours), (STOCK, 2 * number + 1, stock)]
        for spawner, turns, taken in both if number % 2 else reversed(both):
            await turn(kube, spawner, turns, taken)
        ratio = sum(ours.starts[-STARTS:]) / sum(stock.starts[-STARTS:])
        sys.stdout.write(f"round {number + 1}: {STARTS} starts of ours take {ratio:.3f} of the time of stock\n")
    for name, taken in (("ours", ours), ("stock", stock)):
        sys.stdout.write(f"{name:<5} {statistics.median(taken.starts):.3f} s for a start, {taken.each()}\n")
    sys.stdout.write(
        f"{len(ours.starts)} starts of each, ours to stock: {sum(ours.starts) / sum(stock.starts):.3f} of the sums, "
        f"{statistics.median(ours.starts) / statistics.median(stock.starts):.3f} of the medians; limit 1.05\n"
    )
    once = [{call: n for call, n in it.calls.items() if call.split()[0] not in WITH_TIME} for it in (ours, stock)]
    same = "the same" if once[0] == once[1] else "NOT the same"
    sys.stdout.write(f"calls for the starts and stops: {same}; lists and watches go with the time a hub runs\n")


def main() -> None:
    """Run the API server and the rounds."""
    logging.disable()
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with (
        tempfile.TemporaryDirectory() as folder,
        api_server(Path(os.environ[ASSETS]), Path(folder), NAMESPACE) as api,
        cluster(api, Path(folder)) as kube,
    ):
        asyncio.run(compare(kube, rounds))


if __name__ == "__main__":
    main()
