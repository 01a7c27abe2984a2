"""A node that runs each pod's notebook container as a local process, at an address of its own on loopback.

No images, no isolation: other containers of a pod are not run. What the pod's owner sees of it in the API
(phases, addresses, exit codes, events, the time between SIGTERM and SIGKILL) is as a kubelet reports it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from itertools import count
from pathlib import Path
from random import randrange
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp

from .access import Access, KubeClient, kube_client
from .background import bound_to
from .store import timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator

Pod = dict[str, Any]
NAME = "test-node"
CANNOT_START = 128  # the exit code that a kubelet reports for it


class Node:
    """Watches the pods of one namespace; `folder` gets a home per pod and a log per container."""

    def __init__(self, access: Access, folder: Path) -> None:
        self._access = access
        self._folder = folder
        self._addresses = _addresses()
        self._pods: dict[str, tuple[_RunningPod, asyncio.Task[None]]] = {}

    async def run(self) -> None:
        """Follow the pods until cancelled; then their processes are killed."""
        async with kube_client(self._access) as api:
            try:
                while True:
                    with contextlib.suppress(aiohttp.ClientError):  # list again when a watch breaks
                        await self._follow(api)
                    await asyncio.sleep(0.1)
            finally:
                await asyncio.gather(*(pod.kill() for pod, _ in self._pods.values()))

    async def _follow(self, api: KubeClient) -> None:
        pods = (await api.call("GET", "pods")).body
        for uid in self._pods.keys() - {pod["metadata"]["uid"] for pod in pods["items"]}:
            await self._forget(uid)
        for pod in pods["items"]:
            self._see(api, pod)
        async for type_, pod in api.watch("pods", pods["metadata"]["resourceVersion"]):
            if type_ == "ERROR":
                return
            if type_ == "DELETED":
                await self._forget(pod["metadata"]["uid"])
            else:
                self._see(api, pod)

    def _see(self, api: KubeClient, pod: Pod) -> None:
        metadata = pod["metadata"]
        if metadata["uid"] not in self._pods:
            running = _RunningPod(api, pod, next(self._addresses), self._folder)
            self._pods[metadata["uid"]] = running, asyncio.create_task(running.live())
        if "deletionTimestamp" in metadata:
            self._pods[metadata["uid"]][0].end(metadata["deletionGracePeriodSeconds"])

    async def _forget(self, uid: str) -> None:
        if uid in self._pods:
            pod, life = self._pods.pop(uid)
            await pod.kill()
            life.cancel()


class _RunningPod:
    def __init__(self, api: KubeClient, pod: Pod, address: str, folder: Path) -> None:
        self._api = api
        self._pod = pod
        self._name: str = pod["metadata"]["name"]
        self._address = address
        self._folder = folder
        containers = pod["spec"]["containers"]
        self._container = next((one for one in containers if one["name"] == "notebook"), containers[0])
        self._process: asyncio.subprocess.Process | None = None
        self._told_to_end = asyncio.Event()
        self._ending: asyncio.Task[None] | None = None
        self._restarts = 0

    async def live(self) -> None:
        """From the scheduler's decision until the pod is removed."""
        target = {"target": {"kind": "Node", "name": NAME}, "metadata": {"name": self._name}}
        await self._api.call("POST", f"pods/{self._name}/binding", target)
        await self._tell("Scheduled", f"Successfully assigned {self._name} to {NAME}")
        await self._tell("Pulled", f'Container image "{self._container["image"]}" already present on machine')
        await self._run_and_restart()
        await self._told_to_end.wait()
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": self._pod["metadata"]["uid"]}}
        await self._api.call("DELETE", f"pods/{self._name}", options)

    async def _run_and_restart(self) -> None:
        policy = self._pod["spec"]["restartPolicy"]
        while not self._told_to_end.is_set():
            code = await self._run_once()
            ended = {"terminated": {"exitCode": code, "reason": "Error" if code else "Completed"}}
            if self._told_to_end.is_set():
                return
            if policy == "Never" or (policy == "OnFailure" and code == 0):
                await self._report("Failed" if code else "Succeeded", ended)
                return
            self._restarts += 1
            await self._report("Running", {"waiting": {"reason": "CrashLoopBackOff"}}, lastState=ended)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._told_to_end.wait(), min(2**self._restarts, 10))

    def end(self, seconds: int) -> None:
        """SIGTERM now, SIGKILL after that many seconds; the pod is removed when its process is gone."""
        if self._ending is None:
            self._told_to_end.set()
            self._ending = asyncio.create_task(self._end(seconds))

    async def _end(self, seconds: int) -> None:
        if self._process is None:
            return
        await self._tell("Killing", f"Stopping container {self._container['name']}")
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), seconds)
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """SIGKILL at once, for a pod that the API no longer knows."""
        self._told_to_end.set()
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    async def _run_once(self) -> int:
        home = self._folder / "homes" / self._name
        home.mkdir(parents=True, exist_ok=True)
        with (self._folder / f"{self._name}.log").open("ab") as log:
            command = bound_to(os.getpid(), self._command())
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *command, env=self._environment(home), cwd=home, stdout=log, stderr=log
                )
            except OSError as error:
                log.write(f"cannot start: {error}\n".encode())
                return CANNOT_START
        if self._told_to_end.is_set():
            await self.kill()
        await self._report("Running", {"running": {"startedAt": timestamp()}}, ready=True)
        await self._tell("Started", f"Started container {self._container['name']}")
        return await self._process.wait()

    def _command(self) -> list[str]:
        command: list[str] = [*(self._container.get("command") or []), *(self._container.get("args") or [])]
        program, *arguments = command
        if program == "jupyterhub-singleuser" and os.geteuid() == 0:
            arguments.append("--allow-root")
        here = Path(sys.executable).parent / program
        return [str(here) if here.exists() else program, *arguments]

    def _environment(self, home: Path) -> dict[str, str]:
        environment = {"PATH": os.environ["PATH"], "HOME": str(home)}
        environment |= {item["name"]: item.get("value", "") for item in self._container.get("env") or []}
        url = environment.get("JUPYTERHUB_SERVICE_URL")
        if url:  # a pod listens on all its addresses; without network namespaces those would be everyone's
            parts = urlsplit(url)
            environment["JUPYTERHUB_SERVICE_URL"] = parts._replace(netloc=f"{self._address}:{parts.port}").geturl()
        return environment

    async def _report(self, phase: str, state: dict[str, Any], *, ready: bool = False, **more: Any) -> None:
        container = {
            "name": self._container["name"],
            "image": self._container["image"],
            "imageID": "",
            "ready": ready,
            "restartCount": self._restarts,
            "state": state,
            **more,
        }
        status = {
            "phase": phase,
            "podIP": self._address,
            "hostIP": "127.0.0.1",
            "startTime": timestamp(),
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "containerStatuses": [container],
        }
        await self._api.call("PATCH", f"pods/{self._name}/status", {"status": status})

    async def _tell(self, reason: str, message: str) -> None:
        metadata = self._pod["metadata"]
        event = {
            "metadata": {"name": f"{self._name}.{time.time_ns():x}"},
            "involvedObject": {"kind": "Pod"} | {key: metadata[key] for key in ("namespace", "name", "uid")},
            "reason": reason,
            "message": message,
            "type": "Normal",
            "count": 1,
            "firstTimestamp": timestamp(),
            "lastTimestamp": timestamp(),
            "source": {"component": "kubelet"},
        }
        await self._api.call("POST", "events", event)


def _addresses() -> Iterator[str]:
    # Nodes of other processes are on the same loopback: each begins somewhere else.
    second, third = randrange(1, 255), randrange(256)
    for number in count(1):
        yield f"127.{second}.{(third + number // 250) % 256}.{number % 250 + 1}"
