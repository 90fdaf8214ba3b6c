"""Certificates, and what Secrets of theirs hold, for tests of decisions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from skerry.engine.controllers.certmanager import names
from skerry.engine.controllers.certmanager.certificates.triggers import Held
from skerry.kube.objects import Obj

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
ISSUER = {"name": "ours", "kind": "ClusterIssuer"}


def certificate(**spec: Any) -> Obj:
    """A Certificate `web` for web.example.org."""
    wanted = {"secretName": "web", "dnsNames": ["web.example.org"], "issuerRef": ISSUER, **spec}
    return {"metadata": {"name": "web", "namespace": "default", "uid": "u"}, "spec": wanted}


def held(days: float = 90, annotations: dict[str, str] | None = None, broken: str = "", **facts: Any) -> Held:
    """What was issued for it at BEGIN."""
    noted = {names.CERTIFICATE_NAME: "web", names.ISSUER_NAME: "ours", names.ISSUER_KIND: "ClusterIssuer"}
    noted |= {names.ISSUER_GROUP: "cert-manager.io"}
    known = {"algorithm": "RSA", "size": 2048, "commonName": "", "dnsNames": ["web.example.org"]}
    known |= {"ipAddresses": [], "uris": [], "emailAddresses": [], "isCA": False}
    metadata = {"name": "web", "annotations": noted if annotations is None else annotations}
    secret = {"metadata": metadata, "data": {"tls.crt": "eA==", "tls.key": "eA=="}}
    return Held(secret, {**known, **facts}, broken, BEGIN, BEGIN + timedelta(days=days))
