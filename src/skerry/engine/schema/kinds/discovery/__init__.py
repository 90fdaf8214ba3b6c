"""discovery.k8s.io/v1: where a service ends."""

from __future__ import annotations

from skerry.engine.schema.kinds.declare import Group
from skerry.engine.schema.kinds.discovery.endpoint_slice import EndpointSliceStrategy

GROUP = Group("discovery.k8s.io", "v1", "io.k8s.api.discovery")

KINDS = [
    GROUP.kind("endpointslices", "EndpointSlice", strategy=EndpointSliceStrategy()),
]
