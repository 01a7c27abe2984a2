"""`hub-extensions check`: everything that can be known of a hub before it starts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from .hub_input import HubFiles, hub_files
from .output import printed, text_format_option
from .progress import under_way

if TYPE_CHECKING:
    from ..findings import Finding

EPILOG = """\b
Before an upgrade, with the files that helm is given, in the same order:

\b
  hub-extensions check --values values.yaml --values secrets.yaml && helm upgrade …

\b
It ends with 0 when nothing is wrong, warnings or not; with --strict a warning
counts like an error. As JSON:

\b
  {"errors": 1, "warnings": 0, "findings": [
    {"severity": "error", "path": "custom.communities.reef.membres",
     "what": "unknown key.", "why": "The hub would not start.",
     "how": "Did you mean 'members'?"}]}

\b
"""


@click.command(name="check", epilog=EPILOG)
@hub_files
@click.option("--strict", is_flag=True, help="End with 1 for warnings too.")
@click.option(
    "--effective", is_flag=True, help="Print what the configuration comes to instead; findings go to standard error."
)
@text_format_option
def command(hub: HubFiles, strict: bool, effective: bool, format_: str) -> None:
    """Find what is wrong with a hub before it starts.

    Settings, profiles, who may log in, roles and services, hooks, pages, and versions below known security fixes. Each
    finding says where it is, what it is, why it matters and how to mend it. Nothing is started, and no network is
    needed. Python in hub.extraConfig is read and not run; a configuration file is run.
    """
    with under_way("Checking"):
        from .. import changes
        from ..checks import check

        planned = hub.planned()
        found = check(planned)
    if effective:
        click.echo(_text(found), err=True, nl=False)
        click.echo(printed(changes.effective(planned.config), "json" if format_ == "json" else "yaml"), nl=False)
    else:
        click.echo(printed(_plain(found), "json") if format_ == "json" else _text(found), nl=False)
    if (strict and found) or any(finding.severity == "error" for finding in found):
        raise SystemExit(1)


def _plain(found: Sequence["Finding"]) -> dict[str, Any]:
    return {
        **_counted(found),
        "findings": [
            {"severity": each.severity, "path": each.path, "what": each.what, "why": each.why, "how": each.advice}
            for each in found
        ],
    }


def _counted(found: Sequence["Finding"]) -> dict[str, int]:
    errors = sum(each.severity == "error" for each in found)
    return {"errors": errors, "warnings": len(found) - errors}


def _text(found: Sequence["Finding"]) -> str:
    if not found:
        return "Nothing is wrong.\n"
    from ..findings import gathered

    parts = []
    for each, places in gathered(found):
        lines = [f"{each.severity}: {each.path}: {each.what}"]
        lines += [f"  why: {each.why}"] if each.why else []
        lines += [f"  mend: {each.advice}"] if each.advice else []
        lines += [f"  also: {place}" for place in places]
        parts.append("\n".join(lines))
    counts = _counted(found)
    named = [_number(counts["errors"], "error"), _number(counts["warnings"], "warning")]
    return "\n\n".join([*parts, ", ".join(named)]) + "\n"


def _number(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count or 'no'} {word}s"
