"""A valid object of every built-in kind that is stored, as a client would create it: for tests that go over all kinds.

`SAMPLES` is keyed by the resource's name and group as clients write it ("deployments.apps"); every object is called
"sample" unless its kind prescribes another name. What a kind needs beside itself is not needed for storing it.
"""

from __future__ import annotations

import base64
import copy
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

Obj = dict[str, Any]

LABELS = {"app": "sample"}
SELECTOR = {"matchLabels": LABELS}
POD_SPEC: Obj = {"containers": [{"name": "main", "image": "busybox"}]}
TEMPLATE: Obj = {"metadata": {"labels": LABELS}, "spec": POD_SPEC}
_RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
_HOOK = {
    "name": "sample.example.com",
    "clientConfig": {"url": "https://127.0.0.1:1/none"},
    "rules": [{**_RULE, "resources": ["limitranges"]}],
    "failurePolicy": "Ignore",
    "sideEffects": "None",
    "admissionReviewVersions": ["v1"],
    "namespaceSelector": {"matchLabels": {"no-such": "namespace"}},
}
_MATCH = {"resourceRules": [_RULE], "namespaceSelector": {"matchLabels": {"no-such": "namespace"}}}
_CRD_SCHEMA = {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object"}}}}


def certificate_request() -> str:
    """A real request, base64 of its PEM as the API wants it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sample")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return base64.b64encode(request.public_bytes(serialization.Encoding.PEM)).decode()


CORE: dict[str, Obj] = {
    "configmaps": {"data": {"key": "value"}},
    "endpoints": {"subsets": [{"addresses": [{"ip": "10.0.0.1"}], "ports": [{"port": 80}]}]},
    "events": {
        "involvedObject": {"kind": "Pod", "name": "sample", "namespace": "default", "apiVersion": "v1"},
        "reason": "Sampled", "message": "as an example", "type": "Normal", "source": {"component": "test"},
        "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:00:00Z", "count": 1,
    },
    "limitranges": {"spec": {"limits": [{"type": "Container", "max": {"cpu": "100"}}]}},
    "namespaces": {},
    "nodes": {"spec": {"unschedulable": True}},
    "persistentvolumeclaims": {
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    },
    "persistentvolumes": {
        "spec": {
            "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/tmp/sample"},
        }
    },
    "pods": {"metadata": {"labels": LABELS}, "spec": {**POD_SPEC, "schedulerName": "nobody"}},
    "podtemplates": {"template": TEMPLATE},
    "replicationcontrollers": {"spec": {"replicas": 0, "selector": LABELS, "template": TEMPLATE}},
    "resourcequotas": {"spec": {"hard": {"count/leases.coordination.k8s.io": "1000"}}},
    "secrets": {"stringData": {"key": "value"}},
    "serviceaccounts": {},
    "services": {"spec": {"selector": LABELS, "ports": [{"port": 80}]}},
}  # fmt: skip
WORKLOADS: dict[str, Obj] = {
    "controllerrevisions.apps": {"data": {"spec": {}}, "revision": 1},
    "daemonsets.apps": {"spec": {"selector": SELECTOR, "template": TEMPLATE}},
    "deployments.apps": {"spec": {"replicas": 0, "selector": SELECTOR, "template": TEMPLATE}},
    "replicasets.apps": {"spec": {"replicas": 0, "selector": SELECTOR, "template": TEMPLATE}},
    "statefulsets.apps": {
        "spec": {"replicas": 0, "serviceName": "sample", "selector": SELECTOR, "template": TEMPLATE}
    },
    "horizontalpodautoscalers.autoscaling": {
        "spec": {
            "maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "none"},
        }
    },
    "cronjobs.batch": {
        "spec": {
            "schedule": "0 0 1 1 *", "suspend": True,
            "jobTemplate": {"spec": {"template": {"spec": {**POD_SPEC, "restartPolicy": "Never"}}}},
        }
    },
    "jobs.batch": {
        "spec": {"suspend": True, "template": {"spec": {**POD_SPEC, "restartPolicy": "Never"}}}
    },
    "poddisruptionbudgets.policy": {"spec": {"selector": SELECTOR, "minAvailable": 1}},
}  # fmt: skip
NETWORK: dict[str, Obj] = {
    "endpointslices.discovery.k8s.io": {
        "addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"]}], "ports": [{"port": 80}],
    },
    "ingressclasses.networking.k8s.io": {"spec": {"controller": "example.com/sample"}},
    "ingresses.networking.k8s.io": {
        "spec": {"defaultBackend": {"service": {"name": "sample", "port": {"number": 80}}}}
    },
    "ipaddresses.networking.k8s.io": {
        "metadata": {"name": "10.9.9.9"},
        "spec": {"parentRef": {"resource": "services", "name": "sample", "namespace": "default"}},
    },
    "networkpolicies.networking.k8s.io": {"spec": {"podSelector": SELECTOR}},
    "servicecidrs.networking.k8s.io": {"spec": {"cidrs": ["10.200.0.0/24"]}},
}  # fmt: skip
ACCESS: dict[str, Obj] = {
    "clusterrolebindings.rbac.authorization.k8s.io": {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "nobody"}],
    },
    "clusterroles.rbac.authorization.k8s.io": {
        "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}]
    },
    "rolebindings.rbac.authorization.k8s.io": {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "nobody"}],
    },
    "roles.rbac.authorization.k8s.io": {
        "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}]
    },
    "certificatesigningrequests.certificates.k8s.io": {
        "spec": {"request": certificate_request(), "signerName": "example.com/sample", "usages": ["client auth"]}
    },
    "flowschemas.flowcontrol.apiserver.k8s.io": {
        "spec": {
            "matchingPrecedence": 10000, "priorityLevelConfiguration": {"name": "global-default"},
            "rules": [{
                "subjects": [{"kind": "User", "user": {"name": "nobody"}}],
                "resourceRules": [
                    {"verbs": ["get"], "apiGroups": ["example.com"], "resources": ["none"], "namespaces": ["default"]}
                ],
            }],
        }
    },
    "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": {
        "spec": {"type": "Limited", "limited": {"nominalConcurrencyShares": 2, "limitResponse": {"type": "Reject"}}}
    },
}  # fmt: skip
STORAGE: dict[str, Obj] = {
    "csidrivers.storage.k8s.io": {"spec": {"attachRequired": False}},
    "csinodes.storage.k8s.io": {"spec": {"drivers": [{"name": "sample.example.com", "nodeID": "one"}]}},
    "csistoragecapacities.storage.k8s.io": {"storageClassName": "none", "capacity": "1Gi"},
    "storageclasses.storage.k8s.io": {"provisioner": "example.com/sample"},
    "volumeattachments.storage.k8s.io": {
        "spec": {"attacher": "example.com", "nodeName": "none", "source": {"persistentVolumeName": "none"}}
    },
    "volumeattributesclasses.storage.k8s.io": {"driverName": "sample.example.com", "parameters": {"speed": "high"}},
}  # fmt: skip
ADMISSION: dict[str, Obj] = {
    "mutatingadmissionpolicies.admissionregistration.k8s.io": {
        "spec": {
            "matchConstraints": _MATCH, "reinvocationPolicy": "Never", "failurePolicy": "Ignore",
            "mutations": [{
                "patchType": "ApplyConfiguration",
                "applyConfiguration": {"expression": "Object{data: {'a': 'b'}}"},
            }],
        }
    },
    "mutatingadmissionpolicybindings.admissionregistration.k8s.io": {"spec": {"policyName": "none"}},
    "mutatingwebhookconfigurations.admissionregistration.k8s.io": {"webhooks": [_HOOK]},
    "validatingadmissionpolicies.admissionregistration.k8s.io": {
        "spec": {"matchConstraints": _MATCH, "validations": [{"expression": "true"}]}
    },
    "validatingadmissionpolicybindings.admissionregistration.k8s.io": {
        "spec": {"policyName": "none", "validationActions": ["Deny"]}
    },
    "validatingwebhookconfigurations.admissionregistration.k8s.io": {"webhooks": [_HOOK]},
    "apiservices.apiregistration.k8s.io": {
        "metadata": {"name": "v1.samples.example.com"},
        "spec": {"group": "samples.example.com", "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 10},
    },
    "customresourcedefinitions.apiextensions.k8s.io": {
        "metadata": {"name": "samples.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced",
            "names": {"plural": "samples", "singular": "sample", "kind": "Sample", "listKind": "SampleList"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": _CRD_SCHEMA}],
        },
    },
}  # fmt: skip
OTHERS: dict[str, Obj] = {
    "events.events.k8s.io": {
        "eventTime": "2026-01-01T00:00:00.000000Z", "action": "Sample", "reason": "Sampled", "type": "Normal",
        "reportingController": "example.com/test", "reportingInstance": "one",
        "regarding": {"kind": "Pod", "name": "sample", "namespace": "default"},
    },
    "leases.coordination.k8s.io": {"spec": {"holderIdentity": "me", "leaseDurationSeconds": 15}},
    "priorityclasses.scheduling.k8s.io": {"value": 10},
    "runtimeclasses.node.k8s.io": {"handler": "sample"},
}  # fmt: skip
SAMPLES: dict[str, Obj] = {**CORE, **WORKLOADS, **NETWORK, **ACCESS, **STORAGE, **ADMISSION, **OTHERS}


def sample(group_resource: str, name: str = "sample") -> Obj:
    """A fresh object; `name` where the kind leaves the choice."""
    obj = copy.deepcopy(SAMPLES[group_resource])
    metadata = obj.setdefault("metadata", {})
    metadata.setdefault("name", name)
    return obj
