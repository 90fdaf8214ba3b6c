"""Groups that belong to Kubernetes itself need a word of approval in an annotation.

Source: `pkg/apihelpers/helpers.go` of the apiextensions server (KEP 1111).
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from skerry.engine.schema.causes import shown
from skerry.kube.objects import Obj, annotations_of

ANNOTATION = "api-approved.kubernetes.io"
_KEP = "https://github.com/kubernetes/enhancements/pull/1111"


class Approval(NamedTuple):
    """`reason` as in the condition; `message` for people."""

    reason: str
    message: str


def is_protected(group: str) -> bool:
    """Whether a group is Kubernetes' own."""
    return group in ("k8s.io", "kubernetes.io") or group.endswith((".k8s.io", ".kubernetes.io"))


def approval_of(definition: Obj) -> Approval:
    """What the annotation says."""
    said = annotations_of(definition).get(ANNOTATION, "")
    needed = f'protected groups must have approval annotation "{ANNOTATION}"'
    if not said:
        return Approval("MissingAnnotation", f"{needed}, see {_KEP}")
    if said.startswith("unapproved"):
        return Approval("UnapprovedAnnotation", f"not approved: {shown(said)}")
    url = urlsplit(said)
    if url.scheme and url.netloc:
        return Approval("ApprovedAnnotation", f"approved in {said}")
    return Approval(
        "InvalidAnnotation", f'{needed} with either a URL or a reason starting with "unapproved", see {_KEP}'
    )
