"""The real kube-apiserver and etcd, from the folder that envtest's convention names in KUBEBUILDER_ASSETS."""

from __future__ import annotations

import json
import os
import secrets
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .access import HUB_ROLE, Access, Call
from .background import bound_to
from .certificates import write_keys

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ASSETS = "KUBEBUILDER_ASSETS"
MISSING = f"set {ASSETS} to a folder with etcd and kube-apiserver, e.g. from `setup-envtest use -p path`"
# These plugins wait for controllers, and there are none: no one makes the service account that each pod must have,
# takes a claim's finalizer away, or a new node's taint.
WITHOUT_PLUGINS = "ServiceAccount,StorageObjectInUseProtection,TaintNodesByCondition"
SECONDS_TO_START = 60


@dataclass(frozen=True)
class ApiServer:
    """A running API: the tokens to it, and the log of what it answered."""

    url: str
    folder: Path
    namespace: str
    tokens: dict[str, str]

    def access(self, user: str) -> Access:
        """The token of `admin`, who may do all, or of `hub`, who may do what its role says."""
        return Access(self.url, user, self.tokens[user], self.namespace, ca=self.folder / "ca.pem")

    @property
    def calls(self) -> list[Call]:
        """All calls so far, from the audit log; a call counts when it is answered, a watch when it has ended."""
        calls = []
        for line in (self.folder / "audit.log").read_text().split("\n")[:-1]:  # the last may be half written
            event = json.loads(line)
            if event["stage"] == "ResponseComplete":
                resource = event.get("objectRef", {}).get("resource", "")
                calls.append(Call(event["user"]["username"], event["verb"], resource, event["responseStatus"]["code"]))
        return calls

    def admin_request(self, method: str, path: str, body: Any = None) -> None:
        """Call the API as an admin; raises urllib's HTTPError when it refuses."""
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.tokens['admin']}", "Content-Type": "application/json"},
        )
        trust = ssl.create_default_context(cafile=self.folder / "ca.pem")
        with urllib.request.urlopen(request, context=trust, timeout=10) as response:
            response.read()


@contextmanager
def api_server(assets: Path, folder: Path, namespace: str) -> Iterator[ApiServer]:
    """Start both processes with all their files in `folder`, make the namespace and the hub's role, end both after."""
    etcd_port, peer_port, port = _free_ports(3)
    tokens = {user: secrets.token_hex(16) for user in ("admin", "hub")}
    server = ApiServer(f"https://127.0.0.1:{port}", folder, namespace, tokens)
    etcd = f"http://127.0.0.1:{etcd_port}"
    write_keys(folder)
    (folder / "tokens.csv").write_text(f'{tokens["admin"]},admin,admin,"system:masters"\n{tokens["hub"]},hub,hub\n')
    audit = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [{"level": "Metadata"}]}
    (folder / "audit.yaml").write_text(json.dumps(audit))
    (folder / "audit.log").touch()
    flags = {
        "etcd-servers": etcd,
        "bind-address": "127.0.0.1",
        "advertise-address": "127.0.0.1",
        "secure-port": port,
        "cert-dir": folder,
        "tls-cert-file": folder / "server.pem",
        "tls-private-key-file": folder / "server.key",
        "token-auth-file": folder / "tokens.csv",
        "authorization-mode": "RBAC",
        "allow-privileged": "true",  # Zero to JupyterHub's init container that blocks cloud metadata
        "service-cluster-ip-range": "10.0.0.0/24",
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": folder / "server.key",
        "service-account-signing-key-file": folder / "server.key",
        "endpoint-reconciler-type": "none",
        "disable-admission-plugins": WITHOUT_PLUGINS,
        "audit-policy-file": folder / "audit.yaml",
        "audit-log-path": folder / "audit.log",
    }
    peer = f"http://127.0.0.1:{peer_port}"
    etcd_command = [
        str(assets / "etcd"),
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls={etcd}",
        f"--advertise-client-urls={etcd}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
    ]
    with _process(etcd_command, folder / "etcd.log") as etcd_process:
        command = [str(assets / "kube-apiserver"), *(f"--{name}={value}" for name, value in flags.items())]
        with _process(command, folder / "apiserver.log") as api_process:
            _wait_until_ready(server, {"etcd": etcd_process, "apiserver": api_process})
            _make_role(server)
            yield server


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [taken.getsockname()[1] for taken in sockets]
    for taken in sockets:
        taken.close()
    return ports


@contextmanager
def _process(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(bound_to(os.getpid(), command), stdout=output, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(server: ApiServer, processes: dict[str, subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            return server.admin_request("GET", "/readyz")
        except OSError as error:  # not listening yet, or HTTP 500 while its parts start
            for name, process in processes.items():
                if process.poll() is not None or time.monotonic() > deadline:
                    log = (server.folder / f"{name}.log").read_text()[-3000:]
                    raise RuntimeError(f"no Kubernetes API after all; {name} wrote: {log}") from error
        time.sleep(0.1)


def _make_role(server: ApiServer) -> None:
    rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{server.namespace}"
    rules = [{"apiGroups": [""], "resources": [kind], "verbs": sorted(verbs)} for kind, verbs in HUB_ROLE.items()]
    role = {"metadata": {"name": "hub"}, "rules": rules}
    binding = {
        "metadata": {"name": "hub"},
        "subjects": [{"kind": "User", "name": "hub", "apiGroup": "rbac.authorization.k8s.io"}],
        "roleRef": {"kind": "Role", "name": "hub", "apiGroup": "rbac.authorization.k8s.io"},
    }
    server.admin_request("POST", "/api/v1/namespaces", {"metadata": {"name": server.namespace}})
    server.admin_request("POST", f"{rbac}/roles", role)
    server.admin_request("POST", f"{rbac}/rolebindings", binding)
