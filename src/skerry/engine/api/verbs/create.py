"""`create`: a new object, named by the client or from `generateName`."""

from __future__ import annotations

from skerry.engine.api import writing
from skerry.engine.api.backend import Backend
from skerry.engine.api.bodies import read_object
from skerry.engine.api.inert import warnings_for
from skerry.engine.api.metadata import begin, check_address, generated_name, metadata_of
from skerry.engine.api.options import write_options
from skerry.engine.api.request import Request
from skerry.engine.api.response import Computed, Response, Stored
from skerry.engine.store.contract import KeyExists
from skerry.kube.clock import rfc3339
from skerry.kube.errors import BadRequest, Cause, already_exists, invalid
from skerry.kube.objects import Obj, copy_of

_NAME_ATTEMPTS = 8


async def create(backend: Backend, request: Request) -> Response:
    """Store a new object. Raises AlreadyExists, BadRequest, Invalid, and what admission refuses with."""
    target = request.what
    options = write_options(request.query)
    obj = await read_object(request, target.kind, options.field_validation)
    check_address(obj, target)
    metadata = metadata_of(obj)
    if metadata.get("resourceVersion"):
        raise BadRequest("resourceVersion should not be set on objects to be created")
    begin(metadata, rfc3339(backend.clock.now()))
    return await _named(backend, request, obj, dry_run=options.dry_run)


async def _named(backend: Backend, request: Request, obj: Obj, *, dry_run: bool) -> Response:
    kind, metadata = request.what.kind, obj["metadata"]
    base = "" if metadata.get("name") else metadata.get("generateName") or ""
    if not base and not metadata.get("name"):
        cause = Cause("FieldValueRequired", "Required value: name or generateName is required", "metadata.name")
        raise invalid(kind.resource.group, kind.resource.kind, "", [cause])
    for _ in range(_NAME_ATTEMPTS if base else 1):
        attempt = copy_of(obj) if base else obj
        if base:
            attempt["metadata"]["name"] = metadata["name"] = generated_name(base)
        kind.strategy.default(attempt)  # after naming: some defaults repeat the name
        kind.strategy.prepare_create(attempt)
        try:
            entry = await writing.create(backend, request, attempt, dry_run=dry_run)
        except KeyExists:
            continue
        request.warnings.extend(warnings_for(request.what.group_resource, attempt))
        return Computed(attempt, 201, kind) if dry_run else Stored(kind, entry, 201)
    raise already_exists(request.what.group_resource, metadata["name"])
