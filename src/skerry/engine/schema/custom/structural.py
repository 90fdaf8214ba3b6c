"""A structural schema as a tree that is quick to walk: what pruning, defaulting and the list and embedding rules read.

Source: apiextensions-apiserver `pkg/apiserver/schema`. What values must look like beside that is `validating`; both are
compiled from the same `openAPIV3Schema` when a kind is first written to. Nodes are immutable once compiled.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from skerry.kube.objects import Obj

MISSING: Any = object()
"""Stands for "no such value" where null means something."""
META_FIELDS = frozenset({"apiVersion", "kind", "metadata"})


@dataclass(slots=True, eq=False, weakref_slot=True)
class Node:
    """One schema. `additional` None with `is_map` true: values of any type, of which nothing is known."""

    type: str = ""
    nullable: bool = False
    preserve: bool = False
    """`x-kubernetes-preserve-unknown-fields`."""
    embedded: bool = False
    """`x-kubernetes-embedded-resource`: has apiVersion, kind and metadata."""
    properties: dict[str, Node] = field(default_factory=dict)
    is_map: bool = False
    additional: Node | None = None
    items: Node | None = None
    default: Any = MISSING
    list_type: str = ""
    map_keys: tuple[str, ...] = ()
    map_type: str = ""
    rules: tuple[Obj, ...] = ()
    """`x-kubernetes-validations`."""
    schema: Obj | None = None
    """The schema itself, where there are rules: they are compiled by it."""
    has_defaults: bool = False
    """Here or below; likewise the following."""
    has_embedded: bool = False
    has_unique: bool = False
    """Lists of type set or map."""
    has_rules: bool = False

    def below(self, key: str) -> Node | None:
        """The schema of a key's value, None when nothing is known of it."""
        return self.properties.get(key) or self.additional

    def children(self) -> list[Node]:
        """All schemas directly below."""
        return [*self.properties.values(), *(node for node in (self.additional, self.items) if node is not None)]


def compile_node(schema: Obj) -> Node:
    """The tree of a schema, which is not kept."""
    node = Node(
        type=schema.get("type", ""),
        nullable=bool(schema.get("nullable")),
        preserve=bool(schema.get("x-kubernetes-preserve-unknown-fields")),
        embedded=bool(schema.get("x-kubernetes-embedded-resource")),
        properties={name: compile_node(below) for name, below in (schema.get("properties") or {}).items()},
        default=MISSING if schema.get("default") is None else schema["default"],
        list_type=schema.get("x-kubernetes-list-type", ""),
        map_keys=tuple(schema.get("x-kubernetes-list-map-keys") or ()),
        map_type=schema.get("x-kubernetes-map-type", ""),
        rules=tuple(schema.get("x-kubernetes-validations") or ()),
        schema=schema if schema.get("x-kubernetes-validations") else None,
    )
    additional, items = schema.get("additionalProperties"), schema.get("items")
    if additional is not None and additional is not False:
        node.is_map = True
        node.additional = compile_node(additional) if isinstance(additional, dict) else None
    if isinstance(items, dict):
        node.items = compile_node(items)
    _sum_up(node)
    return node


def _sum_up(node: Node) -> None:
    below = node.children()
    node.has_defaults = node.default is not MISSING or any(each.has_defaults for each in below)
    node.has_embedded = node.embedded or any(each.has_embedded for each in below)
    node.has_unique = node.list_type in ("set", "map") or any(each.has_unique for each in below)
    node.has_rules = bool(node.rules) or any(each.has_rules for each in below)
