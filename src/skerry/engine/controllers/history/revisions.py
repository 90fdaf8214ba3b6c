"""What a ControllerRevision holds, and which one stands for the template of today. Pure.

Source: Kubernetes `pkg/controller/history` and the `getPatch` of both controllers. The data is a strategic merge patch
that puts the template back; `kubectl rollout history` and `undo` read it and compare it byte by byte with one that has
its keys sorted, so ours are sorted too. Neighbour: `keeper`, which acts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import orjson

from skerry.engine.controllers.hashes import short_hash
from skerry.kube.objects import Obj, Resource, annotations_of, name_of, namespace_of, owner_reference
from skerry.kube.resources import CONTROLLER_REVISIONS

_LONGEST_PREFIX = 223  # characters of the owner's name in the revision's


def patch_of(owner: Obj) -> Obj:
    """The data of a revision for the owner's template of today, its keys sorted; empty metadata makes no difference."""
    own = owner["spec"]["template"]
    metadata = {key: value for key, value in (own.get("metadata") or {}).items() if value}
    template = {"$patch": "replace", **own, "metadata": metadata}
    patch: Obj = orjson.loads(orjson.dumps({"spec": {"template": template}}, option=orjson.OPT_SORT_KEYS))
    return patch


def template_of(revision: Obj, owner: Obj) -> Obj:
    """The template a revision holds; the owner's own when somebody made a revision that holds none."""
    held = ((revision.get("data") or {}).get("spec") or {}).get("template")
    if not isinstance(held, dict) or "spec" not in held:
        own: Obj = owner["spec"]["template"]
        return own
    return {key: value for key, value in held.items() if key != "$patch"}


def number_of(revision: Obj) -> int:
    """`revision`: counts up with every new or reinstated template."""
    return int(revision.get("revision") or 0)


def by_number(revisions: Iterable[Obj]) -> list[Obj]:
    """Oldest first."""
    return sorted(
        revisions, key=lambda one: (number_of(one), one["metadata"].get("creationTimestamp", ""), name_of(one))
    )


def newest_equal(revisions: Sequence[Obj], patch: Obj) -> Obj | None:
    """The newest of the sorted revisions that holds `patch`."""
    return next((one for one in reversed(revisions) if one.get("data") == patch), None)


def next_number(revisions: Sequence[Obj]) -> int:
    """One more than that of the newest of the sorted revisions."""
    return number_of(revisions[-1]) + 1 if revisions else 1


def build_revision(owner: Obj, owners: Resource, hash_label: str, number: int, collisions: int) -> Obj:
    """The revision to create for the owner's template of today. `hash_label` is where its hash is written down."""
    patch = patch_of(owner)
    hashed = short_hash(patch, collisions)
    labels = (owner["spec"]["template"].get("metadata") or {}).get("labels") or {}
    metadata: Obj = {
        "name": f"{name_of(owner)[:_LONGEST_PREFIX]}-{hashed}",
        "namespace": namespace_of(owner),
        "labels": {**labels, hash_label: hashed},
        "ownerReferences": [owner_reference(owner, owners)],
    }
    if annotations_of(owner):
        metadata["annotations"] = dict(annotations_of(owner))
    return {
        "apiVersion": CONTROLLER_REVISIONS.api_version,
        "kind": CONTROLLER_REVISIONS.kind,
        "metadata": metadata,
        "data": patch,
        "revision": number,
    }


def surplus(revisions: Sequence[Obj], in_use: Collection[str], excess: int) -> list[Obj]:
    """The oldest `excess` of the sorted revisions, those whose names are `in_use` left out."""
    idle = [one for one in revisions if name_of(one) not in in_use]
    return idle[: max(excess, 0)]
