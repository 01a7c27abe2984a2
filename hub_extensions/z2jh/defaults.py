"""The chart's own values, as far as a user's pod depends on them.

Taken from version 4.3 of the chart. A release of the chart that changes one of these changes it here.
"""

from typing import Any

VERSION = "4.3.3"

# The chart tolerates both spellings, because GKE once refused a slash in taints that are set when a node pool is made.
_USER_NODES = [
    {"key": key, "operator": "Equal", "value": "user", "effect": "NoSchedule"}
    for key in ("hub.jupyter.org/dedicated", "hub.jupyter.org_dedicated")
]

DEFAULTS: dict[str, Any] = {
    # Helm fills these in; a release is called `release-name` where nothing is released, as `helm template` does.
    "Chart": {"Name": "jupyterhub", "Version": VERSION},
    "Release": {"Name": "release-name"},
    # Text, even if empty, is the prefix of the names of the chart's resources; removed by null, the release's name is.
    "fullnameOverride": "",
    "hub": {"baseUrl": "/", "allowNamedServers": False},
    "imagePullSecret": {"create": False, "automaticReferenceInjection": True},
    "singleuser": {
        "image": {"name": "quay.io/jupyterhub/k8s-singleuser-sample", "tag": VERSION},
        "cmd": "jupyterhub-singleuser",
        "startTimeout": 300,
        "events": True,
        "uid": 1000,
        "fsGid": 100,
        "allowPrivilegeEscalation": False,
        "memory": {"guarantee": "1G"},
        "extraEnv": {},  # not nothing: it hides what is set for Spawner
        "extraLabels": {"hub.jupyter.org/network-access-hub": "true"},
        "networkTools": {"image": {"name": "quay.io/jupyterhub/k8s-network-tools", "tag": VERSION}},
        "cloudMetadata": {"blockWithIptables": True, "ip": "169.254.169.254"},
        "storage": {
            "type": "dynamic",
            "capacity": "10Gi",
            "homeMountPath": "/home/jovyan",
            "static": {"subPath": "{username}"},
            "dynamic": {"volumeNameTemplate": "volume-{user_server}", "storageAccessModes": ["ReadWriteOnce"]},
        },
    },
    "scheduling": {
        "userScheduler": {"enabled": True},
        "podPriority": {"enabled": False},
        "userPods": {"tolerations": _USER_NODES, "nodeAffinity": {"matchNodePurpose": "prefer"}},
    },
}
