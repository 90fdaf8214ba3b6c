"""Which claims a pod uses. Asked by the protection of claims, the binder, the scheduler."""

from __future__ import annotations

from collections.abc import Iterable

from skerry.engine.controllers.volumes.ephemeral import ephemeral_claims
from skerry.kube.informer import Informer
from skerry.kube.objects import Obj, is_deleting, namespace_of

UNPLACED = "claims of pods without a node"
"""An index of pods, by claim ("namespace/name")."""


def index_unplaced(pods: Informer) -> None:
    """Have the informer find pods that are not on a node yet by their claims."""
    pods.add_index(UNPLACED, lambda pod: () if pod["spec"].get("nodeName") else claims_of(pod))


def claims_of(pod: Obj) -> Iterable[str]:
    """The claims a pod names, as "namespace/name"; those of its ephemeral volumes too."""
    yield from _named(pod)
    yield from ephemeral_claims(pod)


def claims_used(pod: Obj) -> Iterable[str]:
    """The claims a pod keeps, when it is on a node, also after it has ended: until it is deleted its data can be looked
    at. One that its node has finished with keeps no ephemeral claims, for these go with it."""
    if not pod["spec"].get("nodeName"):
        return ()
    metadata = pod["metadata"]
    shut_down = is_deleting(pod) and metadata.get("deletionGracePeriodSeconds") == 0
    return _named(pod) if shut_down else claims_of(pod)


def _named(pod: Obj) -> Iterable[str]:
    for volume in (pod.get("spec") or {}).get("volumes") or ():
        if "persistentVolumeClaim" in volume:
            yield f"{namespace_of(pod)}/{volume['persistentVolumeClaim'].get('claimName', '')}"
