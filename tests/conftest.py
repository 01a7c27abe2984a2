"""Before anything else is imported: no test reads the developer's own cluster."""

from __future__ import annotations

import os
import signal
from importlib import resources
from typing import TYPE_CHECKING

from .workers import longest_first

if TYPE_CHECKING:
    import pytest

# kubernetes_asyncio looks at this once, when it is imported.
os.environ["KUBECONFIG"] = str(resources.files("hub_extensions") / "no-cluster.yaml")

# Started from a shell that ignores Ctrl-C or the end of its terminal (`nohup … &`), servers would ignore them too.
for _number, _usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _usual)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):  # one process alone keeps the order in which people read
        longest_first(items, config.rootpath)
