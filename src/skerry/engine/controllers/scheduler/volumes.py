"""What the claims of a pod say about where it can go. Pure, but for the look into caches that it is given.

Source: Kubernetes' plug-in `volumebinding`. A claim that is bound allows the nodes its volume can be reached from. One
that waits for its first consumer allows all; when a node is chosen its name is written on the claim, and the pod is
bound when the claim is. Any other claim is refused by name, for nobody here would bind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import field

from skerry.engine.controllers.scheduler.filters import Objection
from skerry.engine.controllers.scheduler.node_affinity import matches_term
from skerry.engine.controllers.scheduler.node_state import NodeState
from skerry.kube.objects import Obj, annotations_of, name_of, namespace_of
from skerry.kube.records import record

SELECTED_NODE = "volume.kubernetes.io/selected-node"
_COMPLETED = "pv.kubernetes.io/bind-completed"
OUT_OF_REACH = Objection(("node(s) didn't match PersistentVolume's node affinity",), False)
NO_VOLUME = Objection(("node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)",), False)


@record
class Storage:
    """The caches: claims by name and namespace, volumes and classes by name."""

    claim: Callable[[str, str], Obj | None]
    volume: Callable[[str], Obj | None]
    storage_class: Callable[[str], Obj | None]


@record
class VolumeNeeds:
    """`refusal`: why the pod can go nowhere, or "". `volumes`: of the claims that are bound, None for one that is not
    there. `unbound`: claims that wait for a node to be chosen."""

    refusal: str = ""
    volumes: Sequence[Obj | None] = ()
    unbound: Sequence[Obj] = field(default=())

    def objection(self, state: NodeState) -> Objection | None:
        """Why the volumes keep the pod from a node."""
        for volume in self.volumes:
            if volume is None:
                return NO_VOLUME
            if not reaches(volume, state):
                return OUT_OF_REACH
        return None


def claims_of(pod: Obj) -> Iterator[tuple[str, str, str]]:
    """Name of the volume, its kind, and name of the claim."""
    for volume in pod["spec"].get("volumes") or ():
        claim = volume.get("persistentVolumeClaim")
        if claim is not None:
            yield volume["name"], "persistentVolumeClaim", claim.get("claimName", "")
        elif volume.get("ephemeral") is not None:
            yield volume["name"], "ephemeral", f"{name_of(pod)}-{volume['name']}"


def needs_of(pod: Obj, storage: Storage) -> VolumeNeeds | None:
    """None for a pod without claims."""
    volumes: list[Obj | None] = []
    unbound: list[Obj] = []
    found = False
    for volume, kind, name in claims_of(pod):
        found = True
        claim = storage.claim(name, namespace_of(pod))
        if claim is not None and is_bound(claim):
            volumes.append(storage.volume(claim["spec"]["volumeName"]))
        elif claim is not None and _waits_for_consumer(claim, storage):
            unbound.append(claim)
        else:
            return VolumeNeeds(f'volume "{volume}" is of type {kind}, which this release does not support')
    return VolumeNeeds("", volumes, unbound) if found else None


def is_bound(claim: Obj) -> bool:
    """Whether both sides agree."""
    return bool(claim["spec"].get("volumeName")) and (
        _COMPLETED in annotations_of(claim) or (claim.get("status") or {}).get("phase") == "Bound"
    )


def reaches(volume: Obj, state: NodeState) -> bool:
    """Whether the volume can be used on the node."""
    required = ((volume.get("spec") or {}).get("nodeAffinity") or {}).get("required")
    if not required:
        return True
    return any(matches_term(term, state.name, state.labels) for term in required.get("nodeSelectorTerms") or ())


def _waits_for_consumer(claim: Obj, storage: Storage) -> bool:
    known = storage.storage_class(claim["spec"].get("storageClassName") or "")
    return known is not None and known.get("volumeBindingMode") == "WaitForFirstConsumer"
