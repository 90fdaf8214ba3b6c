"""`pods/eviction`: delete a pod politely. No PodDisruptionBudgets exist here yet, so nothing holds it back."""

from __future__ import annotations

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.api.backend import Backend
from skerry.engine.api.bodies import read_object
from skerry.engine.api.options import delete_options, write_options
from skerry.engine.api.request import Request
from skerry.engine.api.response import Computed, Response
from skerry.engine.api.subresources.binding import SUCCESS
from skerry.engine.api.verbs.delete import delete_one
from skerry.engine.schema.bodies import EVICTION
from skerry.kube.errors import BadRequest


async def evict(backend: Backend, request: Request) -> Response:
    """Delete the pod with the eviction's `deleteOptions`. Raises NotFound, Conflict, BadRequest."""
    written = write_options(request.query)
    eviction = await read_object(request, EVICTION, written.field_validation)
    name = eviction["metadata"].get("name")
    if name and name != request.what.name:
        raise BadRequest(f'name in URL does not match name in Eviction object: "{name}" "{request.what.name}"')
    dry_run = {"dryRun": "All"} if written.dry_run else {}
    options = delete_options(dry_run, eviction.get("deleteOptions"))
    await backend.admission.admit(Attributes("CREATE", request, request.what, eviction, None, written))
    await delete_one(backend, request, request.what, options, admitted=True)
    return Computed(SUCCESS, 201)
