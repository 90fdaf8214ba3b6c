"""Conversion by a webhook: a ConversionReview out, its objects back, checked before anybody sees them.

A webhook may change anything but what an object is: kind, name, namespace and uid; of the metadata it may set labels
and annotations only. Source: `pkg/apiserver/conversion/webhook_converter.go` of the apiextensions server.
"""

from __future__ import annotations

import uuid
from typing import Any

from skerry.engine.api.webhooks.client import WebhookClient, WebhookFailure
from skerry.kube.errors import InternalError
from skerry.kube.objects import Obj, copy_of

_GROUP = "apiextensions.k8s.io"
_REVIEW_VERSIONS = ("v1", "v1beta1")
_SECONDS = 30.0


async def convert_by_webhook(webhooks: WebhookClient, webhook: Obj, objs: list[Obj], wanted: str) -> list[Obj]:
    """The objects converted to the apiVersion `wanted`. Raises InternalError with what went wrong."""
    about = _kind_text(objs[0])
    request = _review(webhook, objs, wanted)
    try:
        answer = await webhooks.call(webhook["clientConfig"], request, _SECONDS)
        converted = _converted_in(answer, request)
    except (WebhookFailure, ValueError) as error:
        raise InternalError(f"conversion webhook for {about} failed: {error}") from error
    if len(converted) != len(objs):
        raise InternalError(f"conversion webhook for {about} returned {len(converted)} objects, expected {len(objs)}")
    try:
        return [_checked(original, obj, wanted) for original, obj in zip(objs, converted, strict=True)]
    except ValueError as error:
        raise InternalError(f"conversion webhook for {about} returned invalid object: {error}") from error


def _kind_text(obj: Obj) -> str:
    return f"{obj.get('apiVersion')}, Kind={obj.get('kind')}"


def _review(webhook: Obj, objs: list[Obj], wanted: str) -> Obj:
    version = next((each for each in webhook["conversionReviewVersions"] if each in _REVIEW_VERSIONS), "v1")
    request = {"uid": str(uuid.uuid4()), "desiredAPIVersion": wanted, "objects": objs}
    return {"kind": "ConversionReview", "apiVersion": f"{_GROUP}/{version}", "request": request}


def _converted_in(review: Obj, request: Obj) -> list[Any]:
    """The objects of a response. Raises ValueError for one that is none or says that it failed."""
    expected = (request["apiVersion"], request["kind"])
    if (review.get("apiVersion"), review.get("kind")) != expected:
        got = f"{review.get('apiVersion', '')}, Kind={review.get('kind', '')}"
        raise ValueError(f"expected webhook response of {expected[0]}, Kind={expected[1]}, got {got}")
    response = review.get("response")
    if not isinstance(response, dict):
        raise ValueError("no response provided")
    uid = request["request"]["uid"]
    if expected[0].endswith("/v1") and response.get("uid") != uid:
        raise ValueError(f'expected response.uid="{uid}", got "{response.get("uid", "")}"')
    result = response.get("result") or {}
    if result.get("status") != "Success":
        said = result.get("message")
        raise ValueError(said or f"response.result.status was '{result.get('status', '')}', not 'Success'")
    return list(response.get("convertedObjects") or ())


def _checked(original: Obj, converted: Any, wanted: str) -> Obj:
    """The converted object with the original's metadata but for labels and annotations. Raises ValueError."""
    if not isinstance(converted, dict):
        raise ValueError("it is not an object")
    if converted.get("apiVersion") != wanted:
        raise ValueError(f"invalid groupVersion (expected {wanted}, received {converted.get('apiVersion', '')})")
    if converted.get("kind") != original.get("kind"):
        raise ValueError(f"invalid kind (expected {original.get('kind')}, received {converted.get('kind', '')})")
    given, kept = converted.get("metadata"), copy_of(original["metadata"])
    if not isinstance(given, dict):
        raise ValueError("missing metadata in converted object")
    for field in ("name", "namespace", "uid"):
        if (given.get(field) or "") != (kept.get(field) or ""):
            raise ValueError(f"must have the same {field}: {given.get(field)} != {kept.get(field)}")
    for field in ("labels", "annotations"):
        kept.pop(field, None)
        if given.get(field):
            kept[field] = _texts(given[field], field)
    return {**converted, "metadata": kept}


def _texts(value: Any, field: str) -> Obj:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise ValueError(f"metadata.{field} must be a map of strings in converted object")
    return value
