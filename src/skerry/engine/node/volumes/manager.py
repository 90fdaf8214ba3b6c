"""The volumes of pods: set up before a pod's sandbox, refreshed when what they show changes, torn down after its end.

Everything is below `<pods>/<uid>/`: `volumes/<name>`, `volume-subpaths/...`. Neighbours: `pods.worker` calls it,
`objects.ObjectReader` reads the API. Invariant: after `tear_down` no mount of the pod is left.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from skerry.engine import mounts
from skerry.engine.node.cri import cri_pb2 as pb
from skerry.engine.node.errors import ConfigError, VolumeError
from skerry.engine.node.objects import ObjectReader
from skerry.engine.node.spec.downward import PodFacts
from skerry.engine.node.spec.environment import Reference
from skerry.engine.node.spec.expansion import expand
from skerry.engine.node.volumes import kinds, projection
from skerry.engine.node.volumes.projection import Known
from skerry.engine.node.volumes.subpath import bind_subpath
from skerry.engine.node.volumes.tokens import PodTokens
from skerry.kube.objects import Obj, namespace_of, uid_of
from skerry.kube.records import record

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

    def __init__(self, pods: Path, reader: ObjectReader, tokens: PodTokens) -> None:
        self._pods = pods
        self._reader = reader
        self._tokens = tokens

    def pod_directory(self, uid: str) -> Path:
        """Everything of one pod on disk."""
        return self._pods / uid

    async def set_up(self, facts: PodFacts) -> dict[str, Path]:
        """Make all volumes of a pod ready; where each is. Harmless when they are. Raises VolumeError."""
        return await self._set_up(facts, facts.pod["spec"].get("volumes") or [])

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

    def container_mounts(self, request: MountRequest) -> list[pb.Mount]:
        """`volumeMounts` of a container for the runtime. Raises ConfigError."""
        listed = enumerate(request.container.get("volumeMounts") or ())
        return [self._mount(request, position, entry) for position, entry in listed]

    def _mount(self, request: MountRequest, position: int, entry: Obj) -> pb.Mount:
        if entry.get("recursiveReadOnly") == "Enabled":
            raise ConfigError("recursiveReadOnly: Enabled is not supported by the runtime")
        source = request.volumes.get(entry["name"])
        if source is None:
            raise ConfigError(f"volume {entry['name']!r} is not defined")
        subpath = entry.get("subPath") or expand(entry.get("subPathExpr") or "", request.environment)
        if subpath:
            target = self._subpaths(request.pod) / entry["name"] / request.container["name"] / str(position)
            source = bind_subpath(source, subpath, target)
        return pb.Mount(
            container_path=_absolute(entry["mountPath"]),
            host_path=str(source),
            readonly=bool(entry.get("readOnly")),
            propagation=_PROPAGATION[entry.get("mountPropagation") or "None"],
        )

    def _subpaths(self, pod: Obj) -> Path:
        return self.pod_directory(uid_of(pod)) / "volume-subpaths"

    def tear_down(self, uid: str) -> None:
        """Unmount everything of a pod; its directories stay until `remove`."""
        self._tokens.forget(uid)
        for point in mounts.at_or_below(self.pod_directory(uid)):
            mounts.detach(point)

    def remove(self, uid: str) -> None:
        """Unmount and delete everything of a pod."""
        self.tear_down(uid)
        shutil.rmtree(self.pod_directory(uid), ignore_errors=True)

    def known_uids(self) -> list[str]:
        """Pods that have something on disk."""
        return [entry.name for entry in self._pods.iterdir()] if self._pods.exists() else []


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
