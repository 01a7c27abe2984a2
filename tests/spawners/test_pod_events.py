import pytest

from hub_extensions.share import TEMPLATES
from hub_extensions.spawners.pod_events import in_words

PAGE = (TEMPLATES / "hub_extensions" / "spawn_pending.html").read_text()


@pytest.mark.parametrize(
    ("reason", "message", "sentence"),
    [
        ("TriggeredScaleUp", "pod triggered scale-up: [{gke-pool-1 1->2 (max: 9)}]", "Adding a computer to the hub."),
        ("FailedScheduling", "0/3 nodes are available: 3 Insufficient cpu.", "Waiting for a free place"),
        ("FailedScheduling", "0/3 nodes: didn't match Pod's node affinity/selector", "Waiting for a free place"),
        ("Scheduled", "Successfully assigned hub/jupyter-ada to node-1.internal", "A place was found."),
        ("Pulling", 'Pulling image "quay.io/x/y:1"', "Fetching the environment"),
        (
            "Failed",
            'Failed to pull image "quay.io/x/y:1": 10.0.0.7 says no',
            "The environment could not be fetched yet.",
        ),
        ("BackOff", "ImagePullBackOff", "The environment could not be fetched yet."),
        ("Pulled", 'Successfully pulled image "quay.io/x/y:1" in 3s', "The environment is here."),
        ("Pulled", 'Container image "quay.io/x/y:1" already present on machine', "The environment is here."),
        ("Started", "Started container notebook", "Your server is starting."),
    ],
)
def test_an_event_is_told_in_words_that_the_page_knows(reason, message, sentence):
    told = in_words({"type": "Normal", "reason": reason, "message": message})
    assert told.startswith(sentence)
    assert told in PAGE


@pytest.mark.parametrize("message", ["AttachVolume.Attach failed for volume pvc-7 on 10.0.0.7", "", None])
def test_any_other_warning_is_trouble_and_any_other_event_is_nothing(message):
    assert in_words({"type": "Warning", "reason": "FailedMount", "message": message}).startswith("Something that")
    assert in_words({"type": "Normal", "reason": "SuccessfulAttachVolume", "message": message}) == ""
    assert in_words({}) == ""
