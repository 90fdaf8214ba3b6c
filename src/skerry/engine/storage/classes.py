"""What the built-in drivers need in the API: StorageClasses, a VolumeSnapshotClass and CSIDrivers, put there once.

What was deleted stays deleted, what somebody changed or made before us stays theirs: the ConfigMap
`kube-system/skerry-storage` notes what was ever put there. Neighbour: `definitions/installing.py`, which does so for
CustomResourceDefinitions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress

from skerry.engine.definitions.snapshots import SNAPSHOT_CLASSES
from skerry.kube.client import Client
from skerry.kube.errors import AlreadyExists, NotFound
from skerry.kube.objects import Obj, Resource, name_of
from skerry.kube.resources import CONFIG_MAPS, CSI_DRIVERS, STORAGE_CLASSES

NAMESPACE, NAME = "kube-system", "skerry-storage"
LOCAL, MEMORY = "local.storage.skerry.dev", "memory.storage.skerry.dev"
_WITH_OWNERS, _WITHOUT = ("local", "memory", "nfs"), ("dataset", "sshfs", "webdav", "s3", "onedata")
"""Drivers whose files have owners of their own, so that `fsGroup` can be brought about; and those whose have none, or
belong to others."""

Wanted = tuple[Resource, Obj]


async def install_classes(client: Client) -> None:
    """Create what was never there. Raises StatusError."""
    noted = await _noted(client)
    missing = [one for one in wanted_objects() if _note_of(one) not in noted]
    if not missing:
        return
    await asyncio.gather(*(_create(client, *one) for one in missing))
    await _note(client, {**noted, **{_note_of(one): "created" for one in missing}})


def wanted_objects() -> Sequence[Wanted]:
    """All of them."""
    classes = (
        _storage_class("local", LOCAL, is_default=True),
        _storage_class("memory", MEMORY, is_default=False),
    )
    return (
        *((STORAGE_CLASSES, one) for one in classes),
        (SNAPSHOT_CLASSES, _snapshot_class("local", LOCAL)),
        *((CSI_DRIVERS, one) for one in _drivers()),
    )


def _storage_class(name: str, driver: str, *, is_default: bool) -> Obj:
    mark = {"storageclass.kubernetes.io/is-default-class": "true"} if is_default else {}
    return {
        "metadata": {"name": name, **({"annotations": mark} if mark else {})},
        "provisioner": driver,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
        "allowVolumeExpansion": True,
    }


def _snapshot_class(name: str, driver: str) -> Obj:
    return {
        "apiVersion": SNAPSHOT_CLASSES.api_version,
        "kind": SNAPSHOT_CLASSES.kind,
        "metadata": {"name": name, "annotations": {"snapshot.storage.kubernetes.io/is-default-class": "true"}},
        "driver": driver,
        "deletionPolicy": "Delete",
    }


def _drivers() -> Sequence[Obj]:
    """None of them has inline volumes, none attaches anything. That capacities count is said when there are some
    (`provisioning/capacity.py`): pods would be told until then that there is no room."""
    policies = dict.fromkeys(_WITH_OWNERS, "File") | dict.fromkeys(_WITHOUT, "None")
    return [
        {
            "metadata": {"name": f"{short}.storage.skerry.dev"},
            "spec": {
                "attachRequired": False,
                "podInfoOnMount": True,
                "fsGroupPolicy": policy,
                "storageCapacity": False,
                "volumeLifecycleModes": ["Persistent"],
            },
        }
        for short, policy in policies.items()
    ]


async def _create(client: Client, resource: Resource, obj: Obj) -> None:
    """An object of that name is somebody's; a kind that is not served was deleted, and meant to be."""
    with suppress(AlreadyExists, NotFound):
        await client.create(resource, obj)


def _note_of(one: Wanted) -> str:
    resource, obj = one
    return f"{resource.plural}.{name_of(obj)}"


async def _noted(client: Client) -> Mapping[str, str]:
    try:
        return dict((await client.get(CONFIG_MAPS, NAME, NAMESPACE)).get("data") or {})
    except NotFound:
        return {}


async def _note(client: Client, data: Mapping[str, str]) -> None:
    noted = {"metadata": {"name": NAME, "namespace": NAMESPACE}, "data": dict(data)}
    try:
        await client.create(CONFIG_MAPS, noted, NAMESPACE)
    except AlreadyExists:
        current = await client.get(CONFIG_MAPS, NAME, NAMESPACE)
        await client.update(CONFIG_MAPS, {**current, "data": dict(data)})
