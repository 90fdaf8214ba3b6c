"""PATCH bodies applied to objects: which format a content type means, and what a kind does not support.

The result is not yet checked against the schema: callers pass it through `codec.check`. Source of the behaviour:
apiserver `endpoints/handlers/patch.go`. Neighbours: `patches` (one format per file).
"""

from __future__ import annotations

from typing import Any

import orjson

from skerry.engine.schema.contract import Kind
from skerry.engine.schema.depth import check_depth
from skerry.engine.schema.patches import merge, strategic
from skerry.kube.errors import BadRequest, UnsupportedMediaType
from skerry.kube.objects import Obj, copy_of

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


def apply_patch(kind: Kind, content_type: str, original: Obj, body: bytes) -> Obj:
    """A new object: `original` (not changed) with the patch applied. Raises BadRequest, Invalid,
    RequestEntityTooLarge, UnsupportedMediaType."""
    media_type = content_type.partition(";")[0].strip().lower()
    check_patch_type(kind, media_type)
    patch = _parse(body)
    if media_type == JSON_PATCH:
        from skerry.engine.schema.patches import json_patch  # the library is imported when somebody sends one

        return json_patch.apply(copy_of(original), patch)
    if not isinstance(patch, dict):
        raise BadRequest(
            "error decoding patch: json: cannot unmarshal value into Go value of type map[string]interface {}"
        )
    check_depth(patch)
    if media_type == MERGE_PATCH:
        merged: Obj = merge.apply(copy_of(original), patch)
        return merged
    return strategic.apply(kind, copy_of(original), _without_type(patch))


def patch_types(kind: Kind) -> list[str]:
    """The content types a PATCH of this kind may have: custom resources know no strategic merge patch."""
    return [JSON_PATCH, MERGE_PATCH, *([STRATEGIC_PATCH] if kind.definition else []), APPLY_PATCH]


def check_patch_type(kind: Kind, media_type: str) -> None:
    """Raise UnsupportedMediaType unless patches of this type can be applied to this kind."""
    accepted = patch_types(kind)
    if media_type in accepted and media_type != APPLY_PATCH:
        return
    raise UnsupportedMediaType(
        f"the body of the request was in an unknown format - accepted media types include: {', '.join(accepted)}; "
        f"got {media_type!r}"
    )


def _without_type(patch: Obj) -> Obj:
    """In Kubernetes the result of a strategic patch is of the Go type at hand, whatever the patch says of kind and
    version: Ansible names the Deployment when it patches its Scale."""
    return {key: value for key, value in patch.items() if key not in ("apiVersion", "kind")}


def _parse(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"error decoding patch: {error}") from None
