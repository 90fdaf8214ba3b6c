"""What all reviews share: the question is read, admitted and checked like any object, answered, and never stored."""

from __future__ import annotations

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.api.backend import Backend
from skerry.engine.api.bodies import read_object
from skerry.engine.api.metadata import check_address
from skerry.engine.api.options import write_options
from skerry.engine.api.request import Request
from skerry.engine.api.response import Computed
from skerry.engine.api.writing import refuse
from skerry.kube.objects import Obj


async def asked(backend: Backend, request: Request) -> Obj:
    """The review without an answer. Raises BadRequest, Invalid, and what admission refuses with."""
    options, kind = write_options(request.query), request.what.kind
    review = await read_object(request, kind, options.field_validation)
    check_address(review, request.what)
    review.pop("status", None)
    await backend.admission.admit(Attributes("CREATE", request, request.what, review, None, options))
    refuse(kind, review, kind.strategy.validate(review))
    return review


def answered(review: Obj, status: Obj) -> Computed:
    """The review with its answer."""
    return Computed({**review, "status": status}, 201)
