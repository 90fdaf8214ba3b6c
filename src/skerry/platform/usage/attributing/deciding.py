"""Whose an object is, and what is to be changed so that it says so. Pure.

Who makes something is whose it is. What a controller of the cluster makes belongs to whom its owner belongs. Nobody
says it for himself: what a manifest carries is replaced, and it never changes afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from skerry.kube.objects import Obj, annotations_of
from skerry.platform.usage.types import USER_ANNOTATION

_SYSTEM = "system:"
_ACCOUNT = "system:serviceaccount:"
_HELM, _HELM_HOOK = "meta.helm.sh", "helm.sh/hook"
_PATH = "/metadata/annotations"


def account_namespace(user: str) -> str:
    """The namespace of a service account; "" for everybody else."""
    return user.removeprefix(_ACCOUNT).partition(":")[0] if user.startswith(_ACCOUNT) else ""


def acts_for_others(user: str, *, of_project: bool) -> bool:
    """Whether somebody belongs to the cluster itself. `of_project`: a service account of some project's namespace,
    which is the project's own program."""
    return user.startswith(_SYSTEM) and not of_project


def annotated(obj: Obj, user: str) -> Sequence[Obj]:
    """The JSON patch after which it says `user`; "" for nobody."""
    annotations = annotations_of(obj)
    if annotations.get(USER_ANNOTATION, "") == user:
        return ()
    key = f"{_PATH}/{USER_ANNOTATION.replace('/', '~1')}"
    if not user:
        return ({"op": "remove", "path": key},)
    if not annotations:
        return ({"op": "add", "path": _PATH, "value": {USER_ANNOTATION: user}},)
    return ({"op": "add", "path": key, "value": user},)


def release_of(obj: Obj, namespace: str) -> str:
    """The release that something is a part of, as Helm notes on all it makes. Hooks carry no note of Helm's, but what
    a chart writes: they are nobody's."""
    said = annotations_of(obj)
    if said.get(f"{_HELM}/release-namespace") != namespace or _HELM_HOOK in said:
        return ""
    return said.get(f"{_HELM}/release-name", "")


def stateful_sets_of(claim: str) -> Iterator[tuple[str, str]]:
    """StatefulSets that may have made a claim of this name, each with the name of its template: `data-my-db-0` is of
    `my-db`, or of `db` with the template `data-my`. Such claims carry no owner."""
    *parts, ordinal = claim.split("-")
    if ordinal.isdecimal():
        for place in range(1, len(parts)):
            yield "-".join(parts[place:]), "-".join(parts[:place])
