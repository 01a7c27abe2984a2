"""Folders and volumes that a server has beside its profile's: of its owner's groups, of its owner, of admins.

Everything here adds. A mount takes the place of another only where it says so (those of admins), and then of the one at
the same path.
"""

import hashlib
import string
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Annotated, Any, Self

from escapism import escape
from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from . import groups as group_names
from .placeholders import check_names

# What KubeSpawner fills in (https://jupyterhub-kubespawner.readthedocs.io/en/latest/templates.html).
PLACEHOLDERS = (
    "escaped_servername",
    "escaped_user_server",
    "escaped_username",
    "hubnamespace",
    "namespace",
    "pod_name",
    "pvc_name",
    "safe_servername",
    "safe_user_server",
    "safe_username",
    "servername",
    "unescaped_servername",
    "unescaped_username",
    "user_server",
    "userid",
    "username",
)
_OF_A_SERVER = frozenset(name for name in PLACEHOLDERS if "server" in name) | {"pod_name"}
_OF_A_PERSON = frozenset(name for name in PLACEHOLDERS if "user" in name) | {"pod_name", "pvc_name"}
LONGEST_FOLDER = 200  # characters; file systems take 255 bytes

Mount = Mapping[str, Any]  # a volumeMount of Kubernetes


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


def _nothing_is_empty(value: Any) -> Any:
    return {} if value is None else value


def _absolute(path: str) -> str:
    if not path.startswith("/") or path.strip("/") == "" or ".." in PurePosixPath(path).parts or ":" in path:
        raise ValueError(f"expected the absolute path of a folder, without .. or a colon, found {path!r}.")
    return path


def _relative(path: str) -> str:
    if path.startswith("/") or ".." in PurePosixPath(path).parts:
        raise ValueError(f"expected a path inside the volume, without / at its start and without .., found {path!r}.")
    return path


# Groups


class GroupDirectory(_Part):
    """A folder for each group of a person that fits one of the patterns.

    `mount_path` is where it is in the server, `sub_path` where it is in the volume; in both, `{group}` is the group's
    name as `folder` writes it, and KubeSpawner's placeholders hold.
    """

    groups: tuple[str, ...] = Field(min_length=1)
    """Whose members have it; `*` stands for any text, and each group that fits has a folder."""
    mount_path: str
    """Where it is in the server, such as `/home/jovyan/{group}`."""
    sub_path: str
    """Where it is in the volume, such as `_groups/{group}`."""
    read_only: bool = False
    """Whether nothing can be written into it."""
    volume: str = "home"
    """The name of the volume."""

    @field_validator("mount_path", "sub_path", "volume")
    @classmethod
    def _placeholders(cls, template: str) -> str:
        check_names(template, ["group", *PLACEHOLDERS])
        return template

    @field_validator("mount_path")
    @classmethod
    def _is_absolute(cls, path: str) -> str:
        if path.strip("/") == "{group}":
            raise ValueError("a group's folder at the top would cover a system's folder of the same name.")
        return _absolute(path)

    @field_validator("sub_path")
    @classmethod
    def _is_relative(cls, path: str) -> str:
        return _relative(path)

    @model_validator(mode="after")
    def _one_folder_a_group(self) -> Self:
        several = len(self.groups) > 1 or "*" in self.groups[0]
        here, there = ("{group}" in path for path in (self.mount_path, self.sub_path))
        if several and here != there:
            without = "sub_path" if here else "mount_path"
            raise ValueError(f"{without} has no {{group}}, so several groups would get one folder.")
        return self


def folder(group: str) -> str:
    """A group's name as the name of a folder: lower-case letters, digits, `-`, and `_` before what was escaped.

    No two groups have the same, and letter case does not make two groups (see `groups.key`). `ocean-lab` stays as it
    is, `project:ocean` is `project_3aocean`. Never `.`, `..`, hidden, empty, or an option of a command.
    """
    key = group_names.key(group)
    safe = str(escape(key, safe=set(string.ascii_lowercase + string.digits + "-"), escape_char="_")).lower()
    if safe.startswith("-"):
        safe = "_2d" + safe[1:]
    if len(safe) <= LONGEST_FOLDER:
        return safe or "_"
    # Two underscores never follow each other in what is escaped.
    return f"{safe[:100]}__{hashlib.sha256(key.encode()).hexdigest()[:40]}"


def of_groups(directories: Iterable[GroupDirectory], groups: Iterable[str]) -> list[Mount]:
    """The mounts of someone in these groups."""
    by_folder = {folder(group): group for group in sorted(groups)}
    return [
        {
            "name": directory.volume.replace("{group}", name),
            "mountPath": directory.mount_path.replace("{group}", name),
            "subPath": directory.sub_path.replace("{group}", name),
            "readOnly": directory.read_only,
        }
        for directory in directories
        for name, group in sorted(by_folder.items())
        if group_names.member_of_any([group], directory.groups)
    ]


# Admins


class VolumeMount(BaseModel):
    """A mount, as Kubernetes writes it."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    name: str
    mount_path: Annotated[str, AfterValidator(_absolute)]
    sub_path: str | None = None
    sub_path_expr: str | None = None
    read_only: bool | None = None
    mount_propagation: str | None = None
    recursive_read_only: str | None = None


def _entries(value: Any) -> Any:
    """A list, or a mapping whose values count in the order of their keys; null is nothing, also as a value."""
    if value is None:
        return []
    if isinstance(value, Mapping):
        return [value[key] for key in sorted(value) if value[key] is not None]
    return value


class AdminExtras(_Part):
    """What only servers of admins have, in the words of Zero to JupyterHub's `singleuser`; null is nothing."""

    model_config = ConfigDict(alias_generator=to_camel)

    extra_env: Annotated[dict[str, str | dict[str, Any] | None], BeforeValidator(_nothing_is_empty)] = {}
    extra_volume_mounts: Annotated[tuple[VolumeMount, ...], BeforeValidator(_entries)] = ()
    service_account_name: str | None = None

    @property
    def environment(self) -> dict[str, Any]:
        """The variables; values are text, or mappings such as `{valueFrom: …}`."""
        return {name: value for name, value in self.extra_env.items() if value is not None}

    @property
    def mounts(self) -> list[Mount]:
        """The mounts, as Kubernetes takes them."""
        return [mount.model_dump(by_alias=True, exclude_none=True) for mount in self.extra_volume_mounts]


# People


def _spelled(*names: str, **more: Any) -> Any:
    return Field(validation_alias=AliasChoices(*names), **more)


class UserVolume(_Part):
    """A volume of a person's own, made at their first start and kept.

    `name` is the claim's; it must hold a placeholder of the person, such as `{username}`, or of one of their servers,
    such as `{user_server}`. It is mounted where `mount_path` says; without, something else mounts it by its claim.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, populate_by_name=True)

    name: str
    storage_class: str | None = _spelled("class", "storage_class", "storageClassName", default=None)
    capacity: str = _spelled("capacity", "size", pattern=r"^\d+(\.\d+)?([EPTGMk]|[EPTGMK]i)?$")
    access_modes: tuple[str, ...] = _spelled("access_modes", "accessModes", default=("ReadWriteOnce",))
    mount_path: str | None = _spelled("mount_path", "mountPath", default=None)
    sub_path: str | None = _spelled("sub_path", "subPath", default=None)
    read_only: bool = _spelled("read_only", "readOnly", default=False)

    @field_validator("name")
    @classmethod
    def _is_of_a_person(cls, name: str) -> str:
        if not check_names(name, PLACEHOLDERS) & _OF_A_PERSON:
            raise ValueError(f"{name!r} has no {{username}}, so everybody would share one volume.")
        return name

    @field_validator("mount_path")
    @classmethod
    def _is_absolute(cls, path: str | None) -> str | None:
        return None if path is None else _absolute(path)

    @field_validator("sub_path")
    @classmethod
    def _is_relative(cls, path: str | None) -> str | None:
        return None if path is None else _relative(path)

    @property
    def of_each_server(self) -> bool:
        """Whether each of a person's servers has its own, rather than all of them one."""
        return bool(check_names(self.name, PLACEHOLDERS) & _OF_A_SERVER)


def of_person(volumes: Sequence[UserVolume]) -> tuple[list[Mapping[str, Any]], list[Mount]]:
    """The volumes of a pod, and their mounts; claims that are mounted nowhere are not among them."""
    mounted = [(f"own-{index}", volume) for index, volume in enumerate(volumes) if volume.mount_path]
    return (
        [{"name": name, "persistentVolumeClaim": {"claimName": volume.name}} for name, volume in mounted],
        [
            {"name": name, "mountPath": volume.mount_path, "readOnly": volume.read_only}
            | ({"subPath": volume.sub_path} if volume.sub_path else {})
            for name, volume in mounted
        ],
    )
