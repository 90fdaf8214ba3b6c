"""autoscaling/v2, which is stored, and v1, which shows the same objects with other fields."""

from __future__ import annotations

from skerry.engine.schema.conversions import FieldMapping
from skerry.engine.schema.kinds.autoscaling.horizontal import AutoscalerStrategy
from skerry.engine.schema.kinds.autoscaling.v1 import OldAutoscalerStrategy, to_v1, to_v2
from skerry.engine.schema.kinds.declare import STATUS, Group

GROUP = Group("autoscaling", "v2", "io.k8s.api.autoscaling")
OLD_GROUP = Group("autoscaling", "v1", "io.k8s.api.autoscaling")

KINDS = [
    GROUP.kind(
        "horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
        "hpa",
        categories=("all",),
        subresources=STATUS,
        strategy=AutoscalerStrategy(),
    ),
    OLD_GROUP.kind(
        "horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
        "hpa",
        categories=("all",),
        subresources=STATUS,
        strategy=OldAutoscalerStrategy(),
        conversion=FieldMapping(to_v1, to_v2),
    ),
]
