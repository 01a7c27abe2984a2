# ruff: noqa: F821 - JupyterHub gives `c` to this file, which is no module.
"""A hub on one machine: `jupyterhub --config jupyterhub_config.py`, with the settings in hub.yaml beside it."""

from pathlib import Path

from hub_extensions import configure

# Your own settings stay as they are, before the call or after it.
c.JupyterHub.bind_url = "http://127.0.0.1:8000"
c.Spawner.default_url = "/lab"

configure(c, Path(__file__).with_name("hub.yaml"))
