"""The PersistentVolumeClaims of a StatefulSet's pods: their names, what is created, and who owns them when. Pure.

Source: Kubernetes `stateful_set_utils.go` (`getPersistentVolumeClaims`, `updateClaimOwnerRefForSetAndPod`). A claim is
created once and never overwritten; only owner references change, as `persistentVolumeClaimRetentionPolicy` says, and
the garbage collector does the rest.
"""

from __future__ import annotations

from collections.abc import Iterable

from skerry.kube.objects import Obj, Resource, name_of, namespace_of, owner_reference, uid_of
from skerry.kube.resources import PERSISTENT_VOLUME_CLAIMS, PODS, STATEFUL_SETS


def claim_names(owner: Obj, ordinal: int) -> dict[str, str]:
    """By the name of each template (which is the volume's), the name of the claim of an ordinal."""
    names = (name_of(template) for template in owner["spec"].get("volumeClaimTemplates") or ())
    return {name: f"{name}-{name_of(owner)}-{ordinal}" for name in names}


def build_claims(owner: Obj, ordinal: int) -> list[Obj]:
    """The claims a new pod of this ordinal needs, owned as the retention policy says."""
    names = claim_names(owner, ordinal)
    selected = (owner["spec"].get("selector") or {}).get("matchLabels") or {}
    return [
        _build(owner, template, names[name_of(template)], selected)
        for template in owner["spec"].get("volumeClaimTemplates") or ()
    ]


def _build(owner: Obj, template: Obj, name: str, selected: dict[str, str]) -> Obj:
    given = template.get("metadata") or {}
    metadata: Obj = {key: given[key] for key in ("annotations", "finalizers") if given.get(key)}
    metadata |= {"name": name, "namespace": namespace_of(owner)}
    metadata["labels"] = {**(given.get("labels") or {}), **selected}
    if _policy(owner)[0]:
        metadata["ownerReferences"] = [owner_reference(owner, STATEFUL_SETS)]
    return {
        "apiVersion": PERSISTENT_VOLUME_CLAIMS.api_version,
        "kind": PERSISTENT_VOLUME_CLAIMS.kind,
        "metadata": metadata,
        "spec": template.get("spec") or {},
    }


def wanted_owners(claim: Obj, owner: Obj, pod: Obj, *, condemned: bool) -> list[Obj]:
    """The owner references a claim should have. `condemned`: its pod is being scaled away.

    Deleting with the set is by a reference to the set, deleting when scaled down by one to the pod; a claim that
    somebody else controls keeps that controller and gets neither.
    """
    references = claim["metadata"].get("ownerReferences") or []
    others = [one for one in references if not _names(one, owner, STATEFUL_SETS) and not _names(one, pod, PODS)]
    if any(one.get("controller") for one in others):
        return others
    with_set, with_scaling = _policy(owner)
    if condemned and with_scaling:
        return [*others, owner_reference(pod, PODS)]
    return [*others, owner_reference(owner, STATEFUL_SETS)] if with_set else others


def is_stale(claim: Obj, pod_name: str) -> bool:
    """Whether the claim is about to go with a pod of that name that is already gone."""
    return any(_is(one, PODS) and one.get("name") == pod_name for one in _owners(claim))


def changed_owners(claim: Obj, owner: Obj, pod: Obj, *, condemned: bool) -> list[Obj] | None:
    """`wanted_owners` when they differ from what the claim has."""
    wanted = wanted_owners(claim, owner, pod, condemned=condemned)
    return None if _compared(wanted) == _compared(_owners(claim)) else wanted


def _policy(owner: Obj) -> tuple[bool, bool]:
    """Whether claims go with the set, and when it is scaled down."""
    policy = owner["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
    return policy.get("whenDeleted") == "Delete", policy.get("whenScaled") == "Delete"


def _owners(claim: Obj) -> list[Obj]:
    return claim["metadata"].get("ownerReferences") or []


def _is(reference: Obj, resource: Resource) -> bool:
    return bool(reference.get("kind") == resource.kind and reference.get("apiVersion") == resource.api_version)


def _names(reference: Obj, obj: Obj, resource: Resource) -> bool:
    return _is(reference, resource) and bool(reference.get("name") == name_of(obj) or reference["uid"] == uid_of(obj))


def _compared(references: Iterable[Obj]) -> set[tuple[str, bool]]:
    return {(one["uid"], bool(one.get("controller"))) for one in references}
