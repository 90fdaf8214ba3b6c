"""What is told at an Ingress about a certificate it asked for: how far it is, and what somebody has to do. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from skerry.engine.controllers.certmanager.names import BUILT_IN, GROUP
from skerry.engine.controllers.certmanager.room import issuer_group, issuer_kind
from skerry.kube.conditions import condition_is_true, condition_of
from skerry.kube.events import EventType
from skerry.kube.objects import Obj, name_of


class Report(NamedTuple):
    """An event."""

    type: EventType
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Progress:
    """All there is of a certificate."""

    certificate: Obj
    issuer: Obj | None
    order: Obj | None
    """Of the issuance under way, at an ACME server."""


def report(progress: Progress) -> Report | None:
    """None while it goes as it should."""
    certificate = progress.certificate
    name = name_of(certificate)
    if condition_is_true(certificate, "Ready"):
        until = (certificate.get("status") or {}).get("notAfter", "")
        return Report("Normal", "CertificateReady", f'Certificate "{name}" is ready, valid until {until}')
    if (why := _trouble_of_issuer(progress)) is not None:
        return Report("Warning", "CertificatePending", f'Certificate "{name}" waits: {why}')
    issuing = condition_of(certificate, "Issuing") or {}
    if issuing.get("status") == "False":
        return Report("Warning", "CertificateFailed", f'Certificate "{name}": {issuing.get("message", "")}')
    ready = condition_of(certificate, "Ready") or {}
    if ready.get("reason") in ("InvalidSpec", "Unsupported", "DuplicateSecretName"):
        return Report("Warning", "CertificateFailed", f'Certificate "{name}": {ready.get("message", "")}')
    reason = ((progress.order or {}).get("status") or {}).get("reason")
    return Report("Warning", "CertificatePending", f'Certificate "{name}" waits: {reason}') if reason else None


def _trouble_of_issuer(progress: Progress) -> str | None:
    reference = progress.certificate["spec"]["issuerRef"]
    if issuer_group(reference) != GROUP:
        return None
    kind, issuer = issuer_kind(reference), progress.issuer
    if issuer is None:
        return (
            f'there is no {kind} "{reference["name"]}". Create it, for example with spec.acme for a public ACME server '
            f'(docs/resources/certificate.md), or name the ClusterIssuer "{BUILT_IN}", which is built in'
        )
    if condition_is_true(issuer, "Ready"):
        return None
    condition = condition_of(issuer, "Ready")
    return f'{kind} "{reference["name"]}" is not ready: {condition["message"]}' if condition else None
