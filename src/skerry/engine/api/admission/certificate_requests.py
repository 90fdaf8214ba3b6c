"""Admission of CertificateSigningRequests: who asks is written down, nobody asks to be a master, and deciding and
signing take rights on the signer.

Source: Kubernetes' `pkg/registry/certificates/certificates/strategy.go` (PrepareForCreate) and
`plugin/pkg/admission/certificates`.
"""

from __future__ import annotations

from skerry.engine.api.admission.attributes import Attributes, Operation
from skerry.engine.api.admission.chain import CREATE, Plugin
from skerry.engine.api.auth.access import Access, Authorizer
from skerry.engine.api.auth.authentication import MASTERS
from skerry.engine.certificates.signers import CLIENT
from skerry.kube.errors import forbidden

_GROUP = "certificates.k8s.io"
REQUESTS = f"certificatesigningrequests.{_GROUP}"
UPDATE: frozenset[Operation] = frozenset({"UPDATE"})


def certificate_requester() -> Plugin:
    """Puts the user into `spec`: what anybody wrote there before is replaced."""

    def allocate(attributes: Attributes) -> None:
        assert attributes.new is not None
        spec = attributes.new.setdefault("spec", {})
        for name in ("username", "uid", "groups", "extra"):
            spec.pop(name, None)
        spec |= attributes.user.info()

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


def certificate_approval(authorizer: Authorizer) -> Plugin:
    """Approving and denying take the right to `approve` for the signer."""

    def validate(attributes: Attributes) -> None:
        assert attributes.old is not None
        _check_signer(authorizer, attributes, "approve")

    name, resources = "CertificateApproval", frozenset({f"{REQUESTS}/approval"})
    return Plugin(name, validate=validate, resources=resources, operations=UPDATE)


def certificate_signing(authorizer: Authorizer) -> Plugin:
    """Giving out a certificate, or saying that there will be none, takes the right to `sign` for the signer."""

    def validate(attributes: Attributes) -> None:
        assert attributes.old is not None
        assert attributes.new is not None
        before, after = (each.get("status") or {} for each in (attributes.old, attributes.new))
        if any(before.get(part) != after.get(part) for part in ("certificate", "conditions")):
            _check_signer(authorizer, attributes, "sign")

    name, resources = "CertificateSigning", frozenset({f"{REQUESTS}/status"})
    return Plugin(name, validate=validate, resources=resources, operations=UPDATE)


def _check_signer(authorizer: Authorizer, attributes: Attributes, verb: str) -> None:
    """The right may be for the signer's name, or for all of its domain. Raises Forbidden."""
    assert attributes.old is not None
    signer = str(attributes.old["spec"].get("signerName") or "")
    for name in (signer, f"{signer.partition('/')[0]}/*"):
        if authorizer(Access(verb, _GROUP, "signers", "", "", "", attributes.user, name)).allowed:
            return
    why = f'user not permitted to {verb} requests with signerName "{signer}"'
    raise forbidden(REQUESTS, attributes.target.name, why)
