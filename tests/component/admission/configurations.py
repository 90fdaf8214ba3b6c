"""Short ways to write webhook configurations, policies and bindings down."""

from __future__ import annotations

from typing import Any

from skerry.kube.objects import Obj, Resource
from tests.support.webhook import Webhook

GROUP = "admissionregistration.k8s.io"
VALIDATING = Resource(GROUP, "v1", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration", False)
MUTATING = Resource(GROUP, "v1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", False)
POLICIES = Resource(GROUP, "v1", "validatingadmissionpolicies", "ValidatingAdmissionPolicy", False)
BINDINGS = Resource(GROUP, "v1", "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", False)
MUTATIONS = Resource(GROUP, "v1", "mutatingadmissionpolicies", "MutatingAdmissionPolicy", False)
MUTATION_BINDINGS = Resource(GROUP, "v1", "mutatingadmissionpolicybindings", "MutatingAdmissionPolicyBinding", False)
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", False)
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")


def rule(resources: str = "configmaps", group: str = "", **more: Any) -> Obj:
    """A rule for all operations on some resources."""
    return {"operations": ["*"], "apiGroups": [group], "apiVersions": ["v1"], "resources": resources.split(), **more}


def hook(webhook: Webhook | str, name: str = "a.example.com", **more: Any) -> Obj:
    """A webhook on ConfigMaps. `webhook`: a running one, or a URL."""
    client = {"url": webhook} if isinstance(webhook, str) else {"url": webhook.url, "caBundle": webhook.bundle}
    return {
        "name": name, "clientConfig": client, "rules": [rule()], "sideEffects": "None",
        "admissionReviewVersions": ["v1"], **more,
    }  # fmt: skip


def configuration(*hooks: Obj, name: str = "hooks") -> Obj:
    """A webhook configuration of either kind."""
    return {"metadata": {"name": name}, "webhooks": list(hooks)}


def config_map(name: str = "x", data: dict[str, str] | None = None, **metadata: Any) -> Obj:
    """A ConfigMap."""
    return {"metadata": {"name": name, **metadata}, "data": data or {}}


def policy(*validations: Obj, name: str = "policy", rules: list[Obj] | None = None, **spec: Any) -> Obj:
    """A validating policy on ConfigMaps."""
    constraints = {"resourceRules": rules or [rule()]}
    return {
        "metadata": {"name": name},
        "spec": {"matchConstraints": constraints, "validations": list(validations), **spec},
    }


def binding(*actions: str, name: str = "binding", to: str = "policy", **spec: Any) -> Obj:
    """A binding of a validating policy."""
    return {
        "metadata": {"name": name},
        "spec": {"policyName": to, "validationActions": list(actions or ("Deny",)), **spec},
    }
