"""Putting what a webhook or a policy made of an object into the request: patched, checked, defaulted.

Whatever comes back is somebody else's: it must still be an object of the kind, under the same name.
"""

from __future__ import annotations

from typing import Any

import orjson

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.api.admission.dynamic.versions import converted
from skerry.engine.api.metadata import check_address
from skerry.engine.schema.codec import check
from skerry.engine.schema.contract import Kind
from skerry.engine.schema.patches import json_patch
from skerry.kube.errors import StatusError
from skerry.kube.objects import Obj, copy_of


class NotPatched(Exception):
    """A patch that cannot be applied, or makes something that is no object; the message says why."""


def patched(obj: Obj, operations: list[Any]) -> Obj:
    """A new object. Raises NotPatched."""
    try:
        return json_patch.apply(copy_of(obj), operations)
    except StatusError as error:
        raise NotPatched(error.message) from None


async def replace(attributes: Attributes, result: Obj, kind: Kind) -> bool:
    """Make the result (of version `kind`) the request's object; whether it differs. Raises NotPatched."""
    current = attributes.new
    assert current is not None
    if not isinstance(result.get("metadata", {}), dict):
        raise NotPatched("metadata is no object")
    if _is_whole(attributes):
        result = await converted(result, kind, attributes.target.kind)
        result = _fitted(result, attributes)
    before = orjson.dumps(current, option=orjson.OPT_SORT_KEYS)
    current.clear()
    current.update(result)
    attributes.default_again()
    return orjson.dumps(current, option=orjson.OPT_SORT_KEYS) != before


def _is_whole(attributes: Attributes) -> bool:
    """Whether the body is the object itself, not that of a subresource."""
    subresource, new = attributes.target.subresource, attributes.new or {}
    return not subresource or new.get("kind") == attributes.target.kind.resource.kind


def _fitted(result: Obj, attributes: Attributes) -> Obj:
    """Without what the schema does not know, and at the same address. Raises NotPatched for what does not fit."""
    target = attributes.target
    result["apiVersion"], result["kind"] = target.kind.resource.api_version, target.kind.resource.kind
    try:
        result, _ = check(target.kind, result, "Ignore")
        check_address(result, target)
    except StatusError as error:
        raise NotPatched(error.message) from None
    return result
