"""What a check found: a mistake, which stops the start, or a doubt, which is logged."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from .mistakes import Mistake, path_of


@dataclass(frozen=True)
class Finding(Mistake):
    """A mistake with its severity: an `error` stops the start of the hub, a `warning` is logged.

    `why` says what comes of it, where `what` alone does not.
    """

    severity: Literal["error", "warning"] = "error"
    why: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (f"{self.path}:", self.what, self.why, self.advice)))


def error(path: str, what: str, advice: str = "", why: str = "") -> Finding:
    """What cannot work, or is not what it looks like."""
    return Finding(path, what, advice, "error", why)


def errors(mistakes: Iterable[Mistake]) -> list[Finding]:
    """Mistakes among what was found: each is an error."""
    return [error(mistake.path, mistake.what, mistake.advice) for mistake in mistakes]


def as_findings(mistakes: Iterable[Mistake]) -> list[Finding]:
    """Findings as they are, and other mistakes as errors."""
    return [each if isinstance(each, Finding) else error(each.path, each.what, each.advice) for each in mistakes]


def warning(path: str, what: str, advice: str = "", why: str = "") -> Finding:
    """What works, but perhaps not as was meant."""
    return Finding(path, what, advice, "warning", why)


def inside(path: str, *parts: str | int) -> str:
    """The path of something within what stands at `path`."""
    inner = path_of(parts)
    return f"{path}{inner}" if inner.startswith("[") else f"{path}.{inner}"


def told_once(findings: Iterable[Finding]) -> list[str]:
    """A line for each thing that was found, with all its places: what was copied to many places is told once."""
    return [
        str(replace(finding, advice=f"{finding.advice} {_also(places)}".strip()))
        for finding, places in gathered(findings)
    ]


def gathered(findings: Iterable[Finding]) -> list[tuple[Finding, list[str]]]:
    """Each thing that was found once, with the other places of it."""
    found: dict[Finding, list[str]] = {}
    for finding in findings:
        found.setdefault(replace(finding, path=""), []).append(finding.path)
    return [(replace(finding, path=paths[0]), paths[1:]) for finding, paths in found.items()]


def _also(paths: Sequence[str]) -> str:
    if not paths:
        return ""
    more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
    return f"Also at {', '.join(paths[:3])}{more}."
