"""Zero to JupyterHub: what a hub with given Helm values is told.

- `translation`: the traits that the chart's own configuration file sets for a spawner. That runs only inside a hub's
  pod; this says the same of a values file anywhere, so that a pod can be looked at before anything is deployed. Nothing
  of `hub.extraConfig` is executed.
- `hub_traits`: all that this file tells the hub: services, roles and templates besides.
- `custom`: the settings of hub-extensions that stand under `custom:`, and those that 2i2c's basehub has there. `chart`
  reads them inside a hub's pod.
"""

from .hub_traits import hub_config
from .translation import kubespawner_config
from .values import merge_values

__all__ = ["hub_config", "kubespawner_config", "merge_values"]
