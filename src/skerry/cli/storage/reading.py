"""Asks a cluster for everything about its volumes. Kinds that it does not serve have no objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from skerry.cli.volumes.reading import everything, measures
from skerry.kube.objects import Obj, Resource
from skerry.kube.records import record
from skerry.kube.resources import (
    NODES,
    PERSISTENT_VOLUME_CLAIMS,
    PERSISTENT_VOLUMES,
    PODS,
    STORAGE_CLASSES,
    VOLUME_ATTACHMENTS,
)
from skerry.kube.tasks import together

if TYPE_CHECKING:
    from skerry.cli.volumes.facts import Measures
    from skerry.kube.http_client import HttpClient

STORAGE_POOLS = Resource("storage.skerry.dev", "v1alpha1", "storagepools", "StoragePool", namespaced=False)
SNAPSHOTS = Resource("snapshot.storage.k8s.io", "v1", "volumesnapshots", "VolumeSnapshot")
SNAPSHOT_CONTENTS = Resource(
    "snapshot.storage.k8s.io", "v1", "volumesnapshotcontents", "VolumeSnapshotContent", namespaced=False
)
_KINDS = (
    STORAGE_CLASSES,
    PERSISTENT_VOLUMES,
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    STORAGE_POOLS,
    SNAPSHOTS,
    SNAPSHOT_CONTENTS,
    VOLUME_ATTACHMENTS,
    NODES,
)


@record
class Everything:
    """All objects that have to do with volumes."""

    classes: Sequence[Obj] = ()
    volumes: Sequence[Obj] = ()
    claims: Sequence[Obj] = ()
    pods: Sequence[Obj] = ()
    pools: Sequence[Obj] = ()
    snapshots: Sequence[Obj] = ()
    contents: Sequence[Obj] = ()
    attachments: Sequence[Obj] = ()
    nodes: Sequence[Obj] = ()


async def read(client: HttpClient) -> Everything:
    """Of the whole cluster. Raises StatusError (for those who may not read it all), OSError."""
    return Everything(*await together(*(_served(client, resource) for resource in _KINDS)))


async def read_with_measures(client: HttpClient) -> tuple[Everything, Measures]:
    """And what mounted volumes hold."""
    found = await read(client)
    return found, await measures(client, found.pods)


async def _served(client: HttpClient, resource: Resource) -> list[Obj]:
    from skerry.kube.errors import NotFound

    try:
        return await everything(client, resource)
    except NotFound:
        return []
