"""Attributes for tests of plug-ins: a write of a built-in kind by some user."""

from __future__ import annotations

from skerry.engine.api.admission.attributes import Attributes, Operation, Options
from skerry.engine.api.options import WriteOptions
from skerry.engine.api.request import Request, Target, User
from skerry.engine.schema.contract import Kind
from skerry.engine.schema.registry import builtin
from skerry.kube.objects import Obj, Resource

_REGISTRY = builtin()
ANNA = User("anna", frozenset({"system:authenticated"}))


def kind_of(resource: Resource) -> Kind:
    """The built-in kind of a resource."""
    kind = _REGISTRY.kind(resource.group, resource.version, resource.plural)
    assert kind is not None
    return kind


def attributes(
    resource: Resource,
    new: Obj | None,
    old: Obj | None = None,
    *,
    operation: Operation | None = None,
    subresource: str = "",
    user: User = ANNA,
    options: Options | None = None,
) -> Attributes:
    """A write in the namespace of the object ("default")."""
    obj = new if new is not None else old or {}
    metadata = obj.get("metadata", {})
    namespace = metadata.get("namespace", "default") if resource.namespaced else ""
    target = Target(kind_of(resource), namespace, metadata.get("name", ""), subresource)
    verb: Operation = operation or ("DELETE" if new is None else "UPDATE" if old is not None else "CREATE")
    return Attributes(verb, Request(user, verb.lower(), target), target, new, old, options or WriteOptions())
