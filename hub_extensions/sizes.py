"""Sizes of a server: amounts of memory and CPU, read from what an override says and told in plain words."""

import re
from collections.abc import Mapping
from typing import Any

_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40, "P": 2**50}
# Kubernetes writes Gi where JupyterHub writes G; both mean 2**30 in a spawner's trait.
_MEMORY = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMGTP]?)i?B?\s*", re.IGNORECASE | re.ASCII)


def memory_bytes(amount: str | float | None) -> int | None:
    """An amount of memory in bytes: `"1.5G"`, `"512M"` or a number of bytes; None is no limit.

    Raises ValueError for anything else.
    """
    if amount is None:
        return None
    if isinstance(amount, (int, float)) and not isinstance(amount, bool):
        return int(amount)
    found = _MEMORY.fullmatch(amount) if isinstance(amount, str) else None
    if not found:
        raise ValueError(f"not an amount of memory, such as 512M or 4G: {amount!r}")
    return int(float(found[1]) * _UNITS[found[2].upper()])


def describe(override: Mapping[str, Any]) -> str:
    """What a person gets, such as `4 GB memory, up to 2 CPUs, 1 GPU`; empty when an override sets no size."""
    memory = _memory_words(override)
    parts = [memory, _cpu_words(override), _gpu_words(override)]
    return ", ".join(part for part in parts if part)


def gpus(limits: Mapping[str, Any] | None) -> int:
    """How many GPUs a server gets by its extra resource limits, such as `{"nvidia.com/gpu": "1"}`."""
    return sum(
        int(count)
        for name, count in (limits or {}).items()
        if name.rpartition("/")[2].startswith("gpu") and str(count).isdigit()
    )


def _memory_words(override: Mapping[str, Any]) -> str:
    try:
        limit, guarantee = memory_bytes(override.get("mem_limit")), memory_bytes(override.get("mem_guarantee"))
    except ValueError:
        return ""  # a callable, or a mistake that the check of the catalogue reports
    amount = limit or guarantee
    if not amount:
        return ""
    words = f"{_number(amount / 2**30)} GB memory" if amount >= 2**30 else f"{_number(amount / 2**20)} MB memory"
    return words if limit else f"at least {words}"


def _cpu_words(override: Mapping[str, Any]) -> str:
    limit, guarantee = (_cpus(override.get(name)) for name in ("cpu_limit", "cpu_guarantee"))
    amount = limit or guarantee
    if not amount:
        return ""
    words = f"{_number(amount)} CPU" if amount <= 1 else f"{_number(amount)} CPUs"
    if limit and guarantee == limit:
        return words
    return f"up to {words}" if limit else f"at least {words}"


def _gpu_words(override: Mapping[str, Any]) -> str:
    limits = override.get("extra_resource_limits")
    count = gpus(limits) if isinstance(limits, Mapping) else 0
    return "" if not count else "1 GPU" if count == 1 else f"{count} GPUs"


def _cpus(amount: Any) -> float | None:
    return float(amount) if isinstance(amount, (int, float)) and not isinstance(amount, bool) else None


def _number(amount: float) -> str:
    return f"{amount:.0f}" if amount >= 10 or abs(amount - round(amount)) < 0.05 else f"{amount:.1f}".rstrip("0")
