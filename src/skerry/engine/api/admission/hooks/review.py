"""AdmissionReviews: what a webhook is sent, and reading, without trust, what it answers.

Source: `apiserver/pkg/admission/plugin/webhook/request/admissionreview.go` and `.../webhook/errors/statuserror.go`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import orjson

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.api.admission.dynamic.refusals import refusal
from skerry.engine.api.admission.dynamic.requests import request_object
from skerry.engine.schema.contract import Kind
from skerry.kube.errors import StatusError
from skerry.kube.objects import Obj
from skerry.kube.records import record

_GROUP = "admission.k8s.io"
_VERSIONS = ("v1", "v1beta1")


class BadReview(Exception):
    """An answer that is none: what is wrong with it."""


@record
class Verdict:
    """What a webhook says. `patch`: JSON patch operations."""

    allowed: bool
    status: Mapping[str, Any]
    patch: list[Any]
    warnings: list[str]
    annotations: Mapping[str, str]


def version_for(hook: Obj) -> str:
    """The first version of reviews a webhook takes that we speak."""
    return next((version for version in hook.get("admissionReviewVersions") or () if version in _VERSIONS), "v1")


def review_of(
    attributes: Attributes, kind: Kind, objects: tuple[Obj | None, Obj | None], uid: str, version: str
) -> Obj:
    """The review to send."""
    new, old = objects
    request = {"uid": uid, **request_object(attributes, kind), "object": new, "oldObject": old}
    return {"kind": "AdmissionReview", "apiVersion": f"{_GROUP}/{version}", "request": request}


def verdict_of(answer: Obj, uid: str, version: str, *, mutating: bool) -> Verdict:
    """Read an answer. Raises BadReview for what it must not say."""
    response = answer.get("response")
    wanted = f"{_GROUP}/{version}, Kind=AdmissionReview"
    given = f"{answer.get('apiVersion', '')}, Kind={answer.get('kind', '')}"
    if given != wanted:
        raise BadReview(f"expected webhook response of {wanted}, got {given}")
    if response is None:
        raise BadReview("webhook response was absent")
    _check(response, dict, "response")
    if response.get("uid") != uid and not (version == "v1beta1" and not response.get("uid")):
        shown = response.get("uid", "") if isinstance(response.get("uid", ""), str) else "?"
        raise BadReview(f'expected response.uid="{uid}", got "{shown[:128]}"')
    return Verdict(
        bool(_checked(response, "allowed", bool, False)),
        _checked(response, "status", dict, {}),
        _patch(response, mutating=mutating),
        [text for text in _checked(response, "warnings", list, []) if isinstance(text, str)],
        {
            str(key): value
            for key, value in _checked(response, "auditAnnotations", dict, {}).items()
            if isinstance(value, str)
        },
    )


def _checked(response: Obj, key: str, kind: type, default: Any) -> Any:
    value = response.get(key)
    return default if value is None else _check(value, kind, f"response.{key}")


def _check(value: Any, kind: type, where: str) -> Any:
    if not isinstance(value, kind):
        raise BadReview(f"{where} is of the wrong type")
    return value


def _patch(response: Obj, *, mutating: bool) -> list[Any]:
    text, kind = response.get("patch"), response.get("patchType")
    if not mutating:
        for key in ("patch", "patchType"):
            if response.get(key):
                raise BadReview(f"validating webhook may not return response.{key}")
        return []
    if not text:
        if kind is not None:
            raise BadReview("webhook returned response.patchType but not response.patch")
        return []
    if kind is None:
        raise BadReview("webhook returned response.patch but not response.patchType")
    if kind != "JSONPatch":
        raise BadReview(f'invalid response.patchType of "{str(kind)[:64]}"')
    return _operations(text)


def _operations(text: Any) -> list[Any]:
    try:
        operations = orjson.loads(base64.b64decode(_check(text, str, "response.patch"), validate=True))
    except (binascii.Error, ValueError) as error:
        raise BadReview(f"response.patch is no JSON patch: {error}") from None
    checked: list[Any] = _check(operations, list, "response.patch")
    return checked


def denial(name: str, status: Mapping[str, Any]) -> StatusError:
    """The error the client gets when webhook `name` says no."""
    message, reason, code = status.get("message"), status.get("reason"), status.get("code")
    text = f'admission webhook "{name}" denied the request'
    text = f"{text}: {message or reason}" if message or reason else f"{text} without explanation"
    details = status.get("details")
    return refusal(
        text,
        int(code) if isinstance(code, int) and 400 <= code <= 599 else 400,
        str(reason or ""),
        dict(details) if isinstance(details, dict) else {},
    )
