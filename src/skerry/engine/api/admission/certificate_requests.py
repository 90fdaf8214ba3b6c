"""Admission of CertificateSigningRequests: who asks is written down, and nobody asks to be a master.

Source: Kubernetes' `pkg/registry/certificates/certificates/strategy.go` (PrepareForCreate) and
`plugin/pkg/admission/certificates/subjectrestriction`.
"""

from __future__ import annotations

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.api.admission.chain import CREATE, Plugin
from skerry.engine.api.auth.authentication import MASTERS
from skerry.engine.certificates.signers import CLIENT
from skerry.kube.errors import forbidden

REQUESTS = "certificatesigningrequests.certificates.k8s.io"


def certificate_requester() -> Plugin:
    """Puts the user into `spec`: what anybody wrote there before is replaced."""

    def allocate(attributes: Attributes) -> None:
        assert attributes.new is not None
        spec, user = attributes.new.setdefault("spec", {}), attributes.user
        for name in ("username", "uid", "groups", "extra"):
            spec.pop(name, None)
        spec["username"] = user.name
        if user.uid:
            spec["uid"] = user.uid
        if user.groups:
            spec["groups"] = list(user.groups)
        if user.extra:
            spec["extra"] = {key: list(values) for key, values in user.extra.items()}

    return Plugin("CertificateRequester", allocate=allocate, resources=frozenset({REQUESTS}), operations=CREATE)


def certificate_subject_restriction() -> Plugin:
    """Refuses client certificates of the group system:masters: they could never be taken back."""

    def validate(attributes: Attributes) -> None:
        assert attributes.new is not None
        spec = attributes.new["spec"]
        if spec.get("signerName") != CLIENT:
            return
        from skerry.engine.certificates.requests import read_request  # imports cryptography

        if MASTERS in read_request(spec["request"]).organizations:
            why = f"use of {CLIENT} signer with {MASTERS} group is not allowed"
            raise forbidden(REQUESTS, attributes.target.name, why)

    name = "CertificateSubjectRestriction"
    return Plugin(name, validate=validate, resources=frozenset({REQUESTS}), operations=CREATE)
