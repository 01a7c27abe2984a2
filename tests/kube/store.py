"""The objects of the fake Kubernetes API: what may be written, what is found, and what changed since when."""

from __future__ import annotations

import copy
import re
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

Object = dict[str, Any]

KINDS = {
    "pods": "Pod",
    "events": "Event",
    "persistentvolumeclaims": "PersistentVolumeClaim",
    "services": "Service",
    "secrets": "Secret",
    "namespaces": "Namespace",
}
FIELDS = re.compile(r"metadata\.(name|namespace)|spec\.nodeName|status\.phase|involvedObject\.\w+|reason|type")
REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    410: "Expired",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
}


class ApiError(Exception):
    """An answer that is not a success: `status` is the HTTP code, `reason` Kubernetes' own word for it."""

    def __init__(self, status: int, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.body: Object = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": reason or REASONS[status],
            "code": status,
        }


class Change(NamedTuple):
    version: int
    type: str
    resource: str
    object: Object


@dataclass
class Store:
    """All objects by (resource, namespace, name), and their history; objects are replaced, never altered."""

    objects: dict[tuple[str, str, str], Object] = field(default_factory=dict)
    history: list[Change] = field(default_factory=list)
    version: int = 1
    oldest: int = 0

    def create(self, resource: str, namespace: str, body: Object, *, dry_run: bool = False) -> Object:
        """Add an object with what the API itself fills in; 409 when there is one of that name."""
        created = copy.deepcopy(body)
        metadata = created.setdefault("metadata", {})
        name = metadata.get("name") or ""
        if namespace and metadata.setdefault("namespace", namespace) != namespace:
            raise ApiError(400, f"the namespace of the object ({metadata['namespace']}) is not that of the request")
        if namespace and ("namespaces", "", namespace) not in self.objects:
            raise ApiError(404, f'namespaces "{namespace}" not found')
        check(resource, created)
        if (resource, namespace, name) in self.objects:
            raise ApiError(409, f'{resource} "{name}" already exists', "AlreadyExists")
        created |= {"kind": KINDS[resource], "apiVersion": "v1"}
        metadata |= {"uid": str(uuid.uuid4()), "creationTimestamp": timestamp()}
        if resource in {"pods", "persistentvolumeclaims"}:
            created["status"] = {"phase": "Pending"}
        if resource == "pods":
            created["spec"].setdefault("terminationGracePeriodSeconds", 30)
            created["spec"].setdefault("restartPolicy", "Always")
        return created if dry_run else self._record("ADDED", resource, created)

    def get(self, resource: str, namespace: str, name: str) -> Object:
        try:
            return self.objects[resource, namespace, name]
        except KeyError:
            raise ApiError(404, f'{resource} "{name}" not found') from None

    def select(self, resource: str, namespace: str, labels: str, fields: str) -> Iterator[Object]:
        """Objects in one namespace, or in all when it is empty, that match both selectors."""
        for (kind, home, _), found in sorted(self.objects.items()):
            if kind == resource and namespace in {"", home} and matches(found, labels, fields):
                yield found

    def patch(self, resource: str, namespace: str, name: str, changes: Object) -> Object:
        """Merge `changes` into the object (RFC 7386)."""
        return self._record("MODIFIED", resource, merged(self.get(resource, namespace, name), changes))

    def delete(self, resource: str, namespace: str, name: str, options: Object) -> Object:
        """Remove the object; a pod on a node gets its time to end first, unless that is 0 seconds."""
        found = self.get(resource, namespace, name)
        wanted = (options.get("preconditions") or {}).get("uid")
        if wanted and wanted != found["metadata"]["uid"]:
            raise ApiError(
                409, f'{resource} "{name}": the UID in the precondition ({wanted}) is not that of the object'
            )
        seconds = 0
        if resource == "pods" and found["spec"].get("nodeName") and found["status"]["phase"] in {"Pending", "Running"}:
            asked = options.get("gracePeriodSeconds")
            seconds = found["spec"]["terminationGracePeriodSeconds"] if asked is None else asked
        if seconds:
            metadata = {"deletionTimestamp": timestamp(seconds), "deletionGracePeriodSeconds": seconds}
            return self.patch(resource, namespace, name, {"metadata": metadata})
        del self.objects[resource, namespace, name]
        return self._record("DELETED", resource, copy.deepcopy(found))

    def compact(self) -> None:
        """Forget the history: whoever watches from before now is told so (410)."""
        self.version += 1
        self.oldest = self.version
        self.history.clear()

    def _record(self, type_: str, resource: str, changed: Object) -> Object:
        self.version += 1
        metadata = changed["metadata"]
        metadata["resourceVersion"] = str(self.version)
        if type_ != "DELETED":
            self.objects[resource, metadata.get("namespace", ""), metadata["name"]] = changed
        self.history.append(Change(self.version, type_, resource, changed))
        return changed


def timestamp(seconds_from_now: int = 0) -> str:
    return f"{datetime.now(UTC) + timedelta(seconds=seconds_from_now):%Y-%m-%dT%H:%M:%SZ}"


def merged(target: Any, changes: Any) -> Any:
    if not isinstance(changes, dict):
        return copy.deepcopy(changes)
    result = copy.deepcopy(target) if isinstance(target, dict) else {}
    for key, value in changes.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def matches(found: Object, labels: str, fields: str) -> bool:
    """Whether equality-based selectors hold; 400 for a field that the real API would not look at either."""
    own = found["metadata"].get("labels") or {}
    if not all((own.get(key) == value) is equal for key, equal, value in _terms(labels)):
        return False
    for key, equal, value in _terms(fields):
        if not FIELDS.fullmatch(key):
            raise ApiError(400, f'field label not supported: "{key}"')
        here: Any = found
        for part in key.split("."):
            here = here.get(part, "") if isinstance(here, dict) else ""
        if (here == value) is not equal:
            return False
    return True


def _terms(selector: str) -> Iterator[tuple[str, bool, str]]:
    for term in filter(None, selector.split(",")):
        parts = re.fullmatch(r"([^=!\s]+)(!=|==?)([^=!\s]*)", term)
        if parts is None:
            raise ApiError(400, f"unable to parse requirement: {term!r} (this API knows =, == and != only)")
        yield parts[1], parts[2] != "!=", parts[3]


def check(resource: str, body: Object) -> None:
    """Raise 422 for the mistakes that a spawner can make in names, labels and containers; 400 for quantities."""
    metadata = body["metadata"]
    name = metadata.get("name")
    if not isinstance(name, str) or len(name) > 253 or not re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", name):
        raise _invalid(resource, name, "metadata.name", name, "must be a lowercase RFC 1123 subdomain")
    for where, labels in (("metadata.labels", metadata.get("labels")), ("spec.nodeSelector", _node_selector(body))):
        for value in (labels or {}).values():
            if len(value) > 63 or not re.fullmatch(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?", value):
                raise _invalid(resource, name, where, value, "a valid label must be at most 63 alphanumerics, -_.")
    if resource != "pods":
        return
    containers = (body.get("spec") or {}).get("containers")
    if not containers:
        raise _invalid(resource, name, "spec.containers", containers, "Required value")
    for container in containers:
        if not container.get("image"):
            raise _invalid(resource, name, "spec.containers.image", container.get("image"), "Required value")
        for amounts in (container.get("resources") or {}).values():
            for key, amount in (amounts or {}).items():
                amounts[key] = quantity(amount)


def _node_selector(body: Object) -> dict[str, str] | None:
    selector: dict[str, str] | None = (body.get("spec") or {}).get("nodeSelector")
    return selector


def _invalid(resource: str, name: Any, where: str, value: Any, why: str) -> ApiError:
    return ApiError(422, f'{KINDS[resource]} "{name}" is invalid: {where}: Invalid value: {value!r}: {why}')


def quantity(amount: Any) -> str:
    """An amount as the API writes it: a fraction without a unit in thousandths (0.5 becomes 500m)."""
    parts = re.fullmatch(r"(\d+|\d*\.\d+|\d+\.)((?:[KMGTPE]i|[numkMGTPE]|[eE]-?\d+)?)", str(amount))
    if parts is None:
        raise ApiError(400, f"quantities must match the regular expression of the API, found {amount!r}")
    if parts[2] or Decimal(parts[1]) % 1 == 0:
        return str(amount).removesuffix(".0")
    return f"{int(Decimal(parts[1]) * 1000)}m"
