"""What makes a JupyterHub a good community hub: profiles by group, logins by community, usage, branded pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from traitlets.config import Config


def configure(c: Config, settings: Mapping[str, Any] | str | Path | None = None) -> None:
    """Wire a hub: set everything that the settings, a mapping or a YAML file, ask for on its configuration `c`.

    Without settings, in a hub of the Zero to JupyterHub chart, they are those of its values under `custom:`.

    What is there already stays: lists are appended to, and an entry of ours takes the place of an earlier one of the
    same name, so that a second call changes nothing. Settings with mistakes end the process with status 1 and one
    message that lists them all, before anything is set.
    """
    # What only imports this package, such as the command line, need not wait for what this needs.
    from .wiring import configure

    configure(c, settings)
