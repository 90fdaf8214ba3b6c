"""Field sets seen with a schema: named fields made members, and sets written before a schema changed.

Source: structured-merge-diff `fieldpath/set.go` (EnsureNamedFieldsAreMembers), `typed/reconcile_schema.go`.
"""

from __future__ import annotations

from skerry.engine.schema.managed.sets import MEMBER, SELF, Set, as_member, children, is_member
from skerry.engine.schema.managed.types import LEAF, OPEN, Atomic, Deduced, Fields, List, Type


def with_named_fields(kind: Type, fields: Set) -> Set:
    """The same set with every declared field that has members below it: who owns part of a struct keeps it alive."""
    shape = kind.shape if isinstance(kind, Atomic) else kind
    result: Set = {}
    for key, below in fields.items():
        if key == SELF or not below:
            result[key] = below
            continue
        inner = with_named_fields(_below(shape, key), children(below))
        named = isinstance(shape, Fields) and key[2:] in shape.declared
        result[key] = as_member(inner) if named or is_member(below) else inner
    return result


def reconciled(kind: Type, fields: Set) -> Set:
    """The set for a schema that has become atomic where the set still has parts: they become the whole."""
    result: Set = {}
    for key, below in fields.items():
        inner = below if key == SELF or not below else _reconciled(_below(kind, key), below)
        result[key] = inner
    return result


def _reconciled(kind: Type, below: Set) -> Set:
    if isinstance(kind, Atomic):
        return MEMBER
    return below if isinstance(kind, Deduced) else reconciled(kind, below)


def _below(kind: Type, key: str) -> Type:
    if isinstance(kind, Fields) and key.startswith("f:"):
        return kind.of(key[2:])[1]
    if isinstance(kind, Deduced) and key.startswith("f:"):
        return OPEN.of(key[2:])[1]
    return kind.items if isinstance(kind, List) and key.startswith("k:") else LEAF
