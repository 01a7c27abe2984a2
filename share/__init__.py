"""Pages and their few assets; `TEMPLATES` and `STATIC` are the folders to serve them from."""

from pathlib import Path

TEMPLATES = Path(__file__).with_name("templates")
STATIC = Path(__file__).with_name("static")
