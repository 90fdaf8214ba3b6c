"""`patch`: JSON patch, merge patch, strategic merge patch, applied again when somebody else was faster.

A patch that carries a resourceVersion only applies to that state. One whose result is none of the kind is Invalid, with
the patch (strategic) or the result (JSON, merge) as the value. Server-side apply has a file of its own (`apply`).
Neighbour: `engine.schema.patch`.
"""

from __future__ import annotations

import orjson

from skerry.engine.api.backend import Backend
from skerry.engine.api.bodies import read_bytes
from skerry.engine.api.metadata import check_address
from skerry.engine.api.options import WriteOptions, patch_options
from skerry.engine.api.request import Request
from skerry.engine.api.response import Response
from skerry.engine.api.tracking import tracker
from skerry.engine.api.verbs.apply import apply
from skerry.engine.api.writing import Change, Checks, Prepare, change
from skerry.engine.schema import causes, codec
from skerry.engine.schema.codec import media_type
from skerry.engine.schema.managed.conformance import go_text
from skerry.engine.schema.patch import APPLY_PATCH, STRATEGIC_PATCH, apply_patch, check_patch_type
from skerry.engine.store.contract import Entry
from skerry.kube.errors import Invalid, invalid
from skerry.kube.objects import Obj


async def patch(backend: Backend, request: Request) -> Response:
    """Patch what is named, status apart. Raises NotFound, Conflict, BadRequest, Invalid, UnsupportedMediaType."""
    return await patch_with(backend, request, request.what.kind.strategy.prepare_update)


async def patch_with(backend: Backend, request: Request, prepare: Prepare, checks: Checks | None = None) -> Response:
    """`patch` with `prepare` saying what may be touched (status patches come here too), `checks` as in `Change`."""
    if media_type(request.content_type) == APPLY_PATCH:
        return await apply(backend, request, prepare, checks)
    options = patch_options(request.query)
    body = orjson.dumps(request.handed) if request.handed is not None else await read_bytes(request)
    content_type = media_type(request.content_type)
    check_patch_type(request.what.kind, content_type)  # before the object is looked for, as Kubernetes does

    def wanted(entry: Entry) -> Obj:
        return _patched(request, entry, content_type, body, options)

    track = tracker(backend, request, options)
    return await change(backend, request, Change(wanted, prepare, options, track, checks=checks))


def _patched(request: Request, entry: Entry, content_type: str, body: bytes, options: WriteOptions) -> Obj:
    kind = request.what.kind
    patched = apply_patch(kind, content_type, entry.shared(), body)
    try:
        obj, warnings = codec.check(kind, patched, options.field_validation)
    except codec.CannotBeHandled as error:
        if content_type == STRATEGIC_PATCH:
            raise _refused(go_text(orjson.loads(body)), error.conversion) from None
        result = apply_patch(kind, content_type, entry.shared(), body)  # the check has changed the other one
        raise _refused(orjson.dumps(result).decode(), error.why) from None
    request.warnings[:] = warnings
    check_address(obj, request.what)
    return obj


def _refused(shown: str, why: str) -> Invalid:
    """Of a patch whose result is none of its kind: no object is named, as in Kubernetes."""
    return invalid("", "", "", [causes.invalid("patch", shown, why)])
