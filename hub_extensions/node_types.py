"""Node types of the common clouds, and how much of a node is left for the servers of people.

What a cloud's Kubernetes reserves is computed by its published formula. Two things no formula tells: how much memory
the kernel and the firmware keep before Kubernetes sees it, and what the system pods on every node ask for. For these
stand estimates, a little more than is usual. Who has measured a node of their own cluster uses what they measured.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

MIB, GIB = 2**20, 2**30


@dataclass(frozen=True)
class Capacity:
    """CPUs, and memory in bytes."""

    cpu: float
    memory: int


@dataclass(frozen=True)
class NodeType:
    """A kind of node as its maker states it; `pods` is how many of them can run on it."""

    name: str
    cloud: str
    stated: Capacity
    pods: int


@dataclass(frozen=True)
class _Cloud:
    reserved_memory: Callable[[int, int], float]  # of (bytes that Kubernetes sees, pods)
    reserved_cpu: Callable[[float], float]
    unseen: float  # part of the stated memory that the kernel and the firmware keep
    system_pods: Capacity  # what the pods ask for that run on every node


_EVICTION = 100 * MIB  # below which Kubernetes stops pods, in all three
_UNSEEN = 256 * MIB  # of the memory besides the part


def _stepwise(amount: float, steps: tuple[tuple[float, float], ...]) -> float:
    """The sum over steps of (up to, share of the amount within this step)."""
    total = below = 0.0
    for up_to, share in steps:
        total += share * max(min(amount, up_to) - below, 0)
        below = up_to
    return total


def _gke_memory(memory: int, _pods: int) -> float:
    # https://cloud.google.com/kubernetes-engine/docs/concepts/plan-node-sizes#memory_reservations
    if memory < GIB:
        return 255 * MIB
    steps = ((4 * GIB, 0.25), (8 * GIB, 0.2), (16 * GIB, 0.1), (128 * GIB, 0.06), (float("inf"), 0.02))
    return _stepwise(memory, steps)


def _gke_cpu(cpus: float) -> float:
    # https://cloud.google.com/kubernetes-engine/docs/concepts/plan-node-sizes#cpu_reservations; EKS has the same.
    return _stepwise(cpus, ((1, 0.06), (2, 0.01), (4, 0.005), (float("inf"), 0.0025)))


def _eks_memory(_memory: int, pods: int) -> float:
    # kubeReserved as nodeadm of https://github.com/awslabs/amazon-eks-ami computes it
    return 255 * MIB + 11 * MIB * pods


def _aks_memory(memory: int, pods: int) -> float:
    # https://learn.microsoft.com/azure/aks/node-resource-reservations#memory-reservations, from version 1.29
    return min((20 * pods + 50) * 10**6, memory / 4)


def _aks_cpu(cpus: float) -> float:
    # The same page has a table: 60 millicores for one CPU, 100 for two, 140 for four, then 10 for each CPU.
    return 0.06 if cpus <= 1 else 0.1 + 0.02 * (cpus - 2) if cpus <= 4 else 0.14 + 0.01 * (cpus - 4)


_CLOUDS = {
    "gke": _Cloud(_gke_memory, _gke_cpu, 0.016, Capacity(0.48, 640 * MIB)),
    "eks": _Cloud(_eks_memory, _gke_cpu, 0.028, Capacity(0.2, 256 * MIB)),
    "aks": _Cloud(_aks_memory, _aks_cpu, 0.02, Capacity(0.4, 640 * MIB)),
}
_USUAL_PODS = 110  # per node, where the number follows from no rule


def left_for_people(node: NodeType) -> Capacity:
    """What the servers of people can use of a node: its allocatable CPU and memory, less what system pods ask for."""
    cloud = _CLOUDS[node.cloud]
    seen = int(node.stated.memory * (1 - cloud.unseen)) - _UNSEEN
    memory = seen - cloud.reserved_memory(seen, node.pods) - _EVICTION - cloud.system_pods.memory
    cpu = node.stated.cpu - cloud.reserved_cpu(node.stated.cpu) - cloud.system_pods.cpu
    return Capacity(round(cpu, 3), int(memory))


@cache
def node_types() -> Mapping[str, NodeType]:
    """The node types that are known, by name."""
    table = yaml.safe_load(files(__package__).joinpath("node-types.yaml").read_text(encoding="utf-8"))
    return {node.name: node for cloud, described in table.items() for node in _described(cloud, described)}


def _described(cloud: str, described: Mapping[str, Any]) -> Iterator[NodeType]:
    for name, row in described["types"].items():
        yield _node(name, cloud, row, row["gib"])
    for family, rule in described["families"].items():
        for size, row in described.get("sizes", {}).items():
            yield _node(f"{family}.{size}", cloud, row, rule["gib_per_cpu"] * row["cpus"])
        for cpus in rule.get("cpus", ()):
            name = family.format(cpus) if "{}" in family else f"{family}-{cpus}"
            yield _node(name, cloud, {"cpus": cpus}, rule["gib_per_cpu"] * cpus)


def _node(name: str, cloud: str, row: Mapping[str, Any], gib: float) -> NodeType:
    # One address of each interface is its own; two pods use the network of the node.
    pods = row["interfaces"] * (row["addresses"] - 1) + 2 if "interfaces" in row else _USUAL_PODS
    return NodeType(name, cloud, Capacity(row["cpus"], int(gib * GIB)), pods)
