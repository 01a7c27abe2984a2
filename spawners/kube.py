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

    async def stop(self, now: bool = False) -> None:
        """Note why the pod is over before KubeSpawner deletes it: any other poll would find that it was taken away.

        KubeSpawner stops "now" when a poll finds the pod over, and when a start fails, which has no session to end.
        """
        if now:
            await self._start_watching_pods()
            self.session.ends(*self._end_of_pod())
        await super().stop(now=now)

    def own_end(self, status: int) -> tuple[EndReason, datetime | None]:  # noqa: ARG002
        """What Kubernetes says of the pod."""
        return self._end_of_pod()

    def _end_of_pod(self) -> tuple[EndReason, datetime | None]:
        return end_of(self.pod_reflector.pods.get(f"{self.namespace}/{self.pod_name}"))

    async def progress(self) -> Any:
        """Events of the pod in words; their texts, which name nodes and addresses, go to the log only."""
        async for event in super().progress():
            raw = event.pop("raw_event", None)
            if raw is not None:
                self.log.info("%s: %s", self._log_name, event.pop("message", ""))
                words = in_words(raw)
                event |= {"message": words} if words else {}
            yield event
