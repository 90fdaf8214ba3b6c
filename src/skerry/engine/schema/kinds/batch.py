"""batch/v1: work that ends."""

from __future__ import annotations

from skerry.engine.schema.kinds.declare import STATUS, Group
from skerry.engine.schema.strategies import SpecStrategy

GROUP = Group("batch", "v1", "io.k8s.api.batch")

KINDS = [
    GROUP.kind("cronjobs", "CronJob", "cj", categories=("all",), subresources=STATUS, strategy=SpecStrategy()),
    GROUP.kind(
        "jobs",
        "Job",
        categories=("all",),
        subresources=STATUS,
        selectable=("status.successful",),
        strategy=SpecStrategy(),
    ),
]
