"""Rules on `LabelSelector` objects inside specs. Source: `metav1/validation.ValidateLabelSelector`."""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.schema import names
from skerry.engine.schema.causes import forbidden, invalid, required
from skerry.engine.schema.metadata import validate_labels
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj


def check_label_selector(selector: Obj, field: str) -> Iterator[Cause]:
    """Labels, operators and values a selector may have."""
    yield from validate_labels(selector.get("matchLabels") or {}, f"{field}.matchLabels")
    for index, expression in enumerate(selector.get("matchExpressions") or ()):
        yield from _check_expression(expression, f"{field}.matchExpressions[{index}]")


def _check_expression(expression: Obj, field: str) -> Iterator[Cause]:
    operator, values = expression.get("operator"), expression.get("values") or ()
    if operator in ("In", "NotIn"):
        if not values:
            yield required(f"{field}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            yield forbidden(f"{field}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
    else:
        yield invalid(f"{field}.operator", operator or "", "not a valid selector operator")
    if complaint := names.qualified_name(expression.get("key") or ""):
        yield invalid(f"{field}.key", expression.get("key", ""), complaint)
    for index, value in enumerate(values):
        if complaint := names.label_value(value):
            yield invalid(f"{field}.values[{index}]", value, complaint)
