"""Before anything else is imported: no test reads the developer's own cluster."""

import os
from importlib import resources

# kubernetes_asyncio looks at this once, when it is imported.
os.environ["KUBECONFIG"] = str(resources.files("hub_extensions") / "no-cluster.yaml")
