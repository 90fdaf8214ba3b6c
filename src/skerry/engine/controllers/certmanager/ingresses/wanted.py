"""Which Certificates an Ingress asks for by its annotations and `spec.tls`. Pure.

Source: cert-manager's `pkg/controller/certificate-shim/{sync,helper}.go` and its documentation of annotations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Any

from skerry.engine.controllers.certmanager import names
from skerry.kube.objects import Obj, annotations_of, labels_of, namespace_of, owner_reference
from skerry.kube.resources import INGRESSES

ISSUER, CLUSTER_ISSUER = f"{names.GROUP}/issuer", f"{names.GROUP}/cluster-issuer"
TLS_ACME = "kubernetes.io/tls-acme"
_SUBJECT = ("organizations", "organizationalUnits", "countries", "provinces", "localities", "postalCodes")


class BadConfig(Exception):
    """What is wrong with an Ingress that asks for certificates."""


def asks(ingress: Obj) -> bool:
    """Whether it asks for certificates at all."""
    noted = annotations_of(ingress)
    return ISSUER in noted or CLUSTER_ISSUER in noted or noted.get(TLS_ACME) == "true"


def issuer_of(ingress: Obj, default: str) -> dict[str, str]:
    """The `issuerRef`. `default`: the ClusterIssuer for those that name none. Raises BadConfig."""
    noted = annotations_of(ingress)
    if ISSUER in noted and CLUSTER_ISSUER in noted:
        raise BadConfig(f'both "{ISSUER}" and "{CLUSTER_ISSUER}" may not be set')
    name = noted.get(ISSUER) or noted.get(CLUSTER_ISSUER) or default
    kind = "Issuer" if ISSUER in noted else "ClusterIssuer"
    return {
        "name": name,
        "kind": noted.get(names.ISSUER_KIND) or kind,
        "group": noted.get(names.ISSUER_GROUP) or names.GROUP,
    }


def certificates_for(ingress: Obj, issuer: Mapping[str, str]) -> list[Obj]:
    """One for each Secret that `spec.tls` names. Raises BadConfig."""
    hosts: dict[str, list[str]] = {}
    for entry in (ingress.get("spec") or {}).get("tls") or ():
        if entry.get("secretName") and entry.get("hosts"):
            known = hosts.setdefault(entry["secretName"], [])
            known += [host for host in entry["hosts"] if host not in known]
    return [_certificate(ingress, name, found, issuer) for name, found in hosts.items()]


def incomplete(ingress: Obj) -> list[str]:
    """What entries of `spec.tls` lack to become certificates."""
    found = []
    for number, entry in enumerate((ingress.get("spec") or {}).get("tls") or ()):
        missing = [field for field in ("secretName", "hosts") if not entry.get(field)]
        if missing:
            found.append(f"TLS entry {number} gets no certificate: {' and '.join(missing)} must be specified")
    return found


def _certificate(ingress: Obj, name: str, hosts: list[str], issuer: Mapping[str, str]) -> Obj:
    addresses = [host for host in hosts if _is_address(host)]
    spec: dict[str, Any] = {
        "secretName": name,
        "issuerRef": dict(issuer),
        "usages": ["digital signature", "key encipherment"],
        **_from_annotations(annotations_of(ingress)),
    }
    spec |= {"dnsNames": [host for host in hosts if host not in addresses]} if len(addresses) < len(hosts) else {}
    spec |= {"ipAddresses": addresses} if addresses else {}
    metadata = {
        "name": name,
        "namespace": namespace_of(ingress),
        "labels": dict(labels_of(ingress)),
        "ownerReferences": [owner_reference(ingress, INGRESSES)],
    }
    return {"metadata": metadata, "spec": spec}


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


_FIELDS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "common-name": ("commonName", str),
    "email-sans": ("emailAddresses", _words),
    "uri-sans": ("uris", _words),
    "duration": ("duration", str),
    "renew-before": ("renewBefore", str),
    "renew-before-percentage": ("renewBeforePercentage", int),
    "usages": ("usages", _words),
    "revision-history-limit": ("revisionHistoryLimit", int),
    "private-key-algorithm": ("privateKey.algorithm", str),
    "private-key-encoding": ("privateKey.encoding", str),
    "private-key-size": ("privateKey.size", int),
    "private-key-rotation-policy": ("privateKey.rotationPolicy", str),
    "subject-serialnumber": ("subject.serialNumber", str),
    "subject-streetaddresses": ("subject.streetAddresses", _words),
    **{f"subject-{field.lower()}": (f"subject.{field}", _words) for field in _SUBJECT},
}
"""Annotations of cert-manager.io, the field of a Certificate they set, and how they are read."""


def _from_annotations(noted: Mapping[str, str]) -> dict[str, Any]:
    spec: dict[str, Any] = {}
    for word, (path, read) in _FIELDS.items():
        text = noted.get(f"{names.GROUP}/{word}")
        if not text:
            continue
        try:
            value = read(text)
        except ValueError:
            raise BadConfig(f'invalid value "{text}" of annotation "{names.GROUP}/{word}"') from None
        above, _, field = path.rpartition(".")
        (spec.setdefault(above, {}) if above else spec)[field] = value
    return spec
