"""An init container that keeps a pod from talking to some ports, such as those of the file server behind its homes.

Kubernetes mounts volumes from the node, so a server needs no way of its own to the file server; with one it could mount
other people's files.
"""

from collections.abc import Sequence
from typing import Any

NAME = "block-ports"
NFS = (111, 2049, 20048)  # portmapper, NFS, mountd
MOST_PORTS = 15  # of one rule of iptables

# A pod has IPv6 where ip6tables can list its rules; one without must not fail for that.
_SCRIPT = """\
set -e
for protocol in tcp udp; do
  set -- --append OUTPUT --protocol "$protocol" --match multiport --destination-ports {ports} --jump DROP
  iptables "$@"
  if ip6tables --list OUTPUT >/dev/null 2>&1; then ip6tables "$@"; fi
done
"""


def init_container(ports: Sequence[int], image: str) -> dict[str, Any]:
    """The container's specification; raises ValueError for ports that iptables would refuse."""
    if len(ports) > MOST_PORTS or not all(0 < port < 2**16 for port in ports):
        raise ValueError(f"expected at most {MOST_PORTS} ports from 1 to 65535, found {list(ports)}.")
    return {
        "name": NAME,
        "image": image,
        "command": ["sh", "-c", _SCRIPT.format(ports=",".join(map(str, ports)))],
        # iptables changes the network of the pod, which only root on a privileged container may.
        "securityContext": {
            "privileged": True,
            "runAsUser": 0,
            "runAsNonRoot": False,
            "capabilities": {"add": ["NET_ADMIN"]},
        },
    }
