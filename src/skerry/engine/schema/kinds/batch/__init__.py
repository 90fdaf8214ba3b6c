"""batch/v1: work that ends."""

from __future__ import annotations

from skerry.engine.schema.kinds.batch.cron_job import CronJobStrategy
from skerry.engine.schema.kinds.batch.job import JobStrategy
from skerry.engine.schema.kinds.declare import STATUS, Group

GROUP = Group("batch", "v1", "io.k8s.api.batch")

KINDS = [
    GROUP.kind("cronjobs", "CronJob", "cj", categories=("all",), subresources=STATUS, strategy=CronJobStrategy()),
    GROUP.kind(
        "jobs",
        "Job",
        categories=("all",),
        subresources=STATUS,
        selectable=("status.successful",),
        strategy=JobStrategy(),
    ),
]
