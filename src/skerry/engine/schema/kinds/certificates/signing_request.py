"""CertificateSigningRequest: what is asked for stays; conditions and the certificate come through subresources.

Source: `pkg/apis/certificates/validation`, `pkg/registry/certificates/certificates/strategy.go`. Who asks is filled
in by admission (`engine.api.admission.certificate_requests`), which knows the user.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from skerry.engine.certificates.signers import LEGACY
from skerry.engine.certificates.usages import ALL_USAGES
from skerry.engine.schema import names
from skerry.engine.schema.causes import duplicate, forbidden, invalid, not_supported, required, too_long
from skerry.engine.schema.strategies import UncountedStrategy
from skerry.kube.clock import SystemClock, rfc3339
from skerry.kube.conditions import conditions_of
from skerry.kube.errors import Cause
from skerry.kube.errors import invalid as invalid_object
from skerry.kube.objects import Obj, name_of

_SHORTEST = 600
"""Seconds."""
_FINAL = ("Approved", "Denied", "Failed")
_DECISIONS = ("Approved", "Denied")
_LONGEST_DOMAIN, _LONGEST_PATH = 253, 317
_CONDITIONS = "status.conditions"


class SigningRequestStrategy(UncountedStrategy):
    """The rules."""

    def prepare_update(self, new: Obj, old: Obj) -> None:
        """Nothing but metadata may be changed."""
        super().prepare_update(new, old)
        new["spec"] = old["spec"]

    def prepare_status(self, new: Obj, old: Obj) -> None:
        """Signers set the certificate and conditions, but decide nothing. Raises Invalid."""
        super().prepare_status(new, old)
        stamp(new, old)
        causes = list(_decided(new, old))
        if causes:
            raise invalid_object("certificates.k8s.io", "CertificateSigningRequest", name_of(new), causes)

    def prepare_approval(self, new: Obj, old: Obj) -> None:
        """Only the conditions."""
        conditions = (new.get("status") or {}).get("conditions")
        super().prepare_status(new, old)
        new["status"] = {**(old.get("status") or {})}
        new["status"].pop("conditions", None)
        if conditions:
            new["status"]["conditions"] = conditions
        stamp(new, old)

    def validate(self, obj: Obj) -> list[Cause]:
        """The request itself, its usages, its signer, the conditions."""
        spec, status = obj.get("spec") or {}, obj.get("status") or {}
        causes = [*_request(spec), *_usages(spec), *_signer(spec.get("signerName") or "")]
        seconds = spec.get("expirationSeconds")
        if seconds is not None and seconds < _SHORTEST:
            why = "may not specify a duration less than 600 seconds (10 minutes)"
            causes.append(invalid("spec.expirationSeconds", seconds, why))
        return [*causes, *_conditions(status.get("conditions") or ()), *_certificate(status)]

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        """What was decided stays decided, what was issued stays."""
        causes = []
        for kind in _FINAL:
            if len(_of_type(new, kind)) < len(_of_type(old, kind)):
                causes.append(forbidden(_CONDITIONS, f'updates may not remove a condition of type "{kind}"'))
        issued = (old.get("status") or {}).get("certificate")
        if issued and (new.get("status") or {}).get("certificate") != issued:
            causes.append(forbidden("status.certificate", "updates may not modify existing certificate content"))
        return causes


def stamp(new: Obj, old: Obj) -> None:
    """Give conditions the times that are missing: a transition only when the status changed."""
    before = {one.get("type"): one for one in conditions_of(old)}
    now = rfc3339(SystemClock().now())
    for condition in conditions_of(new):
        condition["lastUpdateTime"] = condition.get("lastUpdateTime") or now
        if not condition.get("lastTransitionTime"):
            known = before.get(condition.get("type"), {})
            same = known.get("status") == condition.get("status")
            condition["lastTransitionTime"] = known.get("lastTransitionTime") or now if same else now


def _decided(new: Obj, old: Obj) -> Iterator[Cause]:
    for kind in _DECISIONS:
        after, before = _of_type(new, kind), _of_type(old, kind)
        if len(after) > len(before):
            yield forbidden(_CONDITIONS, f'updates may not add a condition of type "{kind}"')
        elif len(after) == len(before) and after != before:
            yield forbidden(_CONDITIONS, f'updates may not modify a condition of type "{kind}"')


def _of_type(obj: Obj, kind: str) -> list[Obj]:
    return [one for one in conditions_of(obj) if one.get("type") == kind]


def _request(spec: Obj) -> Iterator[Cause]:
    from skerry.engine.certificates.requests import RequestError, read_request  # imports cryptography

    try:
        read_request(spec.get("request") or "")
    except RequestError as error:
        yield invalid("spec.request", spec.get("request"), str(error))


def _usages(spec: Obj) -> Iterator[Cause]:
    usages = spec.get("usages") or []
    if not usages:
        yield required("spec.usages")
    for index, usage in enumerate(usages):
        if usage not in ALL_USAGES:
            yield not_supported(f"spec.usages[{index}]", usage, ALL_USAGES)
        if usage in usages[:index]:
            yield duplicate(f"spec.usages[{index}]", usage)


def _signer(name: str) -> Iterator[Cause]:
    field = "spec.signerName"
    if not name:
        yield required(field)
        return
    if name == LEGACY:
        yield invalid(field, name, "the legacy signerName is not allowed via this API version")
        return
    domain, slash, path = name.partition("/")
    if not slash or "/" in path:
        form = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
        yield invalid(field, name, form)
        return
    if len(domain) > _LONGEST_DOMAIN:
        yield too_long(field, _LONGEST_DOMAIN)
    yield from _labels(field, domain, names.label)
    if "." not in domain:
        yield invalid(field, domain, "should be a domain with at least two segments separated by dots")
    yield from _labels(field, path, names.subdomain)
    if len(path) > _LONGEST_PATH:
        yield too_long(field, _LONGEST_PATH)


def _labels(field: str, text: str, rule: names.NameRule) -> Iterator[Cause]:
    for part in text.split("."):
        if complaint := rule(part):
            yield invalid(field, text, f'validating label "{part}": {complaint}')


def _conditions(conditions: Iterable[Obj]) -> Iterator[Cause]:
    kinds: list[str] = []
    for index, condition in enumerate(conditions):
        field, kind, status = f"{_CONDITIONS}[{index}]", condition.get("type") or "", condition.get("status") or ""
        allowed = ("True",) if kind in _FINAL else ("False", "True", "Unknown")
        if not kind:
            yield required(f"{field}.type")
        if not status:
            yield required(f"{field}.status")
        elif status not in allowed:
            yield not_supported(f"{field}.status", status, allowed)
        if kind in _DECISIONS and set(_DECISIONS) <= {*kinds, kind} and kind not in kinds:
            yield invalid(f"{field}.type", kind, "Approved and Denied conditions are mutually exclusive")
        if kind in kinds:
            yield duplicate(f"{field}.type", kind)
        kinds.append(kind)


def _certificate(status: Obj) -> Iterator[Cause]:
    if status.get("certificate"):
        from skerry.engine.certificates.requests import check_certificates  # imports cryptography

        if complaint := check_certificates(status["certificate"]):
            yield invalid("status.certificate", "<certificate data>", complaint)
