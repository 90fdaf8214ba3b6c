"""What is written into the Secret of a Certificate. Pure.

Source: cert-manager's `pkg/controller/certificates/issuing/internal/secret.go`. What others keep in that Secret stays.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from skerry.engine.controllers.certmanager import names
from skerry.engine.controllers.certmanager.room import encoded, issuer_group, issuer_kind
from skerry.kube.objects import Obj, annotations_of, labels_of, name_of, namespace_of

TLS = "kubernetes.io/tls"


def secret_for(certificate: Obj, pair: Mapping[str, str], facts: Mapping[str, Any], before: Obj | None) -> Obj:
    """`pair`: `certificate` (chain), `key` and perhaps `ca`, PEM; `facts` of them; `before`: the Secret as it is."""
    metadata: Obj = dict(before["metadata"]) if before is not None else _identity(certificate)
    template = certificate["spec"].get("secretTemplate") or {}
    labels = {**(labels_of(before) if before else {}), **(template.get("labels") or {}), names.OF_CERTIFICATES: "true"}
    noted = {**(annotations_of(before) if before else {}), **(template.get("annotations") or {})}
    metadata.pop("managedFields", None)
    metadata |= {"labels": labels, "annotations": {**noted, **noted_of(certificate, facts)}}
    data = {**((before.get("data") or {}) if before else {}), **_data(certificate, pair)}
    return {**(before or {"type": TLS}), "metadata": metadata, "data": data}


def noted_of(certificate: Obj, facts: Mapping[str, Any]) -> dict[str, str]:
    """Whose certificate it is, and what is in it."""
    reference = certificate["spec"]["issuerRef"]
    found = {
        names.CERTIFICATE_NAME: name_of(certificate),
        names.ISSUER_NAME: str(reference["name"]),
        names.ISSUER_KIND: issuer_kind(reference),
        names.ISSUER_GROUP: issuer_group(reference),
        names.COMMON_NAME: str(facts["commonName"]),
        names.ALT_NAMES: ",".join(facts["dnsNames"]),
        names.IP_SANS: ",".join(facts["ipAddresses"]),
        names.URI_SANS: ",".join(facts["uris"]),
    }
    return {**found, names.EMAIL_SANS: ",".join(facts["emailAddresses"])} if facts["emailAddresses"] else found


def is_complete(certificate: Obj, secret: Obj) -> bool:
    """Whether the Secret has what `secretTemplate` asks for, and the formats: these need no new certificate."""
    template = certificate["spec"].get("secretTemplate") or {}
    has_labels = (template.get("labels") or {}).items() <= labels_of(secret).items()
    has_annotations = (template.get("annotations") or {}).items() <= annotations_of(secret).items()
    return has_labels and has_annotations and _formats(certificate) <= set(secret.get("data") or {})


_FILES = {"DER": "key.der", "CombinedPEM": "tls-combined.pem"}


def _formats(certificate: Obj) -> set[str]:
    return {_FILES[one["type"]] for one in certificate["spec"].get("additionalOutputFormats") or ()}


def _identity(certificate: Obj) -> Obj:
    return {"name": certificate["spec"]["secretName"], "namespace": namespace_of(certificate)}


def _data(certificate: Obj, pair: Mapping[str, str]) -> dict[str, str]:
    data = {"tls.crt": encoded(pair["certificate"]), "tls.key": encoded(pair["key"])}
    if pair.get("ca"):
        data["ca.crt"] = encoded(pair["ca"])
    formats = _formats(certificate)
    if "key.der" in formats:
        data["key.der"] = base64.b64encode(_der(pair["key"])).decode()
    if "tls-combined.pem" in formats:
        data["tls-combined.pem"] = encoded(f"{pair['key']}\n{pair['certificate']}")
    return data


def _der(pem: str) -> bytes:
    """What is between the lines that begin and end a PEM block."""
    return base64.b64decode("".join(line for line in pem.splitlines() if line and not line.startswith("-----")))
