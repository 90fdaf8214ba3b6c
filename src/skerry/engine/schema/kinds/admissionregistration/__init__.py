"""admissionregistration.k8s.io/v1: webhooks and policies that have a say in other people's writes.

What they do is in `engine.api.admission.webhooks` and `.policies`; here is what makes them valid.
"""

from __future__ import annotations

from typing import Any

from skerry.engine.schema.kinds.admissionregistration.policies import (
    MutatingBindingStrategy,
    MutatingPolicyStrategy,
    ValidatingBindingStrategy,
    ValidatingPolicyStrategy,
)
from skerry.engine.schema.kinds.admissionregistration.webhooks import WebhookStrategy
from skerry.engine.schema.kinds.declare import STATUS, Group

GROUP = Group("admissionregistration.k8s.io", "v1", "io.k8s.api.admissionregistration")
_SHARED: dict[str, Any] = {"namespaced": False, "categories": ("api-extensions",)}

KINDS = [
    GROUP.kind(
        "mutatingadmissionpolicies", "MutatingAdmissionPolicy", **_SHARED, strategy=MutatingPolicyStrategy()
    ),
    GROUP.kind(
        "mutatingadmissionpolicybindings", "MutatingAdmissionPolicyBinding", **_SHARED,
        strategy=MutatingBindingStrategy(),
    ),
    GROUP.kind(
        "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", **_SHARED,
        strategy=WebhookStrategy(mutating=True),
    ),
    GROUP.kind(
        "validatingadmissionpolicies", "ValidatingAdmissionPolicy", **_SHARED, subresources=STATUS,
        strategy=ValidatingPolicyStrategy(),
    ),
    GROUP.kind(
        "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", **_SHARED,
        strategy=ValidatingBindingStrategy(),
    ),
    GROUP.kind(
        "validatingwebhookconfigurations", "ValidatingWebhookConfiguration", **_SHARED,
        strategy=WebhookStrategy(mutating=False),
    ),
]  # fmt: skip
