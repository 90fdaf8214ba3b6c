"""autoscaling/v2. Version v1 shows the same objects with other fields and is not served: nothing converts yet."""

from __future__ import annotations

from skerry.engine.schema.kinds.autoscaling.horizontal import AutoscalerStrategy
from skerry.engine.schema.kinds.declare import STATUS, Group

GROUP = Group("autoscaling", "v2", "io.k8s.api.autoscaling")

KINDS = [
    GROUP.kind(
        "horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
        "hpa",
        categories=("all",),
        subresources=STATUS,
        strategy=AutoscalerStrategy(),
    ),
]
