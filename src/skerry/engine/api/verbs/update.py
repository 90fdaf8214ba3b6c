"""`update`: replace an object; with a resourceVersion only if that is current."""

from __future__ import annotations

import orjson

from skerry.engine.api.backend import Backend
from skerry.engine.api.bodies import read_object
from skerry.engine.api.metadata import check_address
from skerry.engine.api.options import write_options
from skerry.engine.api.request import Request
from skerry.engine.api.response import Response
from skerry.engine.api.tracking import tracker
from skerry.engine.api.writing import Change, Checks, Prepare, change
from skerry.engine.store.contract import Entry
from skerry.kube.objects import Obj


async def update(backend: Backend, request: Request) -> Response:
    """Replace what is named, status apart. Raises NotFound, Conflict, BadRequest, Invalid."""
    return await replace(backend, request, request.what.kind.strategy.prepare_update)


async def replace(backend: Backend, request: Request, prepare: Prepare, checks: Checks | None = None) -> Response:
    """`update` with `prepare` saying what may be touched (status updates come here too), `checks` as in `Change`."""
    target = request.what
    options = write_options(request.query, "UpdateOptions")
    obj = await read_object(request, target.kind, options.field_validation)
    check_address(obj, target)
    given, encoded = [obj], orjson.dumps(obj)

    def wanted(entry: Entry) -> Obj:
        """The object as it came, again and again: each attempt changes its own."""
        again: Obj = given.pop() if given else orjson.loads(encoded)
        return again

    track = tracker(backend, request, options)
    return await change(backend, request, Change(wanted, prepare, options, track, checks=checks))
