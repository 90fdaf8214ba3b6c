"""Keeps a claim while snapshots of it are taken: a finalizer holds it until each is ready or gone."""

from __future__ import annotations

from collections.abc import Iterable

from skerry.engine.definitions.snapshots import VOLUME_SNAPSHOTS
from skerry.engine.storage.context import StorageContext
from skerry.engine.storage.finalizers import finalizers_of, without_finalizer
from skerry.engine.storage.snapshots.names import CLAIM_SOURCE
from skerry.kube.controller import Controller
from skerry.kube.objects import Obj, namespace_of, split_key
from skerry.kube.resources import PERSISTENT_VOLUME_CLAIMS

_INDEX = "taken from"


class SnapshotSourceProtection(Controller):
    """Keys are "namespace/claim"."""

    name = "snapshot-source-protection"
    workers = 1

    def __init__(self, context: StorageContext) -> None:
        super().__init__()
        self._client = context.identity("snapshot-controller")
        self._claims = context.informers.of(PERSISTENT_VOLUME_CLAIMS)
        self._snapshots = context.informers.of(VOLUME_SNAPSHOTS)
        self._snapshots.add_index(_INDEX, _being_taken)
        self.watch(self._claims)
        self.watch(self._snapshots, _source)

    async def reconcile(self, key: str) -> float | None:
        """Let a claim go of which no snapshot is taken any more."""
        namespace, name = split_key(key)
        claim = self._claims.get(name, namespace)
        if claim is None or CLAIM_SOURCE not in finalizers_of(claim) or self._snapshots.count(_INDEX, key):
            return None
        await without_finalizer(self._client, PERSISTENT_VOLUME_CLAIMS, claim, CLAIM_SOURCE)
        return None


def _source(snapshot: Obj) -> Iterable[str]:
    name = snapshot["spec"]["source"].get("persistentVolumeClaimName")
    return (f"{namespace_of(snapshot)}/{name}",) if name else ()


def _being_taken(snapshot: Obj) -> Iterable[str]:
    return () if (snapshot.get("status") or {}).get("readyToUse") else _source(snapshot)
