"""Before anything else is imported: no test reads the developer's own cluster."""

import os
import signal
from importlib import resources

# kubernetes_asyncio looks at this once, when it is imported.
os.environ["KUBECONFIG"] = str(resources.files("hub_extensions") / "no-cluster.yaml")

# Started from a shell that ignores Ctrl-C (`nohup … &`), servers would ignore it too, by which tests end them.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
