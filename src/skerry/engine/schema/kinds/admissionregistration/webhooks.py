"""Webhook configurations: defaults and validation.

Source: `pkg/apis/admissionregistration/{v1/defaults.go,validation/validation.go}`.
"""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.schema import names
from skerry.engine.schema.causes import duplicate, invalid, not_supported, required
from skerry.engine.schema.kinds.admissionregistration.expressions import WEBHOOK
from skerry.engine.schema.kinds.admissionregistration.matching import (
    FAILURE_POLICIES,
    REINVOCATION_POLICIES,
    check_choice,
    check_match_conditions,
    check_rule,
    check_selectors,
    default_matching,
)
from skerry.engine.schema.strategies import CountedStrategy, set_default
from skerry.engine.schema.webhook_clients import REVIEW_VERSIONS, check_client, check_review_versions
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

_SIDE_EFFECTS = frozenset({"None", "NoneOnDryRun"})
_QUALIFIED_PARTS = 3


class WebhookStrategy(CountedStrategy):
    """Webhook configurations have no spec: their list is what counts."""

    counted = ("webhooks",)

    def __init__(self, *, mutating: bool) -> None:
        self._mutating = mutating

    def default(self, obj: Obj) -> None:
        """`SetDefaults_{Validating,Mutating}Webhook`."""
        for hook in obj.get("webhooks") or ():
            set_default(hook, "failurePolicy", "Fail")
            default_matching(hook, ("rules",))
            set_default(hook, "timeoutSeconds", 10)
            if self._mutating:
                set_default(hook, "reinvocationPolicy", "Never")
            if service := (hook.get("clientConfig") or {}).get("service"):
                set_default(service, "port", 443)

    def validate(self, obj: Obj) -> list[Cause]:
        """All webhooks of the list."""
        causes: list[Cause] = []
        seen: set[str] = set()
        for index, hook in enumerate(obj.get("webhooks") or ()):
            field = f"webhooks[{index}]"
            causes += self._check(hook, field)
            if hook.get("name") and hook["name"] in seen:
                causes.append(duplicate(f"{field}.name", hook["name"]))
            seen.add(hook.get("name") or "")
        return causes

    def _check(self, hook: Obj, field: str) -> Iterator[Cause]:
        yield from _check_name(hook.get("name") or "", f"{field}.name")
        for index, rule in enumerate(hook.get("rules") or ()):
            yield from check_rule(rule, f"{field}.rules[{index}]")
        yield from check_choice(hook, "failurePolicy", FAILURE_POLICIES, field)
        yield from _check_side_effects(hook.get("sideEffects"), f"{field}.sideEffects")
        if not 1 <= hook.get("timeoutSeconds", 10) <= 30:
            why = "the timeout value must be between 1 and 30 seconds"
            yield invalid(f"{field}.timeoutSeconds", hook["timeoutSeconds"], why)
        yield from check_selectors(hook, field)
        if self._mutating:
            yield from check_choice(hook, "reinvocationPolicy", REINVOCATION_POLICIES, field)
        yield from check_client(hook.get("clientConfig") or {}, f"{field}.clientConfig")
        yield from check_match_conditions(hook.get("matchConditions") or [], WEBHOOK, f"{field}.matchConditions")
        yield from _check_review_versions(hook.get("admissionReviewVersions") or [], f"{field}.admissionReviewVersions")


def _check_name(name: str, field: str) -> Iterator[Cause]:
    if not name:
        yield required(field)
    elif complaint := names.subdomain(name):
        yield invalid(field, name, complaint)
    elif name.count(".") < _QUALIFIED_PARTS - 1:
        yield invalid(field, name, "should be a domain with at least three segments separated by dots")


def _check_side_effects(value: str | None, field: str) -> Iterator[Cause]:
    if value is None:
        yield required(field, f"must specify one of {', '.join(sorted(_SIDE_EFFECTS))}")
    elif value not in _SIDE_EFFECTS:
        yield not_supported(field, value, _SIDE_EFFECTS)


def _check_review_versions(versions: list[str], field: str) -> Iterator[Cause]:
    if not versions:
        yield required(field, f"must specify one of {', '.join(REVIEW_VERSIONS)}")
    else:
        yield from check_review_versions(versions, field)
