"""The parameter objects of a binding: by name or by selector, in its own or the request's namespace.

Source: `apiserver/pkg/admission/plugin/policy/generic/policy_dispatcher.go` (CollectParams).
"""

from __future__ import annotations

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.api.admission.policies.policy import Binding, Policy
from skerry.engine.api.converting import served
from skerry.engine.schema.contract import Kind
from skerry.engine.schema.registry import Registry
from skerry.engine.store.contract import Entry, Key, Store
from skerry.kube.objects import Obj, labels_of
from skerry.kube.selectors import selector_of


class Misconfigured(Exception):
    """A policy or binding that cannot be used as it stands: "failed to configure ..."."""


class Params:
    """Looks parameters up."""

    def __init__(self, store: Store, registry: Registry) -> None:
        self._store, self._registry = store, registry

    async def of(self, policy: Policy, binding: Binding, attributes: Attributes) -> list[Obj | None]:
        """The objects the policy is to be evaluated with, one after the other; [None]: once, without parameters.
        Raises Misconfigured."""
        wanted, reference = policy.spec.get("paramKind"), binding.spec.get("paramRef")
        if wanted is None:
            return [None]
        kind = self._kind(wanted)
        if reference is None:
            return [None]
        found = [(await served(kind, entry)).shared() for entry in self._find(kind, reference, attributes)]
        if not found and reference.get("parameterNotFoundAction") != "Allow":
            why = "no params found for policy binding with `Deny` parameterNotFoundAction"
            raise Misconfigured(f"failed to configure binding: {why}")
        return list(found)

    def _kind(self, wanted: Obj) -> Kind:
        for kind in self._registry.kinds():
            if kind.resource.api_version == wanted["apiVersion"] and kind.resource.kind == wanted["kind"]:
                return kind
        named = f"{wanted['apiVersion']}, Kind={wanted['kind']}"
        raise Misconfigured(f"failed to configure policy: failed to find resource referenced by paramKind: '{named}'")

    def _find(self, kind: Kind, reference: Obj, attributes: Attributes) -> list[Entry]:
        namespace = _namespace(kind, reference, attributes)
        if reference.get("selector") is not None:
            selector = selector_of(reference["selector"])
            entries = self._store.list(kind.stored_as, namespace or None)
            return [entry for entry in entries if selector.matches(labels_of(entry.shared()))]
        entry = self._store.get(Key(kind.stored_as, namespace, reference.get("name") or ""))
        return [] if entry is None else [entry]


def _namespace(kind: Kind, reference: Obj, attributes: Attributes) -> str:
    given = reference.get("namespace") or ""
    if not kind.resource.namespaced:
        if given:
            why = "paramRef.namespace must not be provided for a cluster-scoped `paramKind`"
            raise Misconfigured(f"failed to configure binding: {why}")
        return ""
    if not given and not attributes.target.namespace:
        why = "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources"
        raise Misconfigured(f"failed to configure binding: {why}")
    return given or attributes.target.namespace
