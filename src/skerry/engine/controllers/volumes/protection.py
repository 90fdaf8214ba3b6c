"""Claims go when no pod uses them any more, volumes when they are not bound: the finalizers that held them are removed.

Admission puts the finalizers on (`StorageObjectInUseProtection`). Source: Kubernetes'
`pkg/controller/volume/pvcprotection` and `pvprotection`.
"""

from __future__ import annotations

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.volumes.users import claims_of, claims_used
from skerry.kube.client import Client
from skerry.kube.controller import Controller
from skerry.kube.errors import NotFound
from skerry.kube.objects import Obj, Resource, is_deleting, name_of, namespace_of, split_key
from skerry.kube.resources import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS

CLAIM_FINALIZER, VOLUME_FINALIZER = "kubernetes.io/pvc-protection", "kubernetes.io/pv-protection"


class ClaimProtection(Controller):
    """Keys are "namespace/claim"."""

    name = "pvc-protection"
    workers = 1

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._client = context.client
        self._pods = context.informers.of(PODS)
        self._claims = context.informers.metadata_of(PERSISTENT_VOLUME_CLAIMS)
        self._pods.add_index("claims", claims_used)
        self.watch(self._claims)
        self.watch(self._pods, claims_of)

    async def reconcile(self, key: str) -> float | None:
        """Let a deleted claim go when no pod uses it."""
        namespace, name = split_key(key)
        claim = self._claims.get(name, namespace)
        if claim is None or not _is_held(claim, CLAIM_FINALIZER) or self._pods.count("claims", key):
            return None
        if not await self._is_used(namespace, key):
            await _release(self._client, PERSISTENT_VOLUME_CLAIMS, claim, CLAIM_FINALIZER)
        return None

    async def _is_used(self, namespace: str, key: str) -> bool:
        """Asked of the API: a pod that was bound just now may not be in the cache."""
        pods = (await self._client.list(PODS, namespace)).items
        return any(key in claims_used(pod) for pod in pods)


class VolumeProtection(Controller):
    """Keys are volumes."""

    name = "pv-protection"
    workers = 1

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._client = context.client
        self._volumes = context.informers.metadata_of(PERSISTENT_VOLUMES)
        self.watch(self._volumes)

    async def reconcile(self, key: str) -> float | None:
        """Let a deleted volume go when it is not bound."""
        volume = self._volumes.get(key)
        if volume is not None and _is_held(volume, VOLUME_FINALIZER):
            await _release(self._client, PERSISTENT_VOLUMES, volume, VOLUME_FINALIZER)
        return None


def _is_held(obj: Obj, finalizer: str) -> bool:
    return is_deleting(obj) and finalizer in _finalizers(obj)


async def _release(client: Client, resource: Resource, cached: Obj, finalizer: str) -> None:
    try:
        obj = await client.get(resource, name_of(cached), namespace_of(cached) or None)
        if resource is PERSISTENT_VOLUMES and (obj.get("status") or {}).get("phase") == "Bound":
            return
        kept = [each for each in _finalizers(obj) if each != finalizer]
        await client.update(resource, {**obj, "metadata": {**obj["metadata"], "finalizers": kept}})
    except NotFound:
        return


def _finalizers(obj: Obj) -> list[str]:
    return obj["metadata"].get("finalizers") or []
