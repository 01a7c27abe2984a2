"""How Sphinx builds this folder: `make docs`."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.append(str(HERE))

import generated  # noqa: E402 - it is beside this file

project = "hub-extensions"
copyright = "the authors of hub-extensions, BSD 3-Clause"
extensions = ["myst_parser", "sphinx_click"]
exclude_patterns = ["_build"]
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]
smartquotes = False  # it makes one dash of the two before an option
suppress_warnings = ["misc.highlighting_failure"]  # tables in CSV have no colours
html_theme = "furo"
html_title = "hub-extensions"
html_copy_source = False
html_show_sphinx = False
# Nothing is fetched while pages are built or read, and they are the same wherever they are built.
html_theme_options = {"footer_icons": []}


def setup(app):
    """Write the pages that are made of the code before Sphinx looks for pages."""
    app.connect("config-inited", lambda *_: generated.write(HERE / "reference"))
