"""Reading the object a request carries: from bytes through the schema's codec, or handed over in-process.

The result is private to the request, of the right kind, and has passed the schema's checks of form.
"""

from __future__ import annotations

from skerry.engine.api.request import Request
from skerry.engine.schema import codec
from skerry.engine.schema.codec import FieldValidation, media_type
from skerry.engine.schema.contract import Kind
from skerry.kube.errors import BadRequest
from skerry.kube.objects import Obj, Resource, copy_of

DELETE_OPTIONS = Kind(
    Resource("", "v1", "deleteoptions", "DeleteOptions"),
    singular="deleteoptions",
    definition="io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions",
)
PROTOBUF = "application/vnd.kubernetes.protobuf"


async def read_bytes(request: Request) -> bytes:
    """The raw body; b"" when there is none. Raises RequestEntityTooLarge."""
    return await request.read() if request.read is not None else b""


async def read_object(request: Request, kind: Kind, field_validation: FieldValidation) -> Obj:
    """The object of a create or update. Warnings go to the request. Raises BadRequest, UnsupportedMediaType."""
    if isinstance(request.handed, dict):
        obj, warnings = codec.check(kind, _private(request.handed, request.what.subresource), field_validation)
        request.warnings.extend(warnings)
        return obj
    body = await read_bytes(request)
    if media_type(request.content_type) == PROTOBUF:
        obj, warnings = codec.check(kind, _from_protobuf(body), field_validation)
    else:
        obj, warnings = codec.decode(kind, body, request.content_type, field_validation)
    request.warnings.extend(warnings)
    return obj


def _private(handed: Obj, subresource: str) -> Obj:
    """A copy; without managedFields where they are not looked at, which half of a pod is."""
    metadata = handed.get("metadata")
    if subresource and metadata and "managedFields" in metadata:
        metadata = {name: value for name, value in metadata.items() if name != "managedFields"}
        return copy_of({**handed, "metadata": metadata})
    return copy_of(handed)


async def read_delete_options(request: Request) -> Obj | None:
    """The DeleteOptions of a deletion; None when there are none. Every group has them, so their apiVersion is moot."""
    if isinstance(request.handed, dict):
        given = copy_of(request.handed)
    else:
        body = await read_bytes(request)
        if not body:
            return None
        given = _parsed(body, request.content_type)
    if given.pop("kind", None) not in (None, "DeleteOptions"):
        raise BadRequest("the body of a deletion must be DeleteOptions")
    given.pop("apiVersion", None)
    return codec.check(DELETE_OPTIONS, given, "Ignore")[0]


def _parsed(body: bytes, content_type: str) -> Obj:
    if media_type(content_type) == PROTOBUF:
        return _from_protobuf(body)
    loaded, _ = codec.parse(body, content_type)
    if not isinstance(loaded, dict):
        raise BadRequest("the body must be an object")
    return loaded


def _from_protobuf(body: bytes) -> Obj:
    from skerry.engine.api.protobuf.decode import decode  # its table is read when a client sends protobuf

    return decode(body)
