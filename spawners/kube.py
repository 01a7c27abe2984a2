"""Profiles for servers that are pods."""

from datetime import datetime
from typing import Any

from kubernetes_asyncio.config import ConfigException
from kubespawner import KubeSpawner

from hub_extensions.end_reasons import EndReason

from .pod_end import end_of
from .pod_events import in_words
from .pod_features import PodFeatures
from .profile_spawner import ProfileSpawner
from .refusal import refusal


class ProfileKubeSpawner(ProfileSpawner, PodFeatures, KubeSpawner):
    """KubeSpawner whose profiles are scoped by group and checked in one place.

    Everything set for `c.KubeSpawner` holds here too. The entry point is `profile-kube`.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        try:
            super().__init__(*args, **kwargs)
        except ConfigException as error:
            raise refusal(
                "This hub cannot reach its Kubernetes cluster. Please tell the people who run it.",
                code="no_cluster",
                status=503,
                log_message=f"There is no Kubernetes to start servers in: the hub runs in no cluster, and KUBECONFIG "
                f"or ~/.kube/config names none ({error}).",
            ) from None

    async def look(self) -> Any:
        """The pod as the hub's copy has it: polling deletes a pod that is over."""
        await self._start_watching_pods()
        return self.pod_reflector.pods.get(f"{self.namespace}/{self.pod_name}")

    def own_end(self, status: int, seen: Any) -> tuple[EndReason, datetime | None]:  # noqa: ARG002
        """What Kubernetes says of the pod."""
        return end_of(seen)

    async def progress(self) -> Any:
        """Events of the pod in words; their texts, which name nodes and addresses, go to the log only."""
        async for event in super().progress():
            raw = event.pop("raw_event", None)
            if raw is not None:
                self.log.info("%s: %s", self._log_name, event.pop("message", ""))
                words = in_words(raw)
                event |= {"message": words} if words else {}
            yield event
