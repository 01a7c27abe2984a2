"""Zero to JupyterHub: what a hub with given Helm values tells its spawner.

The chart's own configuration file runs only inside a hub's pod. This package says the same of a values file anywhere,
so that a pod can be looked at before anything is deployed. Nothing of `hub.extraConfig` is executed.
"""

from .translation import kubespawner_config
from .values import merge_values

__all__ = ["kubespawner_config", "merge_values"]
