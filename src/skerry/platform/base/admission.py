"""What a capability judges before it is written: the contract between capabilities and the webhook server.

A `Hook` says what it wants to see; the server (`program.webhooks`) registers it, reads AdmissionReviews and writes the
answers. A validating hook is called after everything that changes objects, so what it admits is what is stored.
Source: kubernetes.io, "Dynamic Admission Control"; `admission.k8s.io/v1`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import field
from typing import Any, Literal

from skerry.kube.objects import Obj
from skerry.kube.records import record

Operation = Literal["CREATE", "UPDATE", "DELETE", "CONNECT"]


@record
class Review:
    """One request, as the API server tells it."""

    uid: str
    operation: Operation
    group: str
    version: str
    plural: str
    subresource: str
    namespace: str
    name: str
    user: str
    groups: frozenset[str]
    object: Obj
    """As it would be stored; {} for DELETE."""
    old: Obj
    """As it is stored; {} for CREATE."""
    dry_run: bool
    """Nothing will be stored: nothing may be noted."""


@record
class Verdict:
    """Refused with `message` unless it is ""; the code and reason are those of the Status that the caller is given."""

    message: str = ""
    code: int = 403
    reason: str = "Forbidden"
    patch: Sequence[Obj] = ()
    """A JSON patch (RFC 6902), of mutating hooks only."""
    warnings: Sequence[str] = ()


ADMITTED = Verdict()


@record
class Hook:
    """One webhook of one capability."""

    name: str
    """A DNS label, unique: "project-quota"."""
    judge: Callable[[Review], Awaitable[Verdict]]
    """A failure of it refuses the request (`failurePolicy: Fail`)."""
    rules: Sequence[Obj]
    """`apiGroups`, `apiVersions`, `resources`, `operations`, `scope`, as webhook configurations have them."""
    mutating: bool = False
    namespaces: Obj = field(default_factory=dict)
    """`namespaceSelector`. Whoever has to work while the platform is down must not be selected."""
    conditions: Sequence[Obj] = ()
    """`matchConditions`: CEL that spares calls."""
    more: dict[str, Any] = field(default_factory=dict)
    """Further fields of the webhook, e.g. `sideEffects: NoneOnDryRun`; that is the default for all."""
