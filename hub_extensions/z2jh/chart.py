"""The values of the chart that runs this hub, as its own module `z2jh` reads them."""

from copy import deepcopy
from importlib import import_module
from typing import Any

from ..mistakes import Mistake, SettingsError

# What of the values is looked at; everything else the chart itself turns into traits.
_READ = ("custom", "hub.config", "hub.services", "singleuser")


def read_chart() -> dict[str, Any]:
    """The part of the chart's values that `configure(c)` looks at; raises SettingsError outside of the chart."""
    try:
        get_config = import_module("z2jh").get_config
    except ModuleNotFoundError as error:
        if error.name != "z2jh":
            raise
        what = "there are no values to read: this is not the configuration of a Zero to JupyterHub chart."
        raise SettingsError([Mistake("configure(c)", what, 'Pass settings: configure(c, "hub.yaml").')]) from None
    values: dict[str, Any] = {}
    for path in _READ:
        *above, last = path.split(".")
        here = values
        for key in above:
            here = here.setdefault(key, {})
        here[last] = deepcopy(get_config(path))  # what it returns is everybody's
    return values
