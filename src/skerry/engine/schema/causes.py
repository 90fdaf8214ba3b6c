"""Causes of an Invalid, worded as k8s.io/apimachinery `pkg/util/validation/field` words them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from skerry.kube.errors import Cause


def shown(value: Any) -> str:
    """A value as Kubernetes prints it in messages: strings quoted, the rest as JSON."""
    return orjson.dumps(value).decode()


def required(field: str, detail: str = "") -> Cause:
    """`Required value: detail`."""
    return Cause("FieldValueRequired", f"Required value: {detail}" if detail else "Required value", field)


def invalid(field: str, value: Any, detail: str) -> Cause:
    """`Invalid value: "x": detail`."""
    return Cause("FieldValueInvalid", f"Invalid value: {shown(value)}: {detail}", field)


def not_supported(field: str, value: Any, supported: Iterable[str]) -> Cause:
    """`Unsupported value: "x": supported values: "A", "B"`."""
    listed = ", ".join(shown(item) for item in sorted(supported))
    return Cause("FieldValueNotSupported", f"Unsupported value: {shown(value)}: supported values: {listed}", field)


def forbidden(field: str, detail: str) -> Cause:
    """`Forbidden: detail`."""
    return Cause("FieldValueForbidden", f"Forbidden: {detail}", field)


def duplicate(field: str, value: Any) -> Cause:
    """`Duplicate value: "x"`."""
    return Cause("FieldValueDuplicate", f"Duplicate value: {shown(value)}", field)


def not_found(field: str, value: Any) -> Cause:
    """`Not found: "x"`."""
    return Cause("FieldValueNotFound", f"Not found: {shown(value)}", field)


def too_long(field: str, limit: int) -> Cause:
    """`Too long: may not be more than N bytes`."""
    return Cause("FieldValueTooLong", f"Too long: may not be more than {limit} bytes", field)


def too_many(field: str, actual: int, limit: int) -> Cause:
    """`Too many: 21: must have at most 20 items`."""
    return Cause("FieldValueTooMany", f"Too many: {actual}: must have at most {limit} items", field)


def invalid_whole(field: str, detail: str) -> Cause:
    """`Invalid value: detail`, where the value would say nothing."""
    return Cause("FieldValueInvalid", f"Invalid value: {detail}", field)


def immutable(field: str, value: Any) -> Cause:
    """`Invalid value: ...: field is immutable`."""
    return invalid(field, value, "field is immutable")
