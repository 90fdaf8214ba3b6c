"""The volumes of pods: set up before a pod's sandbox, refreshed when what they show changes, torn down after its end.

Everything is below `<pods>/<uid>/`: `volumes/<name>`, `volume-subpaths/...`. Neighbours: `pods.worker` calls it,
`objects.ObjectReader` reads the API, `pod_storage` mounts claims and their like. Invariants: after `tear_down` no mount
of the pod is left; nothing is deleted below a mount; what may lie on a server that hangs is looked at in threads.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from skerry.engine import mounts
from skerry.engine.node.cri import cri_pb2 as pb
from skerry.engine.node.errors import ConfigError, VolumeError
from skerry.engine.node.objects import ObjectReader
from skerry.engine.node.pod_storage import PodStorage
from skerry.engine.node.spec.downward import PodFacts
from skerry.engine.node.spec.environment import Reference
from skerry.engine.node.spec.expansion import expand
from skerry.engine.node.volumes import kinds, projection
from skerry.engine.node.volumes.projection import Known
from skerry.engine.node.volumes.subpath import bind_subpath
from skerry.engine.node.volumes.tokens import PodTokens
from skerry.kube.objects import Obj, namespace_of, uid_of
from skerry.kube.records import record
from skerry.kube.threads import in_own_thread

log = logging.getLogger(__name__)

Result = TypeVar("Result")
_FILES_SECONDS = 30.0

_PROPAGATION = {
    "None": pb.PROPAGATION_PRIVATE,
    "HostToContainer": pb.PROPAGATION_HOST_TO_CONTAINER,
    "Bidirectional": pb.PROPAGATION_BIDIRECTIONAL,
}


@record
class MountRequest:
    """What `container_mounts` needs: the container, its environment (for `subPathExpr`), where volumes are."""

    pod: Obj
    container: Obj
    environment: Mapping[str, str]
    volumes: Mapping[str, Path]


class VolumeManager:
    """All pods of the node."""

    def __init__(self, pods: Path, reader: ObjectReader, tokens: PodTokens, storage: PodStorage) -> None:
        self._pods = pods
        self._reader = reader
        self._tokens = tokens
        self._storage = storage

    def pod_directory(self, uid: str) -> Path:
        """Everything of one pod on disk."""
        return self._pods / uid

    async def set_up(self, facts: PodFacts) -> dict[str, Path]:
        """Make all volumes of a pod ready; where each is. Harmless when they are. Raises VolumeError."""
        volumes = facts.pod["spec"].get("volumes") or []
        own = [volume for volume in volumes if not self._storage.is_for(volume)]
        places = await self._set_up(facts, own)
        return places if len(own) == len(volumes) else {**places, **await self._storage.set_up(facts.pod)}

    async def refresh(self, facts: PodFacts) -> None:
        """Bring files that come from the API up to date. Raises VolumeError."""
        volumes = facts.pod["spec"].get("volumes") or []
        await self._set_up(facts, [volume for volume in volumes if any(map(volume.get, projection.KINDS))])

    async def _set_up(self, facts: PodFacts, volumes: Sequence[Obj]) -> dict[str, Path]:
        objects = await self._reader.read(namespace_of(facts.pod), references_of(facts.pod))
        known = Known(facts, objects, await self._tokens.of(facts.pod))
        directory = self.pod_directory(uid_of(facts.pod))
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        return {volume["name"]: self._set_up_one(directory, volume, known) for volume in volumes}

    def renewal(self, uid: str) -> datetime | None:
        """When a pod's volumes must be refreshed because its tokens get old; None: never."""
        return self._tokens.renewal(uid)

    def _set_up_one(self, directory: Path, volume: Obj, known: Known) -> Path:
        name = volume["name"]
        try:
            return kinds.set_up(directory / "volumes" / name, volume, known)
        except (VolumeError, ConfigError) as error:
            raise VolumeError(f'MountVolume.SetUp failed for volume "{name}" : {error.message}') from error
        except OSError as error:
            raise VolumeError(f'MountVolume.SetUp failed for volume "{name}" : {error}') from error

    async def container_mounts(self, request: MountRequest) -> list[pb.Mount]:
        """`volumeMounts` of a container for the runtime. Raises ConfigError."""
        listed = list(enumerate(request.container.get("volumeMounts") or ()))
        if any(entry.get("subPath") or entry.get("subPathExpr") for _, entry in listed):
            return await unless_it_hangs(self._mounts, request, listed)
        return self._mounts(request, listed)

    def container_devices(self, request: MountRequest) -> list[pb.Device]:
        """`volumeDevices` of a container for the runtime. Raises ConfigError."""
        return [
            pb.Device(
                container_path=_absolute(entry["devicePath"]),
                host_path=str(_place(request, entry["name"])),
                permissions="mrw",
            )
            for entry in request.container.get("volumeDevices") or ()
        ]

    def _mounts(self, request: MountRequest, listed: Sequence[tuple[int, Obj]]) -> list[pb.Mount]:
        return [self._mount(request, position, entry) for position, entry in listed]

    def _mount(self, request: MountRequest, position: int, entry: Obj) -> pb.Mount:
        if entry.get("recursiveReadOnly") == "Enabled":
            raise ConfigError("recursiveReadOnly: Enabled is not supported by the runtime")
        source = _place(request, entry["name"])
        subpath = entry.get("subPath") or expand(entry.get("subPathExpr") or "", request.environment)
        if subpath:
            target = self._subpaths(uid_of(request.pod)) / entry["name"] / request.container["name"] / str(position)
            try:
                source = bind_subpath(source, subpath, target)
            except OSError as error:
                where = f'volumeMount "{entry["name"]}" of container "{request.container["name"]}"'
                raise ConfigError(f"failed to prepare subPath for {where}: {error}") from error
        return pb.Mount(
            container_path=_absolute(entry["mountPath"]),
            host_path=str(source),
            readonly=bool(entry.get("readOnly")) or self._storage.is_read_only(uid_of(request.pod), entry["name"]),
            propagation=_PROPAGATION[entry.get("mountPropagation") or "None"],
        )

    def _subpaths(self, uid: str) -> Path:
        return self.pod_directory(uid) / "volume-subpaths"

    async def tear_down(self, uid: str) -> bool:
        """Unmount everything of a pod; its directories stay until `remove`. False when a driver could not give back
        what it mounted."""
        self._tokens.forget(uid)
        if self._storage.holds(uid):
            detach(self._subpaths(uid))  # they hold the volumes they are parts of
        given_back = await self._storage.tear_down(uid)
        detach(self.pod_directory(uid))
        return given_back

    async def remove(self, uid: str) -> None:
        """Unmount and delete everything of a pod. While a driver may still mount something below, its directory stays
        for a later start."""
        if await self.tear_down(uid):
            await asyncio.to_thread(shutil.rmtree, self.pod_directory(uid), True)
        else:
            log.warning("pod %s: its directory stays, a volume could not be unmounted", uid)

    def holds(self, uid: str) -> bool:
        """Whether storage has something mounted for a pod, from an earlier engine or half-way."""
        return self._storage.holds(uid)

    def in_use(self) -> list[str]:
        """What `status.volumesInUse` of the node lists."""
        return self._storage.in_use()

    def known_uids(self) -> set[str]:
        """Pods that have something on disk or mounted."""
        listed = {entry.name for entry in self._pods.iterdir()} if self._pods.exists() else set()
        return listed | set(self._storage.pods())


async def unless_it_hangs(function: Callable[..., Result], *arguments: Any) -> Result:
    """What a function that touches files of volumes returns. Raises ConfigError when they do not answer in time."""
    try:
        return await in_own_thread(_FILES_SECONDS, function, *arguments)
    except TimeoutError:
        raise ConfigError(f"a volume's file system did not answer within {_FILES_SECONDS:.0f} s") from None


def _place(request: MountRequest, name: str) -> Path:
    place = request.volumes.get(name)
    if place is None:
        raise ConfigError(f"volume {name!r} is not defined")
    return place


def detach(directory: Path) -> None:
    """Unmount everything at or below it, also what is in use. Raises OSError when that is refused."""
    for point in mounts.at_or_below(directory):
        mounts.detach(point)


def references_of(pod: Obj) -> set[Reference]:
    """ConfigMaps and Secrets that a pod's volumes show."""
    return {found for volume in pod["spec"].get("volumes") or () for found in projection.references(volume)}


def changes_with_pod(pod: Obj) -> bool:
    """Whether a volume shows fields of the pod itself, so that a changed label or annotation has to be written."""
    for volume in pod["spec"].get("volumes") or ():
        sources = (volume.get("projected") or {}).get("sources") or ()
        if volume.get("downwardAPI") or any(source.get("downwardAPI") for source in sources):
            return True
    return False


def _absolute(path: str) -> str:
    return path if path.startswith("/") else f"/{path}"
