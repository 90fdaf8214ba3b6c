"""A new node gets no pods until it has said that it is ready: `node.kubernetes.io/not-ready:NoSchedule`.

The node lifecycle controller takes the taint away. Source: Kubernetes' `plugin/pkg/admission/nodetaint`.
"""

from __future__ import annotations

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.api.admission.chain import CREATE, Plugin

_TAINT = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}


def taint_nodes_by_condition() -> Plugin:
    """The plug-in."""

    def mutate(attributes: Attributes) -> None:
        spec = attributes.obj.setdefault("spec", {})
        present = spec.get("taints") or []
        if not any(taint.get("key") == _TAINT["key"] and taint.get("effect") == _TAINT["effect"] for taint in present):
            spec["taints"] = [*present, dict(_TAINT)]

    return Plugin("TaintNodesByCondition", mutate=mutate, resources=frozenset({"nodes"}), operations=CREATE)
