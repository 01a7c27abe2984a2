"""The check of sizes: do the numbers agree with each other, and with what a label promises?"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

from .catalogue import Choice, Option, Profile
from .findings import Finding, error, inside, warning
from .sizes import memory_bytes

_MEMORY_KEYS, _CPU_KEYS = ("mem_guarantee", "mem_limit"), ("cpu_guarantee", "cpu_limit")
_MOST_COMBINATIONS = 10_000  # of choices that set sizes; a profile with more of them is checked in part

_LITTLE = 0.25  # by how much of it an amount may be off, as labels round and Kubernetes' units are binary
_AMOUNT = r"(?P<low>\d+(?:\.\d+)?)(?:\s*(?:-|\u2013|to)\s*(?P<high>\d+(?:\.\d+)?))?"
# Where a label is not about this server's own memory or CPU.
_ELSEWHERE = r"(?!\s*(?:of\s+)?(?:V-?RAM|GPU|disk|storage|home|scratch|SSD|data|image|download|node|machine|host)\b)"
_MEMORY = re.compile(
    rf"(?<![\w.]){_AMOUNT}\s*(?P<unit>[GMT])i?B\b{_ELSEWHERE}(?P<said>\s*(?:of\s+)?(?:CPU\s+)?(?:RAM|memory)\b)?", re.I
)
_CPUS = re.compile(rf"(?<![\w.]){_AMOUNT}\s*(?:v?CPUs?|cores?)\b(?!\s*(?:node|machine|host|RAM|memory)\b)", re.I)
_GPU = re.compile(r"GPU|NVIDIA|Tesla|\b[ALTV]\d{1,3}\b", re.I)
# A description with such a word may tell the size of what several servers share.
_SHARED = re.compile(r"\b(?:node|machine|shared|server with|total|max)", re.I)
_WHY = "People choose by the label."
_UNITS = {"M": 2**20, "G": 2**30, "T": 2**40}


@dataclass(frozen=True)
class Range:
    """From the guarantee to the limit of one resource, in bytes or CPUs; `most` is None without a limit."""

    least: float
    most: float | None


def check_sizes(profile: Profile, place: str) -> Iterator[Finding]:
    """Guarantees over limits in what a profile comes to with its choices, and labels that contradict the numbers."""
    yield from over_limits(profile, place)
    options = profile.profile_options
    for keys in (_MEMORY_KEYS, _CPU_KEYS):
        if not any(_sets(choice, keys) for option in options.values() for choice in option.choices.values()):
            for what in contradictions(profile.display_name, profile.description, _only(profile, keys)):
                yield warning(place, what, "Correct the label or the number.", _WHY)
        for name, option in options.items():
            for key, choice in option.choices.items():
                if not _sets(choice, keys):
                    continue
                total = {**_only(profile, keys), **_only(choice, keys)}
                for what in contradictions(choice.display_name, choice.description, total):
                    yield warning(
                        inside(place, "profile_options", name, "choices", key),
                        what,
                        "Correct the label or the number.",
                        _WHY,
                    )


def over_limits(profile: Profile, place: str) -> Iterator[Finding]:
    """Guarantees over limits in what a profile comes to with its choices, each told once."""
    keys = _MEMORY_KEYS + _CPU_KEYS
    told = set()
    layers = [_distinct(option, name, place, keys) for name, option in profile.profile_options.items()]
    for combination in islice(product(*layers), _MOST_COMBINATIONS):
        total = _only(profile, keys)
        at = place
        for chosen_at, numbers in combination:
            total |= numbers
            at = chosen_at if numbers else at
        wrong = over_limit(total)
        if wrong and (at, wrong) not in told:
            told.add((at, wrong))
            yield error(at, wrong, "Kubernetes starts no such server.")


def _distinct(option: Option, name: str, place: str, keys: tuple[str, ...]) -> list[tuple[str, dict[str, Any]]]:
    """The choices of an option that differ in these settings, each with its place."""
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for key, choice in option.choices.items():
        numbers = _only(choice, keys)
        found.setdefault(repr(numbers), (inside(place, "profile_options", name, "choices", key), numbers))
    if option.unlisted_choice.enabled or not found:
        found.setdefault("{}", (place, {}))
    return list(found.values())


def _sets(part: Profile | Choice, keys: tuple[str, ...]) -> bool:
    return any(part.kubespawner_override.get(key) is not None for key in keys)


def _only(part: Profile | Choice, keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: part.kubespawner_override[key] for key in keys if key in part.kubespawner_override}


def memory_range(override: Mapping[str, Any]) -> Range | None:
    """The memory that an override gives; None if it says nothing of it, or nothing that can be read."""
    try:
        limit, guarantee = memory_bytes(override.get("mem_limit")), memory_bytes(override.get("mem_guarantee"))
    except (ValueError, OverflowError):
        return None
    # Kubernetes guarantees the limit where nothing else is said.
    return _range(guarantee or limit, limit)


def cpu_range(override: Mapping[str, Any]) -> Range | None:
    """The CPUs that an override gives; None if it says nothing of them, or nothing that can be read."""
    limit, guarantee = override.get("cpu_limit"), override.get("cpu_guarantee")
    if not all(value is None or isinstance(value, (int, float)) for value in (limit, guarantee)):
        return None
    return _range(guarantee, limit)


def _range(guarantee: float | None, limit: float | None) -> Range | None:
    if any(amount is not None and not amount >= 0 for amount in (guarantee, limit)) or not (guarantee or limit):
        return None
    return Range(guarantee or 0, limit or None)


def over_limit(override: Mapping[str, Any]) -> str:
    """How an override guarantees more than it allows, which Kubernetes refuses; "" if it does not."""
    for kind, found in (("mem", memory_range(override)), ("cpu", cpu_range(override))):
        if found and found.most is not None and found.least > found.most:
            guarantee, limit = f"{kind}_guarantee", f"{kind}_limit"
            return f"{guarantee} {override[guarantee]} is more than {limit} {override[limit]}."
    return ""


def contradictions(name: str, description: str, override: Mapping[str, Any]) -> Iterator[str]:
    """What a name and a description promise that an override does not hold, as in `8 GB, but mem_limit is 4G`."""
    memory, cpus = memory_range(override), cpu_range(override)
    for text, is_name in ((name, True), (description, False)):
        if not is_name and _SHARED.search(text):
            continue
        has_gpu = bool(_GPU.search(text))
        for found in _MEMORY.finditer(text):
            # A bare amount may be the memory of a GPU, and in a description the size of anything.
            if memory and (found["said"] or (is_name and not has_gpu)):
                unit = _UNITS[found["unit"].upper()]
                if _contradicts(found, memory, unit, 0.25 * unit):
                    yield f"{found[0].strip()!r}, but {_told(override, 'mem')}"
        for found in _CPUS.finditer(text):
            if cpus and _contradicts(found, cpus, 1, 0.3):
                yield f"{found[0].strip()!r}, but {_told(override, 'cpu')}"


def _contradicts(found: re.Match[str], given: Range, unit: float, rounding: float) -> bool:
    low = float(found["low"]) * unit
    high = float(found["high"]) * unit if found["high"] else low
    too_much = given.most is not None and low > max(given.most * (1 + _LITTLE), given.most + rounding)
    too_little = high < min(given.least * (1 - _LITTLE), given.least - rounding)
    return too_much or too_little


def _told(override: Mapping[str, Any], kind: str) -> str:
    given = [
        f"{name} is {override[name]}"
        for name in (f"{kind}_guarantee", f"{kind}_limit")
        if override.get(name) is not None
    ]
    return f"{' and '.join(given)}."
