"""admissionregistration.k8s.io/v1: objects only; no webhook or policy is called yet."""

from __future__ import annotations

from skerry.engine.schema.kinds.declare import STATUS, Group
from skerry.engine.schema.strategies import CountedStrategy, SpecStrategy

GROUP = Group("admissionregistration.k8s.io", "v1", "io.k8s.api.admissionregistration")


class WebhookStrategy(CountedStrategy):
    """Webhook configurations have no spec: their list is what counts."""

    counted = ("webhooks",)


KINDS = [
    GROUP.kind(
        "mutatingadmissionpolicies",
        "MutatingAdmissionPolicy",
        namespaced=False,
        categories=("api-extensions",),
        strategy=CountedStrategy(),
    ),
    GROUP.kind(
        "mutatingadmissionpolicybindings",
        "MutatingAdmissionPolicyBinding",
        namespaced=False,
        categories=("api-extensions",),
        strategy=CountedStrategy(),
    ),
    GROUP.kind(
        "mutatingwebhookconfigurations",
        "MutatingWebhookConfiguration",
        namespaced=False,
        categories=("api-extensions",),
        strategy=WebhookStrategy(),
    ),
    GROUP.kind(
        "validatingadmissionpolicies",
        "ValidatingAdmissionPolicy",
        namespaced=False,
        categories=("api-extensions",),
        subresources=STATUS,
        strategy=SpecStrategy(),
    ),
    GROUP.kind(
        "validatingadmissionpolicybindings",
        "ValidatingAdmissionPolicyBinding",
        namespaced=False,
        categories=("api-extensions",),
        strategy=CountedStrategy(),
    ),
    GROUP.kind(
        "validatingwebhookconfigurations",
        "ValidatingWebhookConfiguration",
        namespaced=False,
        categories=("api-extensions",),
        strategy=WebhookStrategy(),
    ),
]
