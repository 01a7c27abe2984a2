"""What a check found: a mistake, which stops the start, or a doubt, which is logged."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from .mistakes import Mistake, path_of


@dataclass(frozen=True)
class Finding(Mistake):
    """A mistake with its severity: an `error` stops the start of the hub, a `warning` is logged."""

    severity: Literal["error", "warning"] = "error"


def error(path: str, what: str, advice: str = "") -> Finding:
    """What cannot work, or is not what it looks like."""
    return Finding(path, what, advice, "error")


def errors(mistakes: Iterable[Mistake]) -> list[Finding]:
    """Mistakes among what was found: each is an error."""
    return [error(mistake.path, mistake.what, mistake.advice) for mistake in mistakes]


def warning(path: str, what: str, advice: str = "") -> Finding:
    """What works, but perhaps not as was meant."""
    return Finding(path, what, advice, "warning")


def inside(path: str, *parts: str | int) -> str:
    """The path of something within what stands at `path`."""
    inner = path_of(parts)
    return f"{path}{inner}" if inner.startswith("[") else f"{path}.{inner}"


def told_once(findings: Iterable[Finding]) -> list[str]:
    """A line for each thing that was found, with all its places: what was copied to many places is told once."""
    places: dict[tuple[str, str], list[str]] = {}
    for finding in findings:
        places.setdefault((finding.what, finding.advice), []).append(finding.path)
    return [
        str(Mistake(paths[0], what, f"{advice} {_also(paths[1:])}".strip())) for (what, advice), paths in places.items()
    ]


def _also(paths: Sequence[str]) -> str:
    if not paths:
        return ""
    more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
    return f"Also at {', '.join(paths[:3])}{more}."
