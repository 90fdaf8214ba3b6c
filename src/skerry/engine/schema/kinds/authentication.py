"""authentication.k8s.io/v1: questions about credentials, answered and not stored (`engine.api.reviews`)."""

from __future__ import annotations

from skerry.engine.schema.kinds.declare import Group

GROUP = Group("authentication.k8s.io", "v1", "io.k8s.api.authentication")

KINDS = [
    GROUP.kind("tokenreviews", "TokenReview", namespaced=False, verbs=("create",)),
    GROUP.kind("selfsubjectreviews", "SelfSubjectReview", namespaced=False, verbs=("create",)),
]
