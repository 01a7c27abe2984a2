"""What happens to a pod, in words that people know.

The page of a start takes its steps from these sentences.
"""

import re
from collections.abc import Mapping
from typing import Any

_SENTENCES = (
    (r"TriggeredScaleUp|triggered scale-up", "Adding a computer to the hub. This can take some minutes."),
    (
        r"Insufficient|FailedScheduling|didn't match|untolerated",
        "Waiting for a free place on one of the hub's computers.",
    ),
    (
        r"Scheduled|Successfully assigned",
        "A place was found. Fetching the environment: the first time can take some minutes.",
    ),
    (r"ErrImagePull|ImagePullBackOff|Failed to pull", "The environment could not be fetched yet. Trying again."),
    (r"Pulling", "Fetching the environment: the first time can take some minutes."),
    (r"Successfully pulled|already present", "The environment is here. Starting your server."),
    (r"Started container|Created container", "Your server is starting. It opens in a moment."),
)
_TROUBLE = "Something that your server needs is not ready yet. Trying again."


def in_words(event: Mapping[str, Any]) -> str:
    """What an event of Kubernetes means for whoever waits; "" if it means nothing to them.

    Nothing of the event's own text is in it: that names nodes, addresses and volumes.
    """
    told = f"{event.get('reason') or ''}: {event.get('message') or ''}"
    for pattern, sentence in _SENTENCES:
        if re.search(pattern, told, re.IGNORECASE):
            return sentence
    return _TROUBLE if event.get("type") == "Warning" else ""
