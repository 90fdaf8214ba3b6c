"""networking.k8s.io/v1: who may talk to whom, and what the outside sees."""

from __future__ import annotations

from skerry.engine.schema.kinds.declare import STATUS, Group
from skerry.engine.schema.kinds.networking.ingress import IngressStrategy
from skerry.engine.schema.kinds.networking.ip_address import IPAddressStrategy, canonical_ip
from skerry.engine.schema.kinds.networking.network_policy import NetworkPolicyStrategy
from skerry.engine.schema.strategies import CountedStrategy, UncountedStrategy

GROUP = Group("networking.k8s.io", "v1", "io.k8s.api.networking")

KINDS = [
    GROUP.kind("ingressclasses", "IngressClass", namespaced=False, strategy=CountedStrategy()),
    GROUP.kind("ingresses", "Ingress", "ing", subresources=STATUS, strategy=IngressStrategy()),
    GROUP.kind(
        "ipaddresses",
        "IPAddress",
        "ip",
        namespaced=False,
        selectable=("spec.parentRef.name",),
        name_rule=canonical_ip,
        strategy=IPAddressStrategy(),
    ),
    GROUP.kind("networkpolicies", "NetworkPolicy", "netpol", strategy=NetworkPolicyStrategy()),
    GROUP.kind("servicecidrs", "ServiceCIDR", namespaced=False, subresources=STATUS, strategy=UncountedStrategy()),
]
