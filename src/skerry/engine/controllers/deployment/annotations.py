"""What a Deployment writes on its ReplicaSets: revision, history, wanted and largest size, its own annotations.

Source: Kubernetes `pkg/controller/deployment/util`. `kubectl rollout history` and `undo` read the revision.
"""

from __future__ import annotations

from collections.abc import Iterable

from skerry.kube.objects import Obj, annotations_of

REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"
_NOT_COPIED = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        "deprecated.deployment.rollback.to",
        REVISION,
        HISTORY,
        DESIRED,
        MAXIMUM,
    }
)
_LONGEST_HISTORY = 2000  # characters


def number(obj: Obj, annotation: str) -> int:
    """A whole number in an annotation; 0 when absent or not a number."""
    text = annotations_of(obj).get(annotation, "")
    return int(text) if text.isdecimal() else 0


def next_revision(others: Iterable[Obj]) -> int:
    """One more than the highest revision of the other ReplicaSets."""
    return max((number(one, REVISION) for one in others), default=0) + 1


def size_annotations(deployment: Obj, surge: int) -> dict[str, str]:
    """The wanted size and the largest allowed during a rollout."""
    wanted = int(deployment["spec"].get("replicas", 1))
    return {DESIRED: str(wanted), MAXIMUM: str(wanted + surge)}


def current_annotations(deployment: Obj, revision: int, current: Obj | None) -> dict[str, str]:
    """What the current ReplicaSet (None: about to be made) should carry, beside sizes."""
    wanted = {key: value for key, value in annotations_of(deployment).items() if key not in _NOT_COPIED}
    had = number(current, REVISION) if current is not None else 0
    if had >= revision:
        return wanted
    wanted[REVISION] = str(revision)
    if current is not None and had:
        wanted[HISTORY] = _longer_history(annotations_of(current).get(HISTORY, ""), had)
    return wanted


def changed(obj: Obj, wanted: dict[str, str]) -> dict[str, str]:
    """Those of the wanted annotations that the object does not have so."""
    has = annotations_of(obj)
    return {key: value for key, value in wanted.items() if has.get(key) != value}


def _longer_history(history: str, revision: int) -> str:
    listed = [entry for entry in history.split(",") if entry] + [str(revision)]
    while len(",".join(listed)) > _LONGEST_HISTORY:
        listed.pop(0)
    return ",".join(listed)
