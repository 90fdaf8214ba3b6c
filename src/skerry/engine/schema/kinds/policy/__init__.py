"""policy/v1: how much of an application may be down."""

from __future__ import annotations

from skerry.engine.schema.kinds.declare import STATUS, Group
from skerry.engine.schema.kinds.policy.disruption_budget import DisruptionBudgetStrategy

GROUP = Group("policy", "v1", "io.k8s.api.policy")

KINDS = [
    GROUP.kind(
        "poddisruptionbudgets", "PodDisruptionBudget", "pdb", subresources=STATUS, strategy=DisruptionBudgetStrategy()
    ),
]
