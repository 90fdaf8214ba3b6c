"""certificates.k8s.io/v1: requests for certificates."""

from __future__ import annotations

from skerry.engine.schema.kinds.declare import Group
from skerry.engine.schema.strategies import UncountedStrategy

GROUP = Group("certificates.k8s.io", "v1", "io.k8s.api.certificates")

KINDS = [
    GROUP.kind(
        "certificatesigningrequests",
        "CertificateSigningRequest",
        "csr",
        namespaced=False,
        subresources=frozenset({"status", "approval"}),
        selectable=("spec.signerName",),
        strategy=UncountedStrategy(),
    ),
]
