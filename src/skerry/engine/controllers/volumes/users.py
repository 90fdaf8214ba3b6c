"""Which claims a pod uses, those made for its ephemeral volumes included. Asked by the protection of claims, the
binder, the scheduler, and who makes claims for pods."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from skerry.kube.informer import Informer
from skerry.kube.objects import Obj, controller_of, is_deleting, key_of, name_of, namespace_of, uid_of

UNPLACED = "claims of pods without a node"
"""An index of pods, by claim ("namespace/name")."""


def index_unplaced(pods: Informer) -> None:
    """Have the informer find pods that are not on a node yet by their claims."""
    pods.add_index(UNPLACED, lambda pod: () if pod["spec"].get("nodeName") else claims_of(pod))


def claimed(pod: Obj) -> Iterator[tuple[Obj, str]]:
    """A pod's volumes that are claims, and the name of each claim."""
    for volume in (pod.get("spec") or {}).get("volumes") or ():
        claim = volume.get("persistentVolumeClaim")
        if claim is not None:
            yield volume, claim.get("claimName", "")
        elif is_ephemeral(volume):
            yield volume, claim_name(pod, volume)


def is_ephemeral(volume: Obj) -> bool:
    """Whether its claim is made for the pod, and goes with it."""
    return volume.get("ephemeral") is not None


def claim_name(pod: Obj, volume: Obj) -> str:
    """The name of the claim of an ephemeral volume."""
    return f"{name_of(pod)}-{volume['name']}"


def claims_of(pod: Obj) -> Iterable[str]:
    """The claims a pod names, as "namespace/name"; those of its ephemeral volumes too."""
    return (f"{namespace_of(pod)}/{name}" for _, name in claimed(pod))


def ephemeral_claims(pod: Obj) -> Iterable[str]:
    """The claims made for a pod, as "namespace/name"."""
    return (f"{namespace_of(pod)}/{name}" for volume, name in claimed(pod) if is_ephemeral(volume))


def claims_used(pod: Obj) -> Iterable[str]:
    """The claims a pod keeps, when it is on a node, also after it has ended: until it is deleted its data can be looked
    at. One that its node has finished with keeps no ephemeral claims, for these go with it."""
    if not pod["spec"].get("nodeName"):
        return ()
    shut_down = is_deleting(pod) and pod["metadata"].get("deletionGracePeriodSeconds") == 0
    kept = (name for volume, name in claimed(pod) if not (shut_down and is_ephemeral(volume)))
    return (f"{namespace_of(pod)}/{name}" for name in kept)


def foreign(pod: Obj, claim: Obj) -> str:
    """Why a claim of the right name, of an ephemeral volume, is not the pod's, or ""."""
    owner = controller_of(claim)
    if owner is not None and owner.get("uid") == uid_of(pod):
        return ""
    return f"PVC {key_of(claim)} was not created for pod {key_of(pod)} (pod is not owner)"
