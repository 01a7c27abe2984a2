"""Why a pod ended, from what Kubernetes says of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hub_extensions.end_reasons import EndReason


def end_of(pod: Mapping[str, Any] | None, container: str = "notebook") -> tuple[EndReason, datetime | None]:
    """Why a pod is over, and when its server's container ended, if Kubernetes says so; None: the pod is not there.

    A pod that was deleted by anybody but the hub was taken away: by a drain, for a pod of higher priority, with its
    node, or by hand.
    """
    if pod is None:
        return EndReason.EVICTED, None
    status = pod.get("status") or {}
    of_server = [each for each in status.get("containerStatuses") or () if each.get("name") == container]
    ended: Mapping[str, Any] = next(
        (each["state"]["terminated"] for each in of_server if (each.get("state") or {}).get("terminated")), {}
    )
    if _taken_away(pod, status) or ended.get("reason") == "OOMKilled":
        reason = EndReason.EVICTED
    else:
        reason = EndReason.ENDED if ended.get("exitCode") == 0 else EndReason.CRASHED
    return reason, _moment(ended.get("finishedAt"))


def _taken_away(pod: Mapping[str, Any], status: Mapping[str, Any]) -> bool:
    # Of the pod itself only the cluster gives reasons: Evicted, NodeLost, Terminated with its node and others.
    disrupted = (
        each.get("type") == "DisruptionTarget" and each.get("status") == "True"
        for each in status.get("conditions") or ()
    )
    return bool((pod.get("metadata") or {}).get("deletionTimestamp") or status.get("reason") or any(disrupted))


def _moment(text: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else None
