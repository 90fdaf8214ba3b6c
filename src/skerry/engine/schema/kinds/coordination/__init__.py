"""coordination.k8s.io/v1: leases, with which processes agree who leads and who lives."""

from __future__ import annotations

from skerry.engine.schema.kinds.coordination.lease import LeaseStrategy
from skerry.engine.schema.kinds.declare import Group

GROUP = Group("coordination.k8s.io", "v1", "io.k8s.api.coordination")

KINDS = [
    GROUP.kind("leases", "Lease", strategy=LeaseStrategy()),
]
