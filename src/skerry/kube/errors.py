"""The Kubernetes `Status` as an exception: one class per reason, with the code and wording Kubernetes uses.

Source: k8s.io/apimachinery `pkg/api/errors` and `metav1.StatusReason`. The API server raises these; clients raise
the same classes from a response (`from_status`), so a controller handles `NotFound` alike in-process and over HTTP.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from skerry.kube.objects import Obj
from skerry.kube.records import record


@record
class Cause:
    """One `details.causes` entry: reason ("FieldValueInvalid"), message, field path ("spec.ports[0].port")."""

    reason: str
    message: str
    field: str = ""

    def to_json(self) -> Obj:
        """As it stands in `status.details.causes`."""
        return {key: value for key, value in vars_of(self).items() if value}


def vars_of(cause: Cause) -> dict[str, str]:
    """The fields of a cause as a dictionary (slots classes have no `__dict__`)."""
    return {"reason": cause.reason, "message": cause.message, "field": cause.field}


class StatusError(Exception):
    """A failure with a Kubernetes `Status` body. `details`: name, group, kind, uid, causes, retryAfterSeconds."""

    code: ClassVar[int] = 500
    reason: ClassVar[str] = "InternalError"

    def __init__(self, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details or {}

    def to_json(self) -> Obj:
        """The `Status` object for the wire."""
        status: Obj = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
        }
        if self.details:
            status["details"] = self.details
        status["code"] = self.code
        return status


class BadRequest(StatusError):
    """400: the request itself cannot be understood."""

    code, reason = 400, "BadRequest"


class Unauthorized(StatusError):
    """401: nobody known is asking."""

    code, reason = 401, "Unauthorized"


class Forbidden(StatusError):
    """403: known, but not allowed."""

    code, reason = 403, "Forbidden"


class NotFound(StatusError):
    """404: no such object, resource or path."""

    code, reason = 404, "NotFound"


class MethodNotAllowed(StatusError):
    """405: the resource exists but not this verb."""

    code, reason = 405, "MethodNotAllowed"


class NotAcceptable(StatusError):
    """406: no representation the client accepts."""

    code, reason = 406, "NotAcceptable"


class AlreadyExists(StatusError):
    """409: an object of that name exists."""

    code, reason = 409, "AlreadyExists"


class Conflict(StatusError):
    """409: the object changed since it was read, or a precondition failed."""

    code, reason = 409, "Conflict"


class Gone(StatusError):
    """410: the asked-for history is no longer there."""

    code, reason = 410, "Gone"


class Expired(StatusError):
    """410: the resourceVersion or continue token is too old: list again."""

    code, reason = 410, "Expired"


class RequestEntityTooLarge(StatusError):
    """413: the body is over the limit."""

    code, reason = 413, "RequestEntityTooLarge"


class UnsupportedMediaType(StatusError):
    """415: a body of a type we do not read."""

    code, reason = 415, "UnsupportedMediaType"


class Invalid(StatusError):
    """422: understood, but the object breaks its rules; `details.causes` says where."""

    code, reason = 422, "Invalid"


class TooManyRequests(StatusError):
    """429: come back later (`details.retryAfterSeconds`)."""

    code, reason = 429, "TooManyRequests"


class InternalError(StatusError):
    """500: our fault."""

    code, reason = 500, "InternalError"


class ServiceUnavailable(StatusError):
    """503: not now."""

    code, reason = 503, "ServiceUnavailable"


class Timeout(StatusError):
    """504: it took too long; it may or may not have happened."""

    code, reason = 504, "Timeout"


class InsufficientStorage(StatusError):
    """507: the disk is full; reads go on."""

    code, reason = 507, "InsufficientStorage"


_CLASSES: list[type[StatusError]] = [
    BadRequest, Unauthorized, Forbidden, NotFound, MethodNotAllowed, NotAcceptable, AlreadyExists, Conflict, Gone,
    Expired, RequestEntityTooLarge, UnsupportedMediaType, Invalid, TooManyRequests, InternalError, ServiceUnavailable,
    Timeout, InsufficientStorage,
]  # fmt: skip
_BY_REASON: dict[str, type[StatusError]] = {cls.reason: cls for cls in _CLASSES}
_BY_CODE: dict[int, type[StatusError]] = {cls.code: cls for cls in reversed(_CLASSES)}


def from_status(status: Obj, code: int | None = None) -> StatusError:
    """The exception for a `Status` body a server answered with; unknown reasons fall back on the HTTP code."""
    code = int(status.get("code") or code or 500)
    cls = _BY_REASON.get(str(status.get("reason", ""))) or _BY_CODE.get(code, InternalError)
    return cls(str(status.get("message", "")), dict(status.get("details") or {}))


def not_found(group_resource: str, name: str) -> NotFound:
    """`pods "web" not found`, with its details."""
    return NotFound(f'{group_resource} "{name}" not found', _object_details(group_resource, name))


def already_exists(group_resource: str, name: str) -> AlreadyExists:
    """`pods "web" already exists`."""
    return AlreadyExists(f'{group_resource} "{name}" already exists', _object_details(group_resource, name))


def conflict(group_resource: str, name: str, why: str = "") -> Conflict:
    """`Operation cannot be fulfilled on pods "web": the object has been modified; ...`."""
    why = why or "the object has been modified; please apply your changes to the latest version and try again"
    message = f'Operation cannot be fulfilled on {group_resource} "{name}": {why}'
    return Conflict(message, _object_details(group_resource, name))


def forbidden(group_resource: str, name: str, why: str) -> Forbidden:
    """`pods "web" is forbidden: why`."""
    subject = f'{group_resource} "{name}"' if name else group_resource
    return Forbidden(f"{subject} is forbidden: {why}", _object_details(group_resource, name))


def invalid(group: str, kind: str, name: str, causes: Iterable[Cause]) -> Invalid:
    """`Deployment.apps "web" is invalid: spec.x: Required value`, with every cause in the details."""
    listed = list(causes)
    messages = [f"{cause.field}: {cause.message}" if cause.field else cause.message for cause in listed]
    text = messages[0] if len(messages) == 1 else f"[{', '.join(messages)}]"
    qualified = f"{kind}.{group}" if group else kind
    details: dict[str, Any] = {"name": name, "kind": kind, "causes": [cause.to_json() for cause in listed]}
    if group:
        details["group"] = group
    return Invalid(f'{qualified} "{name}" is invalid: {text}', details)


def _object_details(group_resource: str, name: str) -> dict[str, Any]:
    plural, _, group = group_resource.partition(".")
    details = {"name": name, "group": group, "kind": plural}
    return {key: value for key, value in details.items() if value}
