"""The plug-in MutatingAdmissionPolicy: expressions that change the object, by apply configuration or JSON patch.

Source: `apiserver/pkg/admission/plugin/policy/mutating/{dispatcher,patch}`. Apply configurations merge as server-side
apply merges them, without keeping owners.
"""

from __future__ import annotations

from typing import Any

import orjson

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.api.admission.chain import Pending, Plugin
from skerry.engine.api.admission.dynamic.matching import Matching
from skerry.engine.api.admission.dynamic.patching import NotPatched, patched, replace
from skerry.engine.api.admission.dynamic.refusals import refusal
from skerry.engine.api.admission.dynamic.versions import seen
from skerry.engine.api.admission.policies.evaluating import Evaluations, Failed
from skerry.engine.api.admission.policies.params import Misconfigured, Params
from skerry.engine.api.admission.policies.policy import Binding, Matched, Policies, Policy
from skerry.engine.api.auth.access import Authorizer
from skerry.engine.schema.contract import Kind
from skerry.engine.schema.kinds.admissionregistration.mutations import compiled_mutation
from skerry.engine.schema.managed.merge import merge
from skerry.engine.schema.managed.typing import type_of
from skerry.engine.schema.registry import Registry
from skerry.engine.store.contract import Store
from skerry.kube.errors import StatusError, forbidden
from skerry.kube.objects import Obj

_NAME = "MutatingAdmissionPolicy"
_KEPT = ("apiVersion", "kind")


def mutating_policies(store: Store, registry: Registry, look: Matching, decide: Authorizer) -> Plugin:
    """The plug-in."""
    policies = Policies(store, look, "mutating")
    changing = _Changing(Params(store, registry), Evaluations(look, decide))

    def mutate(attributes: Attributes) -> Pending:
        if attributes.new is None:
            return None
        matched = policies.matching(attributes)
        return changing.run(matched, attributes) if matched else None

    return Plugin(_NAME, mutate=mutate)


class _Changing:
    def __init__(self, params: Params, evaluations: Evaluations) -> None:
        self._params, self._evaluations = params, evaluations

    async def run(self, matched: list[Matched], attributes: Attributes) -> None:
        """Apply all mutations, one after the other. Raises what cannot be applied."""
        before = attributes.notes.get(_NAME)
        if attributes.reinvoked and before == orjson.dumps(attributes.new):
            return  # nobody changed it since
        for one in matched:
            if attributes.reinvoked and one.policy.spec.get("reinvocationPolicy") != "IfNeeded":
                continue
            for binding in one.bindings:
                await self._apply(one, binding, attributes)
        attributes.notes[_NAME] = orjson.dumps(attributes.new)

    async def _apply(self, one: Matched, binding: Binding, attributes: Attributes) -> None:
        policy = one.policy
        try:
            for params in await self._params.of(policy, binding, attributes):
                for mutation in policy.spec.get("mutations") or ():
                    evaluation = await self._evaluations.of(policy, one.kind, attributes, params)
                    if not evaluation.applies():
                        break
                    source = (mutation.get("applyConfiguration") or mutation.get("jsonPatch") or {})["expression"]
                    value = evaluation.value(source, compiled_mutation)
                    await _change(attributes, one.kind, mutation["patchType"], value)
        except (Misconfigured, Failed, NotPatched) as failure:
            if not policy.fails_open:
                raise _refusal(policy, binding, str(failure), attributes) from None


async def _change(attributes: Attributes, kind: Kind, how: str, value: Any) -> None:
    current, _ = await seen(attributes, kind)
    assert current is not None
    result = _applied(kind, current, value) if how == "ApplyConfiguration" else _patched(current, value)
    if await replace(attributes, result, kind):
        attributes.reinvoke = True


def _applied(kind: Kind, current: Obj, config: Any) -> Obj:
    """An apply configuration merged in. Raises NotPatched for what may not be set by one."""
    if not isinstance(config, dict):
        raise NotPatched("the expression did not make an Object")
    if any(config.get(key) not in (None, current.get(key)) for key in _KEPT):
        raise NotPatched("apiVersion and kind may not be changed by a mutation")
    merged: Obj = merge(type_of(kind), current, config)
    return merged


def _patched(current: Obj, operations: Any) -> Obj:
    if not isinstance(operations, list):
        raise NotPatched("the expression did not make a list of JSONPatch")
    return patched(current, operations)


def _refusal(policy: Policy, binding: Binding, why: str, attributes: Attributes) -> StatusError:
    text = f"policy '{policy.name}' with binding '{binding.name}' denied request: {why}"
    plain = forbidden(attributes.resource, attributes.name, text)
    return refusal(plain.message, 422, "Invalid", {**plain.details, "causes": [{"message": text}]})
