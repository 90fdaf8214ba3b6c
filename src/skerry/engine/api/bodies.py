"""Reading the object a request carries: from bytes through the schema's codec, or handed over in-process.

The result is private to the request, of the right kind, and has passed the schema's checks of form.
"""

from __future__ import annotations

from skerry.engine.api.request import Request
from skerry.engine.schema import codec
from skerry.engine.schema.codec import FieldValidation
from skerry.engine.schema.contract import Kind
from skerry.kube.errors import BadRequest
from skerry.kube.objects import Obj, copy_of

PROTOBUF = "application/vnd.kubernetes.protobuf"


def media_type(content_type: str) -> str:
    """The type without its parameters, lower case; "" counts as JSON, as in Kubernetes."""
    return content_type.partition(";")[0].strip().lower() or "application/json"


async def read_bytes(request: Request) -> bytes:
    """The raw body; b"" when there is none. Raises RequestEntityTooLarge."""
    return await request.read() if request.read is not None else b""


async def read_object(request: Request, kind: Kind, field_validation: FieldValidation) -> Obj:
    """The object of a create or update. Warnings go to the request. Raises BadRequest, UnsupportedMediaType."""
    if isinstance(request.handed, dict):
        obj, warnings = codec.check(kind, copy_of(request.handed), field_validation)
        request.warnings.extend(warnings)
        return obj
    body = await read_bytes(request)
    if media_type(request.content_type) == PROTOBUF:
        obj, warnings = codec.check(kind, _from_protobuf(body), field_validation)
    else:
        obj, warnings = codec.decode(kind, body, request.content_type, field_validation)
    request.warnings.extend(warnings)
    return obj


async def read_loose(request: Request) -> Obj | None:
    """A body that is no object of the schema (DeleteOptions, Scale, Binding); None when empty."""
    if isinstance(request.handed, dict):
        return copy_of(request.handed)
    body = await read_bytes(request)
    if not body:
        return None
    if media_type(request.content_type) == PROTOBUF:
        return _from_protobuf(body)
    loaded, _ = codec.parse(body, request.content_type)
    if not isinstance(loaded, dict):
        raise BadRequest("the body must be an object")
    return loaded


def _from_protobuf(body: bytes) -> Obj:
    from skerry.engine.api.protobuf.decode import decode  # its table is read when a client sends protobuf

    return decode(body)
