"""Generic ephemeral volumes: a claim for each `ephemeral` volume of a pod, which goes with the pod.

Source: Kubernetes' `pkg/controller/volume/ephemeral`. The pod owns its claims, so the garbage collector deletes them.
A claim of that name that is not the pod's is left alone: the pod waits, and an event says why.
"""

from __future__ import annotations

from collections.abc import Iterable

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.volumes.users import claim_name, claimed, ephemeral_claims, foreign, is_ephemeral
from skerry.kube.controller import Controller
from skerry.kube.errors import AlreadyExists, StatusError
from skerry.kube.objects import (
    Obj,
    annotations_of,
    is_deleting,
    key_of,
    labels_of,
    namespace_of,
    owner_reference,
    split_key,
)
from skerry.kube.resources import PERSISTENT_VOLUME_CLAIMS, PODS

_CLAIMED_BY = "names of ephemeral claims"


class EphemeralClaims(Controller):
    """Keys are "namespace/pod"."""

    name = "ephemeral-volume"
    workers = 4

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._client = context.client
        self._recorder = context.recorder.named("ephemeral_volume")
        self._pods = context.informers.of(PODS)
        self._claims = context.informers.of(PERSISTENT_VOLUME_CLAIMS)
        self._pods.add_index(_CLAIMED_BY, ephemeral_claims)
        self.watch(self._pods, lambda pod: (key_of(pod),) if any(ephemeral_claims(pod)) else ())
        self.watch(self._claims, self._pods_of)

    def _pods_of(self, claim: Obj) -> Iterable[str]:
        """The pod that needs a claim of this name: when it is gone it has to be made again."""
        return [key_of(pod) for pod in self._pods.by_index(_CLAIMED_BY, key_of(claim))]

    async def reconcile(self, key: str) -> float | None:
        """Make what a pod lacks."""
        namespace, name = split_key(key)
        pod = self._pods.get(name, namespace)
        if pod is None or is_deleting(pod):
            return None
        for volume, claim in claimed(pod):
            if is_ephemeral(volume):
                await self._ensure(pod, volume, claim)
        return None

    async def _ensure(self, pod: Obj, volume: Obj, name: str) -> None:
        claim = self._claims.get(name, namespace_of(pod))
        if claim is not None:
            self._check(pod, claim)
            return
        try:
            await self._client.create(PERSISTENT_VOLUME_CLAIMS, build_claim(pod, volume), namespace_of(pod))
        except AlreadyExists:
            self._check(pod, await self._client.get(PERSISTENT_VOLUME_CLAIMS, name, namespace_of(pod)))
        except StatusError as error:
            self._recorder.event(pod, "Warning", "FailedBinding", f"ephemeral volume {volume['name']}: {error}")
            raise

    def _check(self, pod: Obj, claim: Obj) -> None:
        if why := foreign(pod, claim):
            self._recorder.event(pod, "Warning", "FailedBinding", why)


def build_claim(pod: Obj, volume: Obj) -> Obj:
    """The claim of an ephemeral volume, owned by the pod."""
    template = volume["ephemeral"].get("volumeClaimTemplate") or {}
    metadata: Obj = {
        "name": claim_name(pod, volume),
        "namespace": namespace_of(pod),
        "ownerReferences": [owner_reference(pod, PODS)],
    }
    if annotations := annotations_of(template):
        metadata["annotations"] = annotations
    if labels := labels_of(template):
        metadata["labels"] = labels
    resource = PERSISTENT_VOLUME_CLAIMS
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": metadata,
        "spec": template.get("spec") or {},
    }
