"""What Kubernetes says of a pod that is over, as its documentation and its API have it."""

from datetime import UTC, datetime

import pytest

from hub_extensions.end_reasons import EndReason
from hub_extensions.spawners.pod_end import end_of

AT = "2026-10-01T12:00:00Z"
MOMENT = datetime(2026, 10, 1, 12, tzinfo=UTC)


def pod(exit_code=0, reason="Completed", name="notebook", **status):
    ended = {"exitCode": exit_code, "reason": reason, "finishedAt": AT}
    return {"metadata": {}, "status": {"containerStatuses": [{"name": name, "state": {"terminated": ended}}], **status}}


def disrupted(why):
    return [{"type": "Ready", "status": "False"}, {"type": "DisruptionTarget", "status": "True", "reason": why}]


@pytest.mark.parametrize(
    ("seen", "reason", "at"),
    [
        (pod(), EndReason.ENDED, MOMENT),
        (pod(1, "Error"), EndReason.CRASHED, MOMENT),
        (pod(137, "OOMKilled"), EndReason.EVICTED, MOMENT),
        (pod(0, "OOMKilled"), EndReason.EVICTED, MOMENT),  # a child of the server was killed, which then ended
        (pod(143, "Error", conditions=disrupted("PreemptionByScheduler")), EndReason.EVICTED, MOMENT),
        (pod(143, "Error", conditions=disrupted("EvictionByEvictionAPI")), EndReason.EVICTED, MOMENT),
        (pod(137, "Error", reason_of_pod="NodeLost"), EndReason.EVICTED, MOMENT),
        ({"status": {"phase": "Failed", "reason": "Evicted"}}, EndReason.EVICTED, None),
        ({"metadata": {"deletionTimestamp": AT}, "status": {}}, EndReason.EVICTED, None),
        (None, EndReason.EVICTED, None),
        ({"status": {"phase": "Failed"}}, EndReason.CRASHED, None),
        (pod(name="istio-proxy"), EndReason.CRASHED, None),
        ({}, EndReason.CRASHED, None),
    ],
)
def test_why_a_pod_ended(seen, reason, at):
    if seen and "reason_of_pod" in seen.get("status", {}):
        seen["status"]["reason"] = seen["status"].pop("reason_of_pod")
    assert end_of(seen) == (reason, at)


@pytest.mark.parametrize("text", [None, "", "yesterday", "2026-10-01T12:00:00", 7])
def test_a_moment_that_is_none_is_left_out(text):
    seen = pod(1, "Error")
    seen["status"]["containerStatuses"][0]["state"]["terminated"]["finishedAt"] = text
    assert end_of(seen) == (EndReason.CRASHED, None)
