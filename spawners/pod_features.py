"""What a pod has beside what its profile says: folders of groups, volumes of its owner, extras of admins, labels."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from jupyterhub.utils import exponential_backoff, maybe_future
from kubernetes_asyncio.client.models import V1Container, V1Volume, V1VolumeMount
from kubespawner.objects import make_pvc
from kubespawner.utils import get_k8s_model
from traitlets import Bool, Dict, Int, List, TraitError, Unicode, validate

from hub_extensions import attribution, mounts, port_block
from hub_extensions.checked_traits import checked
from hub_extensions.mistakes import validated

from .hook_chain import NamedHook, in_order, named_hooks
from .personal_environment import PersonalEnvironment
from .refusal import refusal
from .trait_overrides import MISTAKE

GROUP_DIRECTORIES = tuple[mounts.GroupDirectory, ...]
USER_VOLUMES = tuple[mounts.UserVolume, ...]


class PodFeatures(PersonalEnvironment):
    """Put this before KubeSpawner, behind ProfileSpawner.

    All of it is added to the finished manifest, by path, name or key: nothing that a profile or an operator's hook
    assigns can drop it, and it drops nothing.
    """

    modify_pod_hooks = named_hooks("modify_pod", "the spawner and the pod, which it returns", "on each pod")

    group_directories = List(
        Dict(),
        config=True,
        help="""
        A folder for each group of a person that fits a pattern::

            c.ProfileKubeSpawner.group_directories = [
                {"groups": ["project:*"], "mount_path": "/home/jovyan/{group}", "sub_path": "_groups/{group}"}
            ]

        `{group}` is the group's name, made safe: `ocean-lab` stays as it is, `project:ocean` is `project_3aocean`; two
        groups never share a folder. KubeSpawner's placeholders such as `{username}` hold too. Besides: `read_only`
        (default false), and `volume`, the name of a volume of the pod (default `home`). A path at which something is
        mounted already is left alone.
        """,
    )

    user_volumes = List(
        Dict(),
        config=True,
        help="""
        Volumes of each person's own, made at their first start and kept::

            c.ProfileKubeSpawner.user_volumes = [
                {"name": "data-{username}", "class": "standard", "capacity": "5Gi", "mount_path": "/home/jovyan/data"}
            ]

        `name` is that of the PersistentVolumeClaim; with `{user_server}` each named server has its own. Besides:
        `access_modes` (default ReadWriteOnce: servers on two nodes cannot have it at once), `sub_path` and `read_only`.
        Without `mount_path`, mount it with `volumes`. Claims are deleted with the person or the named server, if
        `delete_pvc` says so; their labels have `component=extra-pvc`.
        """,
    )

    blocked_ports = List(
        Int(),
        config=True,
        help="""
        Ports, on any host, to which no server can connect; `[111, 2049, 20048]` are those of NFS.

        An init container sets this up before all others. It is privileged, so the namespace must admit that.
        """,
    )

    blocked_ports_image = Unicode(
        "quay.io/jupyterhub/k8s-network-tools:4.3.3",
        config=True,
        help="""The image of the container that blocks ports: it needs `sh` and `iptables`.""",
    )

    attribution_labels = Bool(
        True,
        config=True,
        help="""
        Whether pods have labels and annotations that say whom they count for.

        Labels: `hub-extensions/community`, `hub-extensions/profile` and `hub-extensions/groups`, a hash that is the
        same for the same set of groups. Texts that cannot be a label end in a hash. Annotations of the same names hold
        the texts; that of the groups is a JSON list.
        """,
    )

    @validate("group_directories")
    def _group_directories_are_valid(self, proposal: Any) -> Any:
        return checked(GROUP_DIRECTORIES, proposal)

    @validate("user_volumes")
    def _user_volumes_are_valid(self, proposal: Any) -> Any:
        return checked(USER_VOLUMES, proposal)

    @validate("blocked_ports")
    def _blocked_ports_are_valid(self, proposal: Any) -> Any:
        try:
            port_block.init_container(proposal["value"], "")
        except ValueError as error:
            raise TraitError(f"blocked_ports: {error}") from None
        return proposal["value"]

    @validate("modify_pod_hook")
    def _modify_pod_hook_has_a_name(self, proposal: Any) -> Any:
        hook = proposal["value"]
        return hook if isinstance(hook, NamedHook) else NamedHook(self, "modify_pod_hook", hook)

    # The pod

    async def get_pod_manifest(self) -> Any:
        """The pod of the profile and the operator's settings, with everything of this class added."""
        pod = await super().get_pod_manifest()
        self._mount(pod)
        if self.blocked_ports:
            block = get_k8s_model(V1Container, port_block.init_container(self.blocked_ports, self.blocked_ports_image))
            others = [container for container in pod.spec.init_containers or () if container.name != block.name]
            pod.spec.init_containers = [block, *others]
        if self.attribution_labels:
            counts_for = (self.community(), self._profile(), [group.name for group in self.user.groups])
            pod.metadata.labels = {**(pod.metadata.labels or {}), **attribution.labels(*counts_for)}
            pod.metadata.annotations = {**(pod.metadata.annotations or {}), **attribution.annotations(*counts_for)}
        account = self.extras_of_owner().service_account_name
        if account:
            pod.spec.service_account_name = self._expand_all(account)
            if self.automount_service_account_token is None:
                pod.spec.automount_service_account_token = None
        for name, hook in in_order(self.modify_pod_hooks):
            with self.named(f"modify_pod_hooks[{name!r}]"):
                pod = await maybe_future(hook(self, pod)) or pod
        return pod

    def _mount(self, pod: Any) -> None:
        volumes, own = mounts.of_person(self._user_volumes())
        pod.spec.volumes = [
            *(pod.spec.volumes or ()),
            *(get_k8s_model(V1Volume, volume) for volume in self._expand_all(volumes)),
        ]
        notebook = pod.spec.containers[0]
        directories = validated(GROUP_DIRECTORIES, self.group_directories, "group_directories")
        of_groups = mounts.of_groups(directories, [group.name for group in self.user.groups])
        present = {volume.name for volume in pod.spec.volumes}
        notebook.volume_mounts = list(notebook.volume_mounts or ())
        taken = {_path(mount) for mount in notebook.volume_mounts}
        for mount in self._modelled([*own, *of_groups], present):
            if _path(mount) in taken:
                self.log.warning("%s: something is mounted at %s already", self._log_name, mount.mount_path)
                continue
            taken.add(_path(mount))
            notebook.volume_mounts.append(mount)
        for mount in self._modelled(self.extras_of_owner().mounts, present):
            others = [other for other in notebook.volume_mounts if _path(other) != _path(mount)]
            notebook.volume_mounts = [*others, mount]

    def _modelled(self, wanted: Iterable[Mapping[str, Any]], present: set[str]) -> list[Any]:
        """Mounts as Kubernetes' models; refuses the start when one is of a volume that the pod does not have."""
        found = [get_k8s_model(V1VolumeMount, self._expand_all(dict(mount))) for mount in wanted]
        for mount in found:
            if mount.name not in present:
                self.log.error(
                    "%s: no volume %r to mount at %s; the pod has %s",
                    self._log_name,
                    mount.name,
                    mount.mount_path,
                    ", ".join(sorted(present)) or "none",
                )
                raise refusal(MISTAKE, code="pod_settings", status=500)
        return found

    def quoted(self, value: str) -> str:
        """A value with its dollars doubled, because Kubernetes expands `$(NAME)` in the environment of a container."""
        return value.replace("$", "$$")

    def expanded(self, environment: dict[str, Any]) -> dict[str, Any]:
        """Variables with KubeSpawner's placeholders filled in."""
        expanded: dict[str, Any] = self._expand_all(environment)
        return expanded

    # The volumes of a person

    def _user_volumes(self) -> tuple[mounts.UserVolume, ...]:
        volumes: tuple[mounts.UserVolume, ...] = validated(USER_VOLUMES, self.user_volumes, "user_volumes")
        return volumes

    async def run_pre_spawn_hook(self) -> None:
        """Make the volumes that are missing, then run the chain."""
        with self.named("user_volumes"):
            await self._make_volumes()
        await super().run_pre_spawn_hook()

    async def _make_volumes(self) -> None:
        volumes = self._user_volumes()
        if volumes and self.enable_user_namespaces:
            await self._ensure_namespace()  # KubeSpawner does so only later, and again
        for volume in volumes:
            claim = self._claim(volume)
            await exponential_backoff(
                partial(self._make_create_pvc_request, claim, self.k8s_api_request_timeout),
                f"Could not create the claim {claim.metadata.name}",
                timeout=self.k8s_api_request_retry_timeout,
            )

    def _claim(self, volume: mounts.UserVolume) -> Any:
        labels = self._build_common_labels(self._expand_all(self.storage_extra_labels))
        return make_pvc(
            name=self._expand_all(volume.name),
            storage_class=volume.storage_class,
            access_modes=list(volume.access_modes),
            selector=None,
            storage=volume.capacity,
            labels={**labels, "component": "extra-pvc"},
            annotations=self._build_common_annotations(self._expand_all(self.storage_extra_annotations)),
        )

    async def delete_forever(self) -> None:
        """Delete the volumes of a person or a named server that is deleted, if `delete_pvc` says so."""
        await super().delete_forever()
        if not self.delete_pvc:
            return
        for volume in self._user_volumes():
            if self.name and not volume.of_each_server:
                continue  # the person's other servers have it too
            name = self._expand_all(volume.name)
            await exponential_backoff(
                partial(self._make_delete_pvc_request, name, self.k8s_api_request_timeout),
                f"Could not delete the claim {name}",
                timeout=self.k8s_api_request_retry_timeout,
            )


def _path(mount: Any) -> str:
    path: str = mount.mount_path
    return path.rstrip("/")
