"""Who talks to a Kubernetes API, and how: the same few lines for the fake one, the real one, the node and the tests."""

from __future__ import annotations

import json
import ssl
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import aiohttp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

# What Zero to JupyterHub's chart grants to the hub in its own namespace, verb by verb.
HUB_ROLE: Mapping[str, frozenset[str]] = {
    "pods": frozenset({"get", "watch", "list", "create", "delete"}),
    "persistentvolumeclaims": frozenset({"get", "watch", "list", "create", "delete"}),
    "secrets": frozenset({"get", "watch", "list", "create", "delete"}),
    "services": frozenset({"get", "watch", "list", "create", "delete"}),
    "events": frozenset({"get", "watch", "list"}),
}


class Call(NamedTuple):
    """A request that an API has answered."""

    user: str
    verb: str
    resource: str
    status: int


class Answer(NamedTuple):
    status: int
    body: dict[str, Any]


@dataclass(frozen=True)
class Access:
    """A token for one namespace of an API; `ca` is a file when the API speaks TLS."""

    url: str
    user: str
    token: str
    namespace: str
    ca: Path | None = None

    def write_kubeconfig(self, path: Path) -> Path:
        """Write a kubeconfig file (JSON is YAML) whose current context is this access."""
        cluster = {"server": self.url} | ({"certificate-authority": str(self.ca)} if self.ca else {})
        context = {"cluster": "test", "user": self.user, "namespace": self.namespace}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": self.user, "user": {"token": self.token}}],
            "contexts": [{"name": "test", "context": context}],
            "current-context": "test",
        }
        path.write_text(json.dumps(config))
        path.chmod(0o600)
        return path


class KubeClient:
    """As little of a client as the tests and the node need; paths without a leading `/` are in the namespace."""

    def __init__(self, access: Access, session: aiohttp.ClientSession) -> None:
        self.access = access
        self._session = session

    async def call(self, method: str, path: str, body: Any = None, **query: str) -> Answer:
        """Make one request; an error of the API is an answer, not an exception."""
        headers = {"Content-Type": "application/merge-patch+json" if method == "PATCH" else "application/json"}
        payload = None if body is None else json.dumps(body)
        async with self._session.request(
            method, self._full(path), data=payload, headers=headers, params=query
        ) as response:
            return Answer(response.status, await response.json(content_type=None))

    async def watch(self, path: str, version: str) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """Yield (type, object) for each change after `version`, until the API ends the watch."""
        query = {"watch": "true", "resourceVersion": version, "timeoutSeconds": "60"}
        async with self._session.get(self._full(path), params=query) as response:
            async for line in response.content:
                event = json.loads(line)
                yield event["type"], event["object"]

    def _full(self, path: str) -> str:
        return path if path.startswith("/") else f"/api/v1/namespaces/{self.access.namespace}/{path}"


@asynccontextmanager
async def kube_client(access: Access) -> AsyncIterator[KubeClient]:
    """A client for the running event loop."""
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=access.ca) if access.ca else True)
    async with aiohttp.ClientSession(
        access.url,
        connector=connector,
        headers={"Authorization": f"Bearer {access.token}"},
        read_bufsize=2**20,  # a watch sends one object a line
    ) as session:
        yield KubeClient(access, session)
