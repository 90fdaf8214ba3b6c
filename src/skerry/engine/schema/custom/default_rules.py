"""Defaults of a schema must be values of it. Source: `pkg/apiserver/schema/defaulting/validation.go`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from skerry.engine.schema.causes import invalid
from skerry.engine.schema.custom import pruning
from skerry.engine.schema.custom.complaints import NOWHERE
from skerry.engine.schema.custom.structural import MISSING, Node
from skerry.engine.schema.custom.validating import Validator
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj


def check_defaults(node: Node, schema: Obj, path: str) -> Iterator[Cause]:
    """Every default below (maps have none)."""
    if not node.has_defaults:
        return
    if node.default is not MISSING:
        yield from _check(node, schema, f"{path}.default")
    if node.items is not None:
        yield from check_defaults(node.items, schema["items"], f"{path}.items")
    for name, below in node.properties.items():
        yield from check_defaults(below, schema["properties"][name], f"{path}.properties[{name}]")


def _check(node: Node, schema: Obj, field: str) -> Iterator[Cause]:
    pruned: Any = orjson.loads(orjson.dumps(node.default))
    if isinstance(pruned, dict | list):
        pruning.prune_value(pruned, node)
    if pruned != node.default:
        yield invalid(field, node.default, "must not have unknown fields")
    causes = Validator(schema).check(node.default).causes
    for cause in causes:
        place = field if cause.field == NOWHERE else f"{field}.{cause.field}"
        yield Cause(cause.reason, cause.message, place)
    if not causes and node.has_rules:
        from skerry.engine.schema.custom.rules import check_rules

        yield from check_rules(node, node.default, MISSING, field)
