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
SPAWNERS = {"ours": "hub_extensions.spawners.kube.ProfileKubeSpawner", "stock": "kubespawner.KubeSpawner"}
STARTS = 10  # in each turn
READS = {"watch", "list"}  # these go with time, not with starts


async def turn(kube: Cluster, spawner: str, number: int) -> tuple[float, collections.Counter[str]]:
    """Seconds of the starts alone, one after the other, and the calls of starts and stops together."""
    config = {"JupyterHub": {"spawner_class": spawner}, "KubeSpawner": {"profile_list": PROFILES}}
    async with hub_on(kube, config) as hub:
        logging.disable()
        await start(hub, f"first-{number}", OPTIONS)  # starts what a hub starts once
        await stop(hub, f"first-{number}")
        before, taken = len(kube.calls_of_hub()), 0.0
        for person in range(STARTS):
            name = f"ada-{number}-{person}"
            hub.token(name)
            begin = time.perf_counter()
            await start(hub, name, OPTIONS)
            taken += time.perf_counter() - begin
            await stop(hub, name)
        calls = kube.calls_of_hub()[before:]
    return taken, collections.Counter(f"{call.verb} {call.resource}" for call in calls if call.verb not in READS)


async def compare(kube: Cluster, rounds: int) -> None:
    """Print each round's ratio, the median of all, and the calls of one start and stop."""
    seconds: dict[str, list[float]] = {name: [] for name in SPAWNERS}
    calls = {name: collections.Counter[str]() for name in SPAWNERS}
    for number in range(rounds):
        order = list(SPAWNERS) if number % 2 else list(reversed(SPAWNERS))
        for name in order:
            taken, asked = await turn(kube, SPAWNERS[name], 2 * number + (name == "ours"))
            seconds[name].append(taken)
            calls[name] += asked
        sys.stdout.write(f"round {number + 1}: {seconds['ours'][-1] / seconds['stock'][-1]:.3f}\n")
    for name in SPAWNERS:
        each = {call: count / rounds / STARTS for call, count in sorted(calls[name].items())}
        one = statistics.median(seconds[name]) / STARTS
        sys.stdout.write(f"{name:<6} {one:.3f} s a start; calls for a start and a stop: {each}\n")
    ratio = statistics.median(seconds["ours"]) / statistics.median(seconds["stock"])
    pairs = [ours / stock for ours, stock in zip(seconds["ours"], seconds["stock"], strict=True)]
    sys.stdout.write(f"{rounds * STARTS} starts of each, ours to stock: {ratio:.3f} of the medians, ")
    sys.stdout.write(f"{min(pairs):.3f} to {max(pairs):.3f} in single rounds; at most 1.05 is wanted\n")


def main() -> None:
    """Run the API server and the rounds."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    with (
        tempfile.TemporaryDirectory() as folder,
        api_server(Path(os.environ[ASSETS]), Path(folder), NAMESPACE) as api,
        cluster(api, Path(folder)) as kube,
    ):
        asyncio.run(compare(kube, rounds))


if __name__ == "__main__":
    main()
