"""Which requests the built-in signers honour. Pure, on requests that have been read.

Source: Kubernetes' `pkg/apis/certificates/helpers.go` and `pkg/controller/certificates/signer/signer.go`.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skerry.engine.certificates.requests import Request

CLIENT = "kubernetes.io/kube-apiserver-client"
KUBELET_CLIENT = "kubernetes.io/kube-apiserver-client-kubelet"
KUBELET_SERVING = "kubernetes.io/kubelet-serving"
LEGACY = "kubernetes.io/legacy-unknown"
BUILT_IN = frozenset({CLIENT, KUBELET_CLIENT, KUBELET_SERVING, LEGACY})
_NODES = "system:nodes"


def objection(signer: str, request: Request, usages: Collection[str]) -> str:
    """Why a built-in signer will not sign, "" when it will."""
    if signer == CLIENT:
        return _client_usages(usages)
    if signer == KUBELET_CLIENT:
        refused = _of_kubelet(request) or _none_of(request, "DNS", "Email", "IP", "URI")
        return refused or _exactly(usages, {"digital signature", "client auth"})
    if signer == KUBELET_SERVING:
        refused = _of_kubelet(request) or _serving_names(request)
        return refused or _exactly(usages, {"digital signature", "server auth"})
    return ""


def _client_usages(usages: Collection[str]) -> str:
    for usage in usages:
        if usage not in ("digital signature", "key encipherment", "client auth"):
            return f"invalid usage for client certificate: {usage}"
    return "" if "client auth" in usages else "missing required usage for client certificate: client auth"


def _of_kubelet(request: Request) -> str:
    if request.organizations != [_NODES]:
        return "subject organization is not system:nodes"
    if not request.common_name.startswith("system:node:"):
        return "subject common name does not begin with system:node:"
    return ""


def _serving_names(request: Request) -> str:
    if not _has(request, "DNS") and not _has(request, "IP"):
        return "DNS or IP subjectAltName is required"
    return _none_of(request, "Email", "URI")


def _none_of(request: Request, *sorts: str) -> str:
    for sort in sorts:
        if _has(request, sort):
            return f"{sort} subjectAltNames are not allowed"
    return ""


def _has(request: Request, sort: str) -> bool:
    from cryptography import x509

    types: dict[str, type[x509.GeneralName]] = {
        "DNS": x509.DNSName,
        "Email": x509.RFC822Name,
        "IP": x509.IPAddress,
        "URI": x509.UniformResourceIdentifier,
    }
    return bool(request.alternatives(types[sort]))


def _exactly(usages: Collection[str], required: set[str]) -> str:
    """Key encipherment may be there too: RSA keys are used so."""
    if set(usages) - {"key encipherment"} == required:
        return ""
    return f"usages did not match [{' '.join(sorted({*required, 'key encipherment'}))}]"
