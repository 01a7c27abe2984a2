"""What the chart does to configure its hub, without a chart: from values to `c`, in the chart's order.

The chart's own traits, then `hub.config`, then the files of `jupyterhub_config.d/` by name, then `hub.extraConfig` by
key, all with the same globals, in which `get_config` reads values. The module `z2jh` is a file beside them.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hub_extensions.z2jh import hub_config
from hub_extensions.z2jh.values import chart_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from traitlets.config import Config

EXTRA_CONFIG = {"50-hub-extensions": "from hub_extensions import configure\nconfigure(c)"}
PROCESS = {"HELM_RELEASE_NAME": "hub", "POD_NAMESPACE": "prod"}

_MODULE = """
from functools import lru_cache
from pathlib import Path
import json

@lru_cache
def _values():
    return json.loads(Path(__file__).with_name("values.yaml").read_text())

def get_config(key, default=None):
    here = _values()
    for level in key.split("."):
        if not isinstance(here, dict) or level not in here:
            return default
        here = here[level]
    return here
"""


def load(
    values: Mapping[str, Any],
    folder: Path,
    extra_config: Mapping[str, str] = EXTRA_CONFIG,
    config_d: Mapping[str, str] | None = None,
    process: Mapping[str, str] = PROCESS,
) -> Config:
    """The configuration of a hub with these values: `extra_config` beside theirs, `config_d` are files by name."""
    values = {**chart_values(values)}
    # Helm passes values through JSON: a date is text by then.
    (folder / "values.yaml").write_text(json.dumps(values, default=str))
    (folder / "z2jh.py").write_text(_MODULE)
    with _as_the_chart_runs(folder, process):
        get_config = importlib.import_module("z2jh").get_config
        c = hub_config(values)
        c.CryptKeeper.keys = [b"k" * 32]
        scope = {"c": c, "get_config": get_config}
        for name, program in sorted((config_d or {}).items()):
            exec(compile(program, name, "exec"), scope)
        own = get_config("hub.extraConfig", {})
        own = own if isinstance(own, dict) else {"": own}
        for name, program in sorted({**own, **extra_config}.items()):
            exec(compile(program, name, "exec"), scope)
    return c


@contextmanager
def _as_the_chart_runs(folder: Path, process: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in process}
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    os.environ.update(process)
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        sys.modules.pop("z2jh", None)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
