"""How a command prints what it found: as YAML for people, as JSON for programs."""

import json
from collections.abc import Callable
from typing import Any

import click
import yaml


def _format(usual: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return click.option(
        "--format",
        "format_",
        type=click.Choice([usual, "json"]),
        default=usual,
        show_default=True,
        help="How to print it.",
    )


format_option = _format("yaml")
text_format_option = _format("text")


def printed(value: Any, format_: str) -> str:
    """Plain data in one of the formats of `format_option`, in its own order, with a newline at the end."""
    if format_ == "json":
        return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=10_000)
    return text
