"""Policies and bindings, compiled, and which of them look at a request. Neighbours: `evaluating`, `params`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.api.admission.dynamic.configured import Configured
from skerry.engine.api.admission.dynamic.matching import (
    GROUP,
    REVIEWS,
    Matcher,
    Matching,
    is_excluded,
    matcher_of,
)
from skerry.engine.schema.contract import Kind
from skerry.engine.schema.kinds.admissionregistration.expressions import Variables
from skerry.engine.schema.kinds.admissionregistration.policies import with_variable
from skerry.engine.store.contract import Store
from skerry.kube.objects import Obj, name_of
from skerry.kube.records import record


@record
class Policy:
    """A policy. `computed`: its variables in order, each with what its own expression may read."""

    name: str
    spec: Obj
    matcher: Matcher
    base: Variables
    computed: tuple[tuple[str, str, Variables], ...]
    variables: Variables
    """What its other expressions may read."""

    @property
    def fails_open(self) -> bool:
        """Whether what goes wrong in it lets the request go on."""
        return bool(self.spec.get("failurePolicy") == "Ignore")


@record
class Binding:
    """A binding. `matcher` None: it narrows nothing down."""

    name: str
    policy: str
    spec: Obj
    matcher: Matcher | None


class Matched(NamedTuple):
    """A policy that looks at a request, the version it asked for, and the bindings that do."""

    policy: Policy
    kind: Kind
    bindings: list[Binding]


def policy_of(obj: Obj) -> Policy:
    """Compile a policy; its expressions are compiled when they are first evaluated."""
    spec = obj.get("spec") or {}
    base = Variables(params=spec.get("paramKind") is not None, authorizer=True, namespace=True)
    variables, computed = base, []
    for variable in spec.get("variables") or ():
        computed.append((f"variables.{variable['name']}", variable["expression"], variables))
        variables = with_variable(variables, variable)
    matcher = matcher_of(spec.get("matchConstraints") or {}, "resourceRules", "excludeResourceRules")
    return Policy(name_of(obj), spec, matcher, base, tuple(computed), variables)


def binding_of(obj: Obj) -> Binding:
    """Compile a binding."""
    spec = obj.get("spec") or {}
    resources = spec.get("matchResources")
    matcher = resources and matcher_of(resources, "resourceRules", "excludeResourceRules", unless_excluded=True)
    return Binding(name_of(obj), spec.get("policyName") or "", spec, matcher or None)


class Policies:
    """What is configured of one kind of policies. `kind`: "validating" or "mutating"."""

    def __init__(self, store: Store, look: Matching, kind: str) -> None:
        self._look = look
        self._policies = Configured(store, f"{kind}admissionpolicies.{GROUP}", policy_of)
        self._bindings = Configured(store, f"{kind}admissionpolicybindings.{GROUP}", binding_of)

    def matching(self, attributes: Attributes) -> list[Matched]:
        """Those that look at a request, by name. Raises NotFound when its namespace is missing."""
        policies = self._policies.current()
        if not policies or is_excluded(attributes) or attributes.resource in REVIEWS:
            return []
        return list(self._matching(policies, attributes))

    def _matching(self, policies: tuple[Policy, ...], attributes: Attributes) -> Iterator[Matched]:
        bindings = self._bindings.current()
        for policy in policies:
            bound = [binding for binding in bindings if binding.policy == policy.name]
            kind = self._look.kind_for(policy.matcher, attributes) if bound else None
            if kind is None:
                continue
            chosen = [
                binding
                for binding in bound
                if binding.matcher is None or self._look.kind_for(binding.matcher, attributes) is not None
            ]
            if chosen:
                yield Matched(policy, kind, chosen)
