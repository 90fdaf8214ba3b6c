"""JSON patch, RFC 6902, by the library jsonpatch, with the limits Kubernetes sets and its answers to failures."""

from __future__ import annotations

from typing import Any

import jsonpatch
import orjson
from jsonpointer import JsonPointer

from skerry.kube.errors import BadRequest, Invalid, RequestEntityTooLarge
from skerry.kube.objects import Obj

MAX_OPERATIONS = 10_000
MAX_COPIED = 3 * 1024 * 1024
"""Bytes that all `copy` operations of one patch may copy: each may double the object."""
_FAILURES = (
    jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, TypeError, ValueError, LookupError, AttributeError,
    RecursionError,
)  # fmt: skip


def apply(target: Obj, operations: Any) -> Obj:
    """The patched object; `target` is changed in place. Raises BadRequest, Invalid, RequestEntityTooLarge."""
    if not isinstance(operations, list):
        raise BadRequest("error decoding patch: json: cannot unmarshal value into Go value of type jsonpatch.Patch")
    if len(operations) > MAX_OPERATIONS:
        raise RequestEntityTooLarge(
            f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(operations)}"
        )
    copied = 0
    patched: Any = target
    try:
        for operation in operations:
            copied += _copied_by(operation, patched)
            if copied > MAX_COPIED:
                raise ValueError(f"the copies of a JSON patch may be {MAX_COPIED} bytes together")
            patched = jsonpatch.JsonPatch([operation]).apply(patched, in_place=True)
    except _FAILURES as error:
        raise _rejected(str(error)) from None
    if not isinstance(patched, dict):
        raise BadRequest("json: cannot unmarshal value into Go value of type map[string]interface {}")
    return patched


def _copied_by(operation: Any, document: Any) -> int:
    if not isinstance(operation, dict) or operation.get("op") != "copy":
        return 0
    return len(orjson.dumps(JsonPointer(operation["from"]).resolve(document)))


def _rejected(why: str) -> Invalid:
    """As `errors.NewGenericServerResponse` for 422, with the cause it hides in the details."""
    details = {"causes": [{"reason": "UnexpectedServerResponse", "message": why}]}
    return Invalid(f"the server rejected our request due to an error in our request: {why}", details)
