"""Claims go when no pod uses them any more, volumes when they are not bound: the finalizers that held them are removed.

Admission puts the finalizers on (`StorageObjectInUseProtection`). Source: Kubernetes'
`pkg/controller/volume/pvcprotection` and `pvprotection`.
"""

from __future__ import annotations

from collections.abc import Iterable, Set

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.volumes.users import claims_of, claims_used
from skerry.kube.client import Client
from skerry.kube.controller import Controller
from skerry.kube.errors import NotFound
from skerry.kube.objects import Obj, Resource, is_deleting, key_of, name_of, namespace_of
from skerry.kube.resources import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS
from skerry.kube.tasks import together

CLAIM_FINALIZER, VOLUME_FINALIZER = "kubernetes.io/pvc-protection", "kubernetes.io/pv-protection"
_HELD = "deleted claims by namespace"
_AT_ONCE = 64
"""Writes that go to the disk together."""


class ClaimProtection(Controller):
    """Keys are namespaces: the pods of one are asked for once, however many of its claims are deleted together."""

    name = "pvc-protection"

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._client = context.client
        self._pods = context.informers.of(PODS)
        self._claims = context.informers.metadata_of(PERSISTENT_VOLUME_CLAIMS)
        self._pods.add_index("claims", claims_used)
        self._claims.add_index(_HELD, _namespace_if_held)
        self.watch(self._claims, _namespace_if_held)
        self.watch(self._pods, lambda pod: (namespace_of(pod),) if any(claims_of(pod)) else ())

    async def reconcile(self, key: str) -> float | None:
        """Let the deleted claims of a namespace go that no pod uses."""
        claims = [one for one in self._claims.by_index(_HELD, key) if not self._pods.count("claims", key_of(one))]
        used = await self._used(key) if claims else frozenset()
        free = [one for one in claims if key_of(one) not in used]
        for first in range(0, len(free), _AT_ONCE):
            some = free[first : first + _AT_ONCE]
            await together(*(_release(self._client, PERSISTENT_VOLUME_CLAIMS, one, CLAIM_FINALIZER) for one in some))
        return None

    async def _used(self, namespace: str) -> Set[str]:
        """Asked of the API: a pod that was bound just now may not be in the cache."""
        pods = (await self._client.list(PODS, namespace)).items
        return {claim for pod in pods for claim in claims_used(pod)}


class VolumeProtection(Controller):
    """Keys are volumes."""

    name = "pv-protection"

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


def _namespace_if_held(claim: Obj) -> Iterable[str]:
    return (namespace_of(claim),) if _is_held(claim, CLAIM_FINALIZER) else ()


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
