"""`dataset.storage.skerry.dev`: data that are on a machine already, shown to pods that only read them.

An operator makes a StorageClass whose `path` says where the data are, and `nodes` on which machines; users claim it.
Nothing is ever made, changed or deleted. The volume's node affinity sends pods to where the data are.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from skerry.engine.storage.contract import Ability, Driver, Publishing, StorageError, Volume, VolumeRequest
from skerry.engine.storage.drivers import publishing
from skerry.engine.storage.drivers.threads import Threads
from skerry.kube.selectors import SelectorError, check_key, check_value

_KNOWN = ("nodes", "path")
_EPHEMERAL = "csi.storage.k8s.io/ephemeral"
_HOSTNAME = "kubernetes.io/hostname"


class DatasetDriver(Driver):
    """`node` is the name of this machine's node; what is in or above the instance's directories `own` is no data."""

    name: str = "dataset.storage.skerry.dev"
    abilities = frozenset({Ability.PROVISION})

    def __init__(self, own: tuple[Path, ...], node: str) -> None:
        self._own, self._node = own, node
        self._threads = Threads("dataset", 2)

    async def create(self, request: VolumeRequest) -> Volume:
        """A volume that stands for the data of the class. Raises StorageError."""
        _refuse_what_datasets_lack(request)
        path, nodes = request.parameters["path"], parse_nodes(request.parameters.get("nodes", ""))
        if nodes:  # data of another machine cannot be seen from here
            _checked_form(path)
        else:
            await self._threads.run(lambda: self._found(path))
        return Volume(request.name, request.size, {"path": path}, nodes or ({_HOSTNAME: self._node},))

    async def delete(self, handle: str, secrets: Mapping[str, str]) -> None:
        """The data stay as they are: nothing was made."""

    async def publish(self, asked: Publishing) -> None:
        """Show the data to a pod, which can only read them. Raises StorageError."""
        path = asked.context.get("path", "")
        if asked.context.get(_EPHEMERAL) == "true":  # who writes a pod would say which directory of the machine
            raise StorageError("INVALID_ARGUMENT", "a dataset is no inline volume: claim it by its StorageClass")
        await self._threads.run(lambda: publishing.show(self._found(path), asked.target, read_only=True))

    async def unpublish(self, handle: str, target: Path) -> None:
        """Take it from a pod."""
        await self._threads.run(lambda: publishing.take_back(target))

    def _found(self, path: str) -> Path:
        """Where the data really are. Raises StorageError."""
        place = _checked_form(path).resolve()
        if not place.is_dir():
            raise StorageError("FAILED_PRECONDITION", f"{path} is no directory of node {self._node}")
        for own in self._own:
            if place == own or own in place.parents or place in own.parents:
                raise StorageError("INVALID_ARGUMENT", f"{path} holds what the instance keeps: it is no dataset")
        return place


def parse_nodes(text: str) -> tuple[Mapping[str, str], ...]:
    """`a=b,c=d;e=f` as labels: those of either the first or the second. Raises StorageError INVALID_ARGUMENT."""
    return tuple(_labels(one) for one in text.split(";") if one.strip())


def _labels(text: str) -> Mapping[str, str]:
    labels = {}
    for part in text.split(","):
        key, equals, value = (word.strip() for word in part.partition("="))
        try:
            check_key(key)
            check_value(value)
        except SelectorError as error:
            raise StorageError("INVALID_ARGUMENT", f"parameter nodes: {error}") from error
        if not equals:
            raise StorageError("INVALID_ARGUMENT", f"parameter nodes: {part.strip()} has no =")
        labels[key] = value
    return labels


def _checked_form(path: str) -> Path:
    if not path.startswith("/") or os.path.normpath(path) != path:
        raise StorageError("INVALID_ARGUMENT", f"path {path} is not absolute, or has parts like ..")
    return Path(path)


def _refuse_what_datasets_lack(request: VolumeRequest) -> None:
    if unknown := sorted(set(request.parameters) - set(_KNOWN)):
        raise StorageError("INVALID_ARGUMENT", f"unknown parameter {', '.join(unknown)}: known are {', '.join(_KNOWN)}")
    for wanted, message in (
        ("path" not in request.parameters, "the StorageClass of a dataset needs the parameter path"),
        (set(request.use.access_modes) - {"ReadOnlyMany"}, "a dataset can only be read: claim it ReadOnlyMany"),
        (request.use.block, "a dataset cannot have volumeMode Block"),
        (request.source.snapshot or request.source.volume, "a dataset cannot have a dataSource"),
    ):
        if wanted:
            raise StorageError("INVALID_ARGUMENT", message)
