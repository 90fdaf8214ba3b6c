"""`create`: a new object, named by the client or from `generateName`."""

from __future__ import annotations

from skerry.engine.api import writing
from skerry.engine.api.backend import Backend
from skerry.engine.api.bodies import read_object
from skerry.engine.api.inert import warnings_for
from skerry.engine.api.metadata import check_address, metadata_of, wipe
from skerry.engine.api.options import write_options
from skerry.engine.api.request import Request
from skerry.engine.api.response import Computed, Response, Stored
from skerry.engine.api.tracking import write_of
from skerry.engine.schema.managed.updates import track_create
from skerry.kube.errors import BadRequest


async def create(backend: Backend, request: Request) -> Response:
    """Store a new object. Raises AlreadyExists, BadRequest, Invalid, and what admission refuses with."""
    target = request.what
    options = write_options(request.query)
    obj = await read_object(request, target.kind, options.field_validation)
    check_address(obj, target)
    metadata = metadata_of(obj)
    if _is_revision(metadata.get("resourceVersion")):
        raise BadRequest("resourceVersion should not be set on objects to be created")
    wipe(metadata)
    target.kind.strategy.default(obj)
    track_create(obj, write_of(backend, request, options))  # what admission and the strategy add is nobody's
    entry = await writing.create(backend, request, obj, options)
    request.warnings.extend(warnings_for(target.group_resource))
    return Computed(obj, 201, target.kind) if options.dry_run else Stored(target.kind, entry, 201)


def _is_revision(version: object) -> bool:
    """Old manifests say `resourceVersion: v1`: what is no number, or 0, is dropped (Source: etcd3 `store.Create`)."""
    return isinstance(version, str) and version.isdecimal() and int(version) > 0
