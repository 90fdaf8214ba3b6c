"""Keeps a claim while it is being cloned: a finalizer holds it until no clone of it waits for its volume.

Source: external-provisioner, `clone_controller.go`.
"""

from __future__ import annotations

from collections.abc import Iterable

from skerry.engine.storage.context import StorageContext
from skerry.engine.storage.contract import StorageError
from skerry.engine.storage.finalizers import finalizers_of, with_finalizer, without_finalizer
from skerry.engine.storage.provisioning.names import CLONING
from skerry.engine.storage.provisioning.sources import source_of
from skerry.engine.storage.provisioning.wanted import is_waiting
from skerry.kube.client import Client
from skerry.kube.controller import Controller
from skerry.kube.informer import Informer
from skerry.kube.objects import Obj, key_of, namespace_of, split_key
from skerry.kube.resources import PERSISTENT_VOLUME_CLAIMS

_INDEX = "clones of"


async def protect_source(client: Client, claims: Informer, clone: Obj) -> None:
    """Put the finalizer on the claim that `clone` is made from. Raises StatusError."""
    source = source_of(clone)
    origin = claims.get(source.name, namespace_of(clone)) if source is not None else None
    if origin is not None:
        await with_finalizer(client, PERSISTENT_VOLUME_CLAIMS, origin, CLONING)


class CloneProtection(Controller):
    """Keys are the claims that are cloned."""

    name = "clone-protection"
    workers = 1

    def __init__(self, context: StorageContext) -> None:
        super().__init__()
        self._client = context.identity("storage-provisioner")
        self._claims = context.informers.of(PERSISTENT_VOLUME_CLAIMS)
        self._claims.add_index(_INDEX, _cloned)
        self.watch(self._claims, lambda claim: (key_of(claim), *_names_of_cloned(claim)))

    async def reconcile(self, key: str) -> float | None:
        """Let a claim go that nobody clones any more."""
        namespace, name = split_key(key)
        claim = self._claims.get(name, namespace)
        if claim is not None and CLONING in finalizers_of(claim) and not self._claims.count(_INDEX, key):
            await without_finalizer(self._client, PERSISTENT_VOLUME_CLAIMS, claim, CLONING)
        return None


def _cloned(claim: Obj) -> Iterable[str]:
    return _names_of_cloned(claim) if is_waiting(claim) else ()


def _names_of_cloned(claim: Obj) -> Iterable[str]:
    try:
        source = source_of(claim)
    except StorageError:
        return ()
    is_clone = source is not None and source.kind == "PersistentVolumeClaim"
    return (f"{namespace_of(claim)}/{source.name}",) if source is not None and is_clone else ()
