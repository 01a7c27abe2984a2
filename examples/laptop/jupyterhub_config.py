from pathlib import Path

from hub_extensions import configure

configure(c, Path(__file__).with_name("hub.yaml"))  # noqa: F821 - JupyterHub provides `c`
