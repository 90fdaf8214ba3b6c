"""The plug-in ValidatingAdmissionPolicy: every binding's parameters are put to every validation; Deny, Warn or Audit.

Source: `apiserver/pkg/admission/plugin/policy/validating/{dispatcher,validator}.go`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import orjson

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.api.admission.chain import Pending, Plugin
from skerry.engine.api.admission.dynamic.matching import Matching
from skerry.engine.api.admission.dynamic.refusals import refusal
from skerry.engine.api.admission.policies.evaluating import Evaluation, Evaluations, Failed
from skerry.engine.api.admission.policies.params import Misconfigured, Params
from skerry.engine.api.admission.policies.policy import Binding, Matched, Policies, Policy
from skerry.engine.api.auth.access import Authorizer
from skerry.engine.schema.registry import Registry
from skerry.engine.store.contract import Store
from skerry.kube.errors import StatusError, forbidden
from skerry.kube.objects import Obj
from skerry.kube.records import record

_CODES = {"Unauthorized": 401, "Forbidden": 403, "RequestEntityTooLarge": 413, "Invalid": 422}
_LONGEST_MESSAGE = 5 * 1024
_FAILURES = "validation.policy.admission.k8s.io/validation_failure"


@record
class _Complaint:
    """A validation that did not hold, or could not be evaluated. `index`: its place among the validations."""

    policy: Policy
    binding: Binding
    message: str
    reason: str = ""
    index: int = 0
    actions: tuple[str, ...] = ("Deny",)

    def text(self) -> str:
        """As the client reads it."""
        return (
            f"ValidatingAdmissionPolicy '{self.policy.name}' with binding '{self.binding.name}' denied request: "
            f"{self.message}"
        )


@dataclass(slots=True)
class _Findings:
    """What all policies together say about one request."""

    complaints: list[_Complaint] = field(default_factory=list)
    annotations: dict[str, list[str]] = field(default_factory=dict)


def validating_policies(store: Store, registry: Registry, look: Matching, decide: Authorizer) -> Plugin:
    """The plug-in."""
    policies = Policies(store, look, "validating")
    checking = _Checking(Params(store, registry), Evaluations(look, decide))

    def validate(attributes: Attributes) -> Pending:
        matched = policies.matching(attributes)
        return checking.run(matched, attributes) if matched else None

    return Plugin("ValidatingAdmissionPolicy", validate=validate)


class _Checking:
    def __init__(self, params: Params, evaluations: Evaluations) -> None:
        self._params, self._evaluations = params, evaluations

    async def run(self, matched: list[Matched], attributes: Attributes) -> None:
        """Raises the first complaint that denies; the others become warnings and audit annotations."""
        findings = _Findings()
        for one in matched:
            for binding in one.bindings:
                await self._check(one, binding, attributes, findings)
        _tell(findings, attributes)
        denied = next((complaint for complaint in findings.complaints if "Deny" in complaint.actions), None)
        if denied is not None:
            raise _refusal(denied, attributes)

    async def _check(self, one: Matched, binding: Binding, attributes: Attributes, findings: _Findings) -> None:
        policy = one.policy
        try:
            for params in await self._params.of(policy, binding, attributes):
                evaluation = await self._evaluations.of(policy, one.kind, attributes, params)
                if evaluation.applies():
                    findings.complaints += _complaints(policy, binding, evaluation)
                    _annotate(policy, evaluation, findings)
        except (Misconfigured, Failed) as failure:
            if not policy.fails_open:
                findings.complaints.append(_Complaint(policy, binding, str(failure)))


def _complaints(policy: Policy, binding: Binding, evaluation: Evaluation) -> Iterator[_Complaint]:
    actions = tuple(binding.spec.get("validationActions") or ())
    for index, validation in enumerate(policy.spec.get("validations") or ()):
        reason = validation.get("reason") or ""
        try:
            if evaluation.value(validation["expression"]) is True:
                continue
            message = _message(validation, evaluation)
        except Failed as failure:
            if policy.fails_open:
                continue
            message, reason = str(failure), ""
        yield _Complaint(policy, binding, message, reason, index, actions)


def _message(validation: Obj, evaluation: Evaluation) -> str:
    """What its author wants said: the expression's text if it makes a fit one, the fixed one, or the expression."""
    source = validation.get("messageExpression")
    if source:
        try:
            text = evaluation.value(source)
        except Failed:
            text = ""
        text = text.strip() if isinstance(text, str) else ""
        if text and "\n" not in text and len(text.encode()) <= _LONGEST_MESSAGE:
            return text
    given = (validation.get("message") or "").strip()
    return given or f"failed expression: {validation['expression'].strip()}"


def _annotate(policy: Policy, evaluation: Evaluation, findings: _Findings) -> None:
    for annotation in policy.spec.get("auditAnnotations") or ():
        value = evaluation.value(annotation["valueExpression"])
        if isinstance(value, str) and value.strip():
            values = findings.annotations.setdefault(f"{policy.name}/{annotation['key']}", [])
            if value.strip() not in values:
                values.append(value.strip())


def _tell(findings: _Findings, attributes: Attributes) -> None:
    for complaint in findings.complaints:
        if "Warn" in complaint.actions:
            attributes.warn(
                f"Validation failed for ValidatingAdmissionPolicy '{complaint.policy.name}' with binding "
                f"'{complaint.binding.name}': {complaint.message}"
            )
    audited = [complaint for complaint in findings.complaints if "Audit" in complaint.actions]
    if audited:
        attributes.annotate(_FAILURES, orjson.dumps([_audited(complaint) for complaint in audited]).decode())
    for key, values in findings.annotations.items():
        attributes.annotate(key, ", ".join(values))


def _audited(complaint: _Complaint) -> Obj:
    return {
        "message": complaint.message,
        "policy": complaint.policy.name,
        "binding": complaint.binding.name,
        "expressionIndex": complaint.index,
        "validationActions": list(complaint.actions),
    }


def _refusal(complaint: _Complaint, attributes: Attributes) -> StatusError:
    """Forbidden in words, with the reason (and its code) the validation gives, Invalid by default."""
    text = complaint.text()
    plain = forbidden(attributes.resource, attributes.name, text)
    reason = complaint.reason or "Invalid"
    details = {**plain.details, "causes": [{"message": text}]}
    return refusal(plain.message, _CODES.get(reason, 422), reason, details)
