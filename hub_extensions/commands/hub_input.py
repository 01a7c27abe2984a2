"""Which hub a command is about: Helm values, or a configuration file of JupyterHub."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .mistaken_call import CalledWrongly
from .values_files import read_values

if TYPE_CHECKING:
    from ..planned_hub import PlannedHub


@dataclass(frozen=True)
class HubFiles:
    """The files that describe a hub: either values, of which the later one wins, or a configuration file."""

    values: tuple[Path, ...] = ()
    config: Path | None = None

    @property
    def name(self) -> str:
        """The files, for a person to read."""
        return ", ".join(map(str, self.values)) if self.config is None else str(self.config)

    def instead(self, others: tuple[Path, ...]) -> "HubFiles":
        """Other files of the same kind. Raises CalledWrongly for more than one configuration file."""
        if self.config is None:
            return HubFiles(others)
        if len(others) > 1:
            raise CalledWrongly("--diff: a hub has one configuration file.")
        return HubFiles(config=others[0])

    def planned(self) -> "PlannedHub":
        """The hub that they describe. Raises CalledWrongly for a file that cannot be read."""
        from .. import planned_hub

        if self.config is None:
            return planned_hub.from_values([read_values(path) for path in self.values])
        if not self.config.is_file():
            raise CalledWrongly(f"{self.config}: there is no such file.")
        return planned_hub.from_config_file(self.config)


def hub_files(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options `--values` and `--config`, and pass it `hub`, the HubFiles that they name."""

    @click.option(
        "--values",
        "values",
        metavar="FILE",
        multiple=True,
        type=click.Path(path_type=Path),
        help="Helm values of Zero to JupyterHub, or of a chart around it; again for more files, the later one wins.",
    )
    @click.option(
        "--config",
        "config",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="A jupyterhub_config.py, which is executed as JupyterHub does.",
    )
    @wraps(command)
    def with_hub(*args: Any, values: tuple[Path, ...], config: Path | None, **options: Any) -> None:
        if bool(values) == bool(config):
            raise CalledWrongly("Name the hub: either --values FILE, once or more, or --config FILE.")
        command(*args, hub=HubFiles(values, config), **options)

    return with_hub
