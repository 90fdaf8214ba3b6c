"""From a Deployment's pod template to its ReplicaSet: the hash in its name, the labels, and which one is current.

Source: Kubernetes `pkg/controller/deployment/util`.
"""

from __future__ import annotations

from collections.abc import Sequence

from skerry.engine.controllers.hashes import short_hash
from skerry.kube.objects import Obj, name_of, namespace_of, owner_reference
from skerry.kube.resources import DEPLOYMENTS

HASH_LABEL = "pod-template-hash"


def template_hash(deployment: Obj) -> str:
    """A short name for the template; another one for each collision there has been."""
    collisions = int((deployment.get("status") or {}).get("collisionCount") or 0)
    return short_hash(plain_template(deployment), collisions)


def plain_template(owner: Obj) -> Obj:
    """The template of a Deployment or ReplicaSet without the hash label and without what is empty in its metadata."""
    template = owner["spec"]["template"]
    metadata = dict(template.get("metadata") or {})
    metadata["labels"] = {key: value for key, value in (metadata.get("labels") or {}).items() if key != HASH_LABEL}
    return {**template, "metadata": {key: value for key, value in metadata.items() if value}}


def find_current(deployment: Obj, sets: Sequence[Obj]) -> Obj | None:
    """The ReplicaSet of the Deployment's template; the oldest, if there should be several."""
    wanted = plain_template(deployment)
    return next((one for one in by_age(sets) if plain_template(one) == wanted), None)


def by_age(sets: Sequence[Obj]) -> list[Obj]:
    """Oldest first."""
    return sorted(sets, key=lambda one: (one["metadata"].get("creationTimestamp", ""), name_of(one)))


def build_replica_set(deployment: Obj, replicas: int, annotations: dict[str, str]) -> Obj:
    """The ReplicaSet for the Deployment's template."""
    spec = deployment["spec"]
    hashed = {HASH_LABEL: template_hash(deployment)}
    template = plain_template(deployment)
    labels = {**(template["metadata"].get("labels") or {}), **hashed}
    selector = spec["selector"]
    body: Obj = {
        "replicas": replicas,
        "selector": {**selector, "matchLabels": {**(selector.get("matchLabels") or {}), **hashed}},
        "template": {**template, "metadata": {**template["metadata"], "labels": labels}},
    }
    if spec.get("minReadySeconds"):
        body["minReadySeconds"] = spec["minReadySeconds"]
    metadata = {
        "name": f"{name_of(deployment)}-{hashed[HASH_LABEL]}",
        "namespace": namespace_of(deployment),
        "labels": labels,
        "annotations": annotations,
        "ownerReferences": [owner_reference(deployment, DEPLOYMENTS)],
    }
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata, "spec": body}
