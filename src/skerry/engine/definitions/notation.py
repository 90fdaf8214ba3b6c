"""How the definitions are written: short functions for structural schemas, and the frame around them. Pure.

Source: apiextensions.k8s.io/v1. A definition has one served and stored version.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

from skerry.kube.objects import Obj, Resource
from skerry.kube.records import record

BUNDLED = "skerry.dev/bundled"
"""The annotation of definitions that are ours; its value is a digest of what we made."""

Schema = Mapping[str, object]

STRING: Schema = {"type": "string"}
BOOLEAN: Schema = {"type": "boolean"}
INTEGER: Schema = {"type": "integer"}
TIME: Schema = {"type": "string", "format": "date-time"}
ANYTHING: Schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


@record
class Column:
    """A column of `kubectl get`; `priority` above 0: with `-o wide` only."""

    name: str
    path: str
    type: str = "string"
    priority: int = 0


AGE = Column("Age", ".metadata.creationTimestamp", "date")


@record
class Definition:
    """What is particular to a kind. `spec` and `status` are the schemas of these two fields, for kinds that have
    them; `fields` are others beside them."""

    resource: Resource
    spec: Schema | None = None
    status: Schema | None = None
    fields: Mapping[str, Schema] = field(default_factory=dict)
    columns: Sequence[Column] = (AGE,)
    short_names: Sequence[str] = ()
    categories: Sequence[str] = ()
    required: Sequence[str] = ("spec",)
    rules: Sequence[Mapping[str, object]] = field(default=())
    """CEL rules over the whole object, as `x-kubernetes-validations` has them."""
    approval: str = ""
    """The word of approval (a URL) that kinds of Kubernetes' own groups need."""

    @property
    def name(self) -> str:
        """Of the CustomResourceDefinition."""
        return self.resource.group_resource


def obj(properties: Mapping[str, Schema], *required: str, **more: object) -> Schema:
    """An object with these fields."""
    found: dict[str, object] = {"type": "object", "properties": dict(properties), **more}
    return {**found, "required": list(required)} if required else found


def array(items: Schema, **more: object) -> Schema:
    """A list."""
    return {"type": "array", "items": items, **more}


def mapping(values: Schema) -> Schema:
    """A map from strings."""
    return {"type": "object", "additionalProperties": values}


def one_of(*values: str, **more: object) -> Schema:
    """One of these strings."""
    return {"type": "string", "enum": list(values), **more}


LABEL_SELECTOR = obj(
    {
        "matchLabels": mapping(STRING),
        "matchExpressions": array(
            obj({"key": STRING, "operator": STRING, "values": array(STRING)}, "key", "operator"),
        ),
    },
    **{"x-kubernetes-map-type": "atomic"},
)
CONDITIONS = array(
    obj(
        {
            "type": STRING,
            "status": one_of("True", "False", "Unknown"),
            "reason": STRING,
            "message": STRING,
            "lastTransitionTime": TIME,
            "observedGeneration": {"type": "integer", "format": "int64"},
        },
        "type",
        "status",
    ),
    **{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
)


def custom_resource_definition(one: Definition) -> Obj:
    """The object, with annotations that are not ours only."""
    resource = one.resource
    names = {"plural": resource.plural, "singular": resource.kind.lower(), "kind": resource.kind}
    more = {"shortNames": list(one.short_names), "categories": list(one.categories)}
    version = {
        "name": resource.version,
        "served": True,
        "storage": True,
        "subresources": {"status": {}} if one.status is not None else {},
        "additionalPrinterColumns": [_column(each) for each in one.columns],
        "schema": {"openAPIV3Schema": _whole(one)},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": one.name,
            **({"annotations": {"api-approved.kubernetes.io": one.approval}} if one.approval else {}),
        },
        "spec": {
            "group": resource.group,
            "scope": "Namespaced" if resource.namespaced else "Cluster",
            "names": {
                **names,
                "listKind": f"{resource.kind}List",
                **{key: list_ for key, list_ in more.items() if list_},
            },
            "versions": [version],
        },
    }


def _whole(one: Definition) -> Schema:
    usual = {"apiVersion": STRING, "kind": STRING, "metadata": {"type": "object"}}
    own = {name: schema for name, schema in (("spec", one.spec), ("status", one.status)) if schema is not None}
    rules = {"x-kubernetes-validations": [dict(rule) for rule in one.rules]} if one.rules else {}
    return obj({**usual, **one.fields, **own}, *one.required, **rules)


def _column(one: Column) -> Obj:
    column: Obj = {"name": one.name, "type": one.type, "jsonPath": one.path}
    return {**column, "priority": one.priority} if one.priority else column
