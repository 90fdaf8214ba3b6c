"""What the API server itself notes: that what a person makes is that person's. Spares most writes of people a webhook.

A policy sees who asks and the object, and that is all it takes; whose something is that the cluster's controllers make
needs looking up, by the webhook (`hook`), which is not asked about people. Source: kubernetes.io, "Mutating Admission
Policy"; `admissionregistration.k8s.io/v1`.
"""

from __future__ import annotations

from collections.abc import Sequence

from skerry.kube.objects import Obj
from skerry.platform.base.kinds import GROUP
from skerry.platform.usage.projects import PROJECT_LABEL, RELEASES
from skerry.platform.usage.types import USER_ANNOTATION

IS_PERSON = "!request.userInfo.username.startsWith('system:')"
IN_PROJECTS: Obj = {"matchExpressions": [{"key": PROJECT_LABEL, "operator": "Exists"}]}
_NAME = "skerry-usage-user"
_RESOURCES = {
    "": ["pods", "persistentvolumeclaims", "replicationcontrollers"],
    "apps": ["deployments", "replicasets", "statefulsets", "daemonsets"],
    "batch": ["jobs", "cronjobs"],
    "networking.k8s.io": ["ingresses"],
    GROUP: [RELEASES.plural],
}
_NOTED = f"Object{{metadata: Object.metadata{{annotations: {{'{USER_ANNOTATION}': request.userInfo.username}}}}}}"


def rules(*operations: str) -> list[Obj]:
    """What belongs to somebody."""
    return [
        {"apiGroups": [group], "apiVersions": ["*"], "resources": names, "operations": list(operations)}
        for group, names in _RESOURCES.items()
    ]


def policy() -> Sequence[Obj]:
    """The policy and its binding."""
    version = "admissionregistration.k8s.io/v1"
    spec: Obj = {
        "matchConstraints": {"namespaceSelector": IN_PROJECTS, "resourceRules": rules("CREATE")},
        "matchConditions": [{"name": "person", "expression": IS_PERSON}],
        "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": _NOTED}}],
        "failurePolicy": "Fail",
        "reinvocationPolicy": "Never",
    }
    metadata = {"name": _NAME}
    return [
        {"apiVersion": version, "kind": "MutatingAdmissionPolicy", "metadata": metadata, "spec": spec},
        {
            "apiVersion": version,
            "kind": "MutatingAdmissionPolicyBinding",
            "metadata": metadata,
            "spec": {"policyName": _NAME},
        },
    ]
