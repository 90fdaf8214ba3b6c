"""Kinds that are only ever request or response bodies of subresources; they are decoded like others but not stored."""

from __future__ import annotations

from skerry.engine.schema.contract import Kind
from skerry.engine.schema.printing import workloads
from skerry.kube.objects import Resource

SCALE = Kind(
    Resource("autoscaling", "v1", "scales", "Scale"),
    "scale",
    "io.k8s.api.autoscaling.v1.Scale",
    printer=workloads.SCALE,
)
EVICTION = Kind(Resource("policy", "v1", "evictions", "Eviction"), "eviction", "io.k8s.api.policy.v1.Eviction")
BINDING = Kind(Resource("", "v1", "bindings", "Binding"), "binding", "io.k8s.api.core.v1.Binding")
TOKEN_REQUEST = Kind(
    Resource("authentication.k8s.io", "v1", "tokenrequests", "TokenRequest"),
    "tokenrequest",
    "io.k8s.api.authentication.v1.TokenRequest",
)
