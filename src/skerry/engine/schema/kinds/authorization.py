"""authorization.k8s.io/v1: questions about rights, answered and not stored (`engine.api.reviews`).

Source: Kubernetes' `pkg/apis/authorization/validation`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from skerry.engine.schema.causes import invalid, required
from skerry.engine.schema.contract import Strategy
from skerry.engine.schema.kinds.declare import Group
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

GROUP = Group("authorization.k8s.io", "v1", "io.k8s.api.authorization")


class AccessReviewStrategy(Strategy):
    """Somebody, and either a resource or a path."""

    def validate(self, obj: Obj) -> list[Cause]:
        """The rules of the three kinds of access review."""
        return list(_check(obj))


def _check(obj: Obj) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if resource is not None and path is not None:
        why = "cannot be specified in combination with resourceAttributes"
        yield invalid("spec.nonResourceAttributes", path, why)
    if resource is None and path is None:
        why = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        yield invalid("spec.resourceAttributes", None, why)
    for kind in ("fieldSelector", "labelSelector"):
        if isinstance(resource, dict) and resource.get(kind) is not None:
            yield from _check_selector(resource[kind], f"spec.resourceAttributes.{kind}")
    if obj["kind"] != "SelfSubjectAccessReview" and not spec.get("user") and not spec.get("groups"):
        yield invalid("spec.user", spec.get("user", ""), "at least one of user or group must be specified")
    yield from _check_metadata(obj, resource, path)


def _check_metadata(obj: Obj, resource: Obj | None, path: Obj | None) -> Iterator[Cause]:
    local = obj["kind"] == "LocalSubjectAccessReview"
    allowed = ("namespace", "managedFields") if local else ("managedFields",)
    given = {name: value for name, value in obj["metadata"].items() if value and name not in allowed}
    if given:
        yield invalid("metadata", given, "must be empty except for namespace" if local else "must be empty")
    if not local:
        return
    if resource is not None and resource.get("namespace", "") != obj["metadata"].get("namespace", ""):
        where = resource.get("namespace", "")
        yield invalid("spec.resourceAttributes.namespace", where, "must match metadata.namespace")
    if path is not None:
        yield invalid("spec.nonResourceAttributes", path, "disallowed on this kind of request")


def _check_selector(selector: Obj, field: str) -> Iterator[Cause]:
    raw, requirements = selector.get("rawSelector"), selector.get("requirements")
    if raw and requirements:
        yield invalid(f"{field}.rawSelector", raw, "may not specified at the same time as requirements")
    if not raw and not requirements:
        why = f"when {field} is specified, requirements or rawSelector is required"
        yield required(f"{field}.requirements", why)


_ASKED: dict[str, Any] = {"verbs": ("create",), "strategy": AccessReviewStrategy()}
KINDS = [
    GROUP.kind("localsubjectaccessreviews", "LocalSubjectAccessReview", **_ASKED),
    GROUP.kind("selfsubjectaccessreviews", "SelfSubjectAccessReview", namespaced=False, **_ASKED),
    GROUP.kind("selfsubjectrulesreviews", "SelfSubjectRulesReview", namespaced=False, verbs=("create",)),
    GROUP.kind("subjectaccessreviews", "SubjectAccessReview", namespaced=False, **_ASKED),
]
