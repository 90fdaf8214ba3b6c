"""certificates.k8s.io/v1: requests for certificates."""

from __future__ import annotations

from skerry.engine.schema.kinds.certificates.signing_request import SigningRequestStrategy
from skerry.engine.schema.kinds.declare import Group
from skerry.engine.schema.names import path_segment

GROUP = Group("certificates.k8s.io", "v1", "io.k8s.api.certificates")

KINDS = [
    GROUP.kind(
        "certificatesigningrequests",
        "CertificateSigningRequest",
        "csr",
        namespaced=False,
        name_rule=path_segment,
        subresources=frozenset({"status", "approval"}),
        selectable=("spec.signerName",),
        strategy=SigningRequestStrategy(),
    ),
]
