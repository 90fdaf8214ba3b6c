"""Rules on a container's own restart policy and its rules by exit code. Source: `validateContainerRestartPolicy`."""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.schema.causes import not_supported, required, too_long
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

POLICIES = ("Always", "Never", "OnFailure")
_ACTIONS = ("Restart", "RestartAllContainers")
_OPERATORS = ("In", "NotIn")
_MOST_RULES, _MOST_CODES = 20, 255


def check_restart_policy(container: Obj, field: str) -> Iterator[Cause]:
    """A policy that is known, and the one that rules need beside them."""
    policy, rules = container.get("restartPolicy"), container.get("restartPolicyRules") or []
    if policy is None and rules:
        yield required(f"{field}.restartPolicy", "must specify restartPolicy when restart rules are used")
    elif policy is not None and policy not in POLICIES:
        yield not_supported(f"{field}.restartPolicy", policy, POLICIES)
    if len(rules) > _MOST_RULES:
        yield too_long(f"{field}.restartPolicyRules", _MOST_RULES)
    for index, rule in enumerate(rules):
        yield from _check_rule(rule, f"{field}.restartPolicyRules[{index}]")


def _check_rule(rule: Obj, field: str) -> Iterator[Cause]:
    if rule.get("action") not in _ACTIONS:
        yield not_supported(f"{field}.action", rule.get("action", ""), _ACTIONS)
    codes = rule.get("exitCodes")
    if codes is None:
        yield required(f"{field}.exitCodes", "must be specified")
        return
    if codes.get("operator") not in _OPERATORS:
        yield not_supported(f"{field}.exitCodes.operator", codes.get("operator", ""), _OPERATORS)
    if len(codes.get("values") or ()) > _MOST_CODES:
        yield too_long(f"{field}.exitCodes.values", _MOST_CODES)
