"""Pages; `TEMPLATES` is the folder for `JupyterHub.template_paths`. Their styles and scripts are part of them."""

from pathlib import Path

TEMPLATES = Path(__file__).with_name("templates")
