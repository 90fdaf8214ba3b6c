"""apiregistration.k8s.io/v1: which group versions the API has, and who serves them."""

from __future__ import annotations

from skerry.engine.schema.kinds.apiregistration.api_service import ApiServiceStrategy
from skerry.engine.schema.kinds.declare import STATUS, Group
from skerry.engine.schema.names import path_segment

GROUP = Group("apiregistration.k8s.io", "v1", "io.k8s.kube-aggregator.pkg.apis.apiregistration")

KINDS = [
    GROUP.kind(
        "apiservices",
        "APIService",
        namespaced=False,
        categories=("api-extensions",),
        subresources=STATUS,
        name_rule=path_segment,
        strategy=ApiServiceStrategy(),
    ),
]
