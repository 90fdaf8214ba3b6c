"""What to do for a Deployment now: pure, from the Deployment and its ReplicaSets.

Neighbours: `sizes` does the arithmetic, `template` and `annotations` say what a ReplicaSet looks like; `controller`
carries the plan out. One ReplicaSet is `current` (its template is the Deployment's), all others are old.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field

from skerry.engine.controllers.deployment import annotations as notes
from skerry.engine.controllers.deployment.sizes import (
    Limits,
    Sizes,
    has_pods,
    is_rolling,
    is_scaling,
    limits_of,
    new_size,
    pods_of,
    replicas_of,
    rolling_sizes,
    scaled_sizes,
    stopped,
)
from skerry.engine.controllers.deployment.template import build_replica_set, find_current
from skerry.kube.objects import Obj, is_deleting, name_of, uid_of
from skerry.kube.records import record


@record
class Plan:
    """`create`: the ReplicaSet to make. `patches`: by name, merge patches of existing ones. `revision`: what the
    Deployment is to carry, "" for no change. `delete`: history beyond its limit. `rolling_out`: whether the Progressing
    condition is to be kept up (not while paused or only scaling)."""

    current: Obj | None
    others: list[Obj]
    create: Obj | None = None
    patches: dict[str, Obj] = field(default_factory=dict)
    revision: str = ""
    delete: list[Obj] = field(default_factory=list)
    rolling_out: bool = True


def plan(deployment: Obj, sets: Sequence[Obj]) -> Plan:
    """The next step."""
    current = find_current(deployment, sets)
    others = [one for one in sets if one is not current]
    limits = limits_of(deployment)
    spec = deployment["spec"]
    rolling = is_rolling(deployment)
    if is_deleting(deployment):
        return Plan(current, others, rolling_out=False)
    if spec.get("paused") or is_scaling(deployment, sets):
        return _scaling(deployment, limits, current, others)
    if not rolling and (any(has_pods(one) or replicas_of(one) for one in others)):
        return Plan(current, others, patches=_patches(deployment, limits, stopped(others), None, others))
    if current is None:
        return _creation(deployment, limits, others)
    sizes = rolling_sizes(limits, current, others) if rolling else {name_of(current): limits.wanted}
    revision = notes.next_revision(others)
    return Plan(
        current,
        others,
        patches=_patches(deployment, limits, sizes, current, others),
        revision=_revision(deployment, max(revision, notes.number(current, notes.REVISION))),
        delete=history_to_delete(deployment, others) if is_complete(deployment, limits) else [],
    )


def _scaling(deployment: Obj, limits: Limits, current: Obj | None, others: list[Obj]) -> Plan:
    sizes = scaled_sizes(limits, is_rolling(deployment), current, others)
    sized = notes.size_annotations(deployment, limits.surge)
    everyone = [one for one in (current, *others) if one is not None]
    resized = [one for one in everyone if replicas_of(one) > 0 or name_of(one) in sizes]
    patches = {name_of(one): _patch(one, sized, sizes.get(name_of(one))) for one in resized}
    delete = history_to_delete(deployment, others) if deployment["spec"].get("paused") else []
    return Plan(current, others, patches=_needed(patches), delete=delete, rolling_out=False)


def _creation(deployment: Obj, limits: Limits, others: list[Obj]) -> Plan:
    revision = notes.next_revision(others)
    size = new_size(limits, 0, sum(pods_of(one) for one in others))
    written = {
        **notes.current_annotations(deployment, revision, None),
        **notes.size_annotations(deployment, limits.surge),
    }
    made = build_replica_set(deployment, size, written)
    return Plan(None, others, create=made, revision=_revision(deployment, revision))


def _patches(
    deployment: Obj, limits: Limits, sizes: Sizes, current: Obj | None, others: Sequence[Obj]
) -> dict[str, Obj]:
    sized = notes.size_annotations(deployment, limits.surge)
    patches = {name_of(one): _patch(one, sized, sizes[name_of(one)]) for one in others if name_of(one) in sizes}
    if current is not None:
        wanted = {**notes.current_annotations(deployment, notes.next_revision(others), current), **sized}
        patch = _patch(current, wanted, sizes.get(name_of(current)))
        minimum = deployment["spec"].get("minReadySeconds") or 0
        if (current["spec"].get("minReadySeconds") or 0) != minimum:
            patch["spec"] = {**patch.get("spec", {}), "minReadySeconds": minimum}
        patches[name_of(current)] = patch
    return _needed(patches)


def _patch(replica_set: Obj, annotations: dict[str, str], size: int | None) -> Obj:
    patch: Obj = {}
    different = notes.changed(replica_set, annotations)
    if different:
        patch["metadata"] = {"annotations": different}
    if size is not None and size != replicas_of(replica_set):
        patch["spec"] = {"replicas": size}
    return patch


def _needed(patches: dict[str, Obj]) -> dict[str, Obj]:
    return {name: patch for name, patch in patches.items() if patch}


def _revision(deployment: Obj, revision: int) -> str:
    return str(revision) if notes.number(deployment, notes.REVISION) != revision else ""


def is_complete(deployment: Obj, limits: Limits) -> bool:
    """Whether the rollout is done by the Deployment's last status."""
    status = deployment.get("status") or {}
    counts = {int(status.get(name) or 0) for name in ("updatedReplicas", "replicas", "availableReplicas")}
    observed = int(status.get("observedGeneration") or 0) >= int(deployment["metadata"].get("generation") or 0)
    return counts == {limits.wanted} and observed


def history_to_delete(deployment: Obj, others: Sequence[Obj]) -> list[Obj]:
    """The oldest of the unused ReplicaSets beyond `revisionHistoryLimit`."""
    limit = deployment["spec"].get("revisionHistoryLimit", 10)
    kept = [one for one in others if not is_deleting(one)]
    surplus = len(kept) - int(limit)
    if surplus <= 0:
        return []
    oldest = sorted(kept, key=lambda one: (notes.number(one, notes.REVISION), uid_of(one)))[:surplus]
    return [one for one in oldest if replicas_of(one) == 0 and not has_pods(one)]
