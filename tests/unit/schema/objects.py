"""Objects the tests start from, and the way the API server takes them through a kind."""

from __future__ import annotations

from typing import Any

import orjson

from skerry.engine.schema import codec, validation
from skerry.engine.schema.contract import Kind
from skerry.engine.schema.registry import builtin
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj, copy_of

REGISTRY = builtin()
CORE = {kind.resource.plural: kind for kind in REGISTRY.kinds("", "v1")}
APPS = {kind.resource.plural: kind for kind in REGISTRY.kinds("apps", "v1")}


def created(kind: Kind, obj: Obj) -> Obj:
    """`obj` as a create would store it, but for what the API server itself fills in."""
    made, _ = codec.decode(kind, orjson.dumps(obj), "application/json", "Strict")
    if kind.resource.namespaced:
        made["metadata"].setdefault("namespace", "default")
    kind.strategy.default(made)
    kind.strategy.prepare_create(made)
    return made


def problems(kind: Kind, obj: Obj) -> dict[str, str]:
    """Field to message of what is wrong with a new object."""
    return by_field(validation.validate(kind, created(kind, obj)))


def changed(kind: Kind, old: Obj, change: Any) -> tuple[Obj, dict[str, str]]:
    """The object after `change(obj)` as an update, and what is wrong with the change."""
    before = orjson.dumps(old)
    new = copy_of(old)
    change(new)
    kind.strategy.default(new)
    kind.strategy.prepare_update(new, old)
    causes = by_field(validation.validate_update(kind, new, old))
    assert orjson.dumps(old) == before, "the stored object is shared and must not change"
    return new, causes


def by_field(causes: list[Cause]) -> dict[str, str]:
    return {cause.field: cause.message for cause in causes}


def pod(**spec: Any) -> Obj:
    return {"metadata": {"name": "web"}, "spec": {"containers": [{"name": "main", "image": "nginx"}], **spec}}


def container(**fields: Any) -> Obj:
    return pod(containers=[{"name": "main", "image": "nginx", **fields}])


def deployment(**spec: Any) -> Obj:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": pod()["spec"]}
    return {
        "metadata": {"name": "web"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template, **spec},
    }
