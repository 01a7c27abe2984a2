"""The volumes of a user's pod: the home, files that the operator writes in the values, and whatever else is mounted."""

from collections.abc import Callable, Mapping
from typing import Any

from .names import resource_names
from .values import entries_at, look_up, mapping_at

Values = Mapping[str, Any]
# Keys give KubeSpawner the order, and are what overrides of profiles and groups merge by.
Entries = Mapping[str, Mapping[str, Any]]


def is_dynamic(values: Values) -> bool:
    """Whether each person gets a volume claim of their own, made at their first start."""
    return bool(look_up(values, "singleuser.storage.type") == "dynamic")


def dynamic(path: str) -> Callable[[Values], Any]:
    """A reader of a value below `singleuser.storage` that counts only with volume claims made by the spawner."""
    return lambda values: look_up(values, f"singleuser.storage.{path}") if is_dynamic(values) else None


def volumes(values: Values) -> Entries:
    """The volumes by key; a volume that the operator lists without a key is known by its name."""
    extra = entries_at(values, "singleuser.storage.extraVolumes", "{name}")
    return {**_home_volume(values), **_files_volume(values), **extra}


def volume_mounts(values: Values) -> Entries:
    """The mounts by key; a mount that the operator lists without a key is known by its place and its volume's name."""
    extra = entries_at(values, "singleuser.storage.extraVolumeMounts", "{place}-{name}")
    return {**_home_mount(values), **_files_mounts(values), **extra}


def _home_name(values: Values) -> str:
    return str(look_up(values, "singleuser.storage.dynamic.volumeNameTemplate")) if is_dynamic(values) else "home"


def _home_volume(values: Values) -> Entries:
    name = _home_name(values)
    match look_up(values, "singleuser.storage.type"):
        case "dynamic":
            # The spawner knows the name of the claim: one made under a former template keeps its name.
            claim = "{pvc_name}"
        case "static":
            claim = look_up(values, "singleuser.storage.static.pvcName")
        case _:
            return {}
    return {name: {"name": name, "persistentVolumeClaim": {"claimName": claim}}}


def _home_mount(values: Values) -> Entries:
    kind, name = look_up(values, "singleuser.storage.type"), _home_name(values)
    if kind not in ("dynamic", "static"):
        return {}
    mount = {"name": name, "mountPath": look_up(values, "singleuser.storage.homeMountPath")}
    sub_path = look_up(values, f"singleuser.storage.{kind}.subPath")
    return {name: mount | ({"subPath": sub_path} if sub_path else {})}


def _files_volume(values: Values) -> Entries:
    """All of `singleuser.extraFiles` come from one secret; only their modes differ."""
    files = _files(values)
    if not files:
        return {}
    items = [
        {"key": key, "path": key} | ({"mode": file["mode"]} if "mode" in file else {}) for key, file in files.items()
    ]
    return {"files": {"name": "files", "secret": {"secretName": resource_names(values).singleuser, "items": items}}}


def _files_mounts(values: Values) -> Entries:
    return {
        f"files-{key}": {"name": "files", "mountPath": file["mountPath"], "subPath": key}
        for key, file in _files(values).items()
    }


def _files(values: Values) -> Mapping[str, Mapping[str, Any]]:
    files = mapping_at(values, "singleuser.extraFiles")
    for key, file in files.items():
        if not isinstance(file, Mapping) or "mountPath" not in file:
            raise ValueError(f"singleuser.extraFiles.{key}: a file needs a mountPath.")
    return files
