"""``hub-extensions usage``: the service that shows people what they used. Started by the hub."""

from __future__ import annotations

import os
from importlib.metadata import entry_points

import click

from ..usage_service import DATABASE_VARIABLE, SERVICE, UsageSettings


@click.command(
    name="usage",
    epilog="Where it listens and how it asks the hub comes from the hub: JUPYTERHUB_SERVICE_URL and others.",
)
@click.option("--database", help=f"Database of the ledger, e.g. sqlite:///usage.sqlite.  [env: {DATABASE_VARIABLE}]")
@click.option("--hub", help="Name of the hub in the ledger (hub).")
@click.option("--title", help="What the pages call the hub (JupyterHub).")
@click.option("--time-zone", help="Where months begin, e.g. Europe/Berlin (UTC).")
@click.option("--template-path", "template_paths", multiple=True, help="Folder with templates of your own; repeatable.")
def command(
    database: str | None, hub: str | None, title: str | None, time_zone: str | None, template_paths: tuple[str, ...]
) -> None:
    """Serve the usage pages. A JupyterHub starts this as a managed service."""
    if "JUPYTERHUB_SERVICE_URL" not in os.environ:
        raise click.ClickException(
            "the usage service is started by JupyterHub, as one of c.JupyterHub.services: JUPYTERHUB_SERVICE_URL is "
            "not set"
        )
    try:
        settings = UsageSettings.read(
            os.environ, database=database, hub=hub, title=title, time_zone=time_zone, template_paths=template_paths
        )
        (service,) = entry_points(group="hub_extensions.services", name=SERVICE)
        service.load()(settings)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
