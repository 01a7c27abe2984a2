"""A fake Kubernetes API over HTTP: what KubeSpawner and the node ask for, and the faults that clusters really have.

The same tests run on the real kube-apiserver; what they compare is what keeps this one honest.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from .access import HUB_ROLE, Access, Call
from .background import LoopThread, loop_thread
from .store import KINDS, ApiError, Object, Store, matches

if TYPE_CHECKING:
    from collections.abc import Iterator

VERBS = {"GET": "get", "POST": "create", "DELETE": "delete", "PATCH": "patch"}


@dataclass(frozen=True)
class Target:
    """What a request is about, from its path and query."""

    verb: str
    resource: str
    namespace: str = ""
    name: str = ""
    part: str = ""

    @classmethod
    def of(cls, request: web.Request) -> Target:
        """Read `/api/v1/[namespaces/{namespace}/]{resource}[/{name}[/{part}]]`; 404 for anything else."""
        parts = request.path.removeprefix("/api/v1/").split("/")
        namespace = ""
        if len(parts) > 2 and parts[0] == "namespaces":
            namespace, parts = parts[1], parts[2:]
        resource, name, part = (*parts, "", "")[:3]
        if not request.path.startswith("/api/v1/") or resource not in KINDS or part not in {"", "status", "binding"}:
            raise ApiError(404, "the server could not find the requested resource")
        verb = VERBS.get(request.method, "update")
        if verb == "get" and not name:
            verb = "watch" if request.query.get("watch", "").lower() in {"1", "true"} else "list"
        return cls(verb, resource, namespace, name, part)


@dataclass
class Fault:
    """What the next `times` requests of that kind get, instead of or before their answer."""

    verb: str
    resource: str
    times: int
    status: int = 0
    message: str = ""
    seconds: float = 0


class FakeApi:
    """The API, its log of calls, and the switches of a test; the switches may be used from any thread."""

    def __init__(self, thread: LoopThread, namespace: str) -> None:
        self._thread = thread
        self._store = Store()
        self._store.create("namespaces", "", {"metadata": {"name": namespace}})
        self._users = {secrets.token_hex(8): user for user in ("admin", "hub")}
        self._faults: list[Fault] = []
        self._changed = asyncio.Event()
        self._watching: set[asyncio.Transport] = set()
        self._namespace = namespace
        self.calls: list[Call] = []
        self.url = ""

    def access(self, user: str) -> Access:
        """The token of `admin`, who may do all, or of `hub`, who may do what its role says."""
        token = next(token for token, name in self._users.items() if name == user)
        return Access(self.url, user, token, self._namespace)

    def fail(
        self, verb: str, resource: str, status: int, *, message: str = "asked for by a test", times: int = 1
    ) -> None:
        """Answer the hub's next calls with an error: 403 as a quota does, 409, 410 of a watch, 429, 500."""
        self._faults.append(Fault(verb, resource, times, status=status, message=message))

    def slow(self, verb: str, resource: str, seconds: float, *, times: int = 1) -> None:
        """Keep the hub's next calls waiting before they are looked at."""
        self._faults.append(Fault(verb, resource, times, seconds=seconds))

    def compact(self) -> None:
        """Forget the history, so that a watch from before now gets 410, and end the running watches."""
        self._thread.loop.call_soon_threadsafe(self._store.compact)
        self.drop_watches()

    def drop_watches(self) -> None:
        """Cut the connections of all running watches."""
        self._thread.loop.call_soon_threadsafe(self._cut)

    def _cut(self) -> None:
        for transport in self._watching:
            transport.abort()

    async def start(self) -> web.AppRunner:
        application = web.Application(client_max_size=2**22)
        application.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return runner

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        user = self._users.get(request.headers.get("Authorization", "").removeprefix("Bearer "), "")
        verb, resource = VERBS.get(request.method, "update"), ""
        try:
            target = Target.of(request)
            verb, resource = target.verb, target.resource
            await self._admit(user, target)
            if verb == "watch":
                return await self._watch(user, target, request)
            status, body = (201 if verb == "create" else 200), await self._answer(target, request)
        except ApiError as error:
            status, body = error.status, error.body
        if verb == "watch" and status == 410:  # said in the stream, after headers that say all is well
            status, body = 200, {"type": "ERROR", "object": body}
        self.calls.append(Call(user, verb, resource, status))
        return web.json_response(body, status=status, headers={"Retry-After": "1"} if status == 429 else None)

    async def _admit(self, user: str, target: Target) -> None:
        if not user:
            raise ApiError(401, "Unauthorized")
        if user == "admin":
            return
        await self._suffer(target)
        if target.part or target.namespace != self._namespace or target.verb not in HUB_ROLE.get(target.resource, ()):
            raise ApiError(403, f'{target.resource} is forbidden: User "hub" cannot {target.verb} this resource')

    async def _suffer(self, target: Target) -> None:
        for fault in self._faults:
            if fault.times > 0 and (fault.verb, fault.resource) == (target.verb, target.resource):
                fault.times -= 1
                await asyncio.sleep(fault.seconds)
                if fault.status:
                    raise ApiError(fault.status, fault.message)
                return

    async def _answer(self, target: Target, request: web.Request) -> Object:
        store, place = self._store, (target.resource, target.namespace, target.name)
        try:
            body = await request.json() if request.can_read_body else {}
        except ValueError as error:
            raise ApiError(400, f"the body is not JSON: {error}") from None
        match target.verb:
            case "list":
                labels, fields = _selectors(request)
                items = list(store.select(target.resource, target.namespace, labels, fields))
                version = {"resourceVersion": str(store.version)}
                return {
                    "kind": KINDS[target.resource] + "List",
                    "apiVersion": "v1",
                    "metadata": version,
                    "items": items,
                }
            case "get":
                return store.get(*place)
            case "create" if target.part == "binding":
                store.patch(*place, {"spec": {"nodeName": body["target"]["name"]}})
                answer: Object = {"kind": "Status", "apiVersion": "v1", "status": "Success", "code": 201}
            case "create":
                dry_run = request.query.get("dryRun") == "All"
                answer = store.create(target.resource, target.namespace, body, dry_run=dry_run)
            case "patch" if target.part == "status":
                answer = store.patch(*place, {"status": body.get("status", {})})
            case "patch":
                answer = store.patch(*place, {key: value for key, value in body.items() if key != "status"})
            case "delete" if target.name:
                if "gracePeriodSeconds" in request.query:
                    body = {"gracePeriodSeconds": int(request.query["gracePeriodSeconds"]), **body}
                answer = store.delete(*place, body)
            case _:
                raise ApiError(405, f"this API does not know how to {target.verb} {target.resource}")
        self._changed.set()
        self._changed = asyncio.Event()
        return answer

    async def _watch(self, user: str, target: Target, request: web.Request) -> web.StreamResponse:
        labels, fields = _selectors(request)
        ends = asyncio.get_running_loop().time() + float(request.query.get("timeoutSeconds", "1800"))
        version = int(request.query.get("resourceVersion") or 0)
        now = self._store.version
        present = list(self._store.select(target.resource, target.namespace, labels, fields))
        if 0 < version < self._store.oldest:
            raise ApiError(410, f"too old resource version: {version} ({self._store.oldest})")
        self.calls.append(Call(user, "watch", target.resource, 200))
        stream = web.StreamResponse(headers={"Content-Type": "application/json"})
        await stream.prepare(request)

        async def send(type_: str, changed: Object) -> None:
            await stream.write(json.dumps({"type": type_, "object": changed}).encode() + b"\n")

        transport = request.transport
        if transport is None:
            return stream
        self._watching.add(transport)
        try:
            if version == 0:
                version = now
                for found in present:
                    await send("ADDED", found)
            while True:
                changed = self._changed
                for change in [change for change in self._store.history if change.version > version]:
                    version = change.version
                    home = change.object["metadata"].get("namespace", "")
                    if change.resource != target.resource or target.namespace not in {"", home}:
                        continue
                    if matches(change.object, labels, fields):
                        await send(change.type, change.object)
                try:
                    await asyncio.wait_for(changed.wait(), ends - asyncio.get_running_loop().time())
                except TimeoutError:
                    return stream
        except ConnectionError:  # the watcher is gone, or a test has cut the line
            return stream
        finally:
            self._watching.discard(transport)


def _selectors(request: web.Request) -> tuple[str, str]:
    return request.query.get("labelSelector", ""), request.query.get("fieldSelector", "")


@contextmanager
def fake_api(namespace: str) -> Iterator[FakeApi]:
    """A fake API with one namespace, on a free port of loopback, in a thread of its own."""
    with loop_thread() as thread:
        api = FakeApi(thread, namespace)
        runner = thread.run(api.start())
        try:
            yield api
        finally:
            api.drop_watches()
            thread.run(runner.cleanup())
