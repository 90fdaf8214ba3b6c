"""TokenReview: whose bearer token is this, and is it meant for one of these audiences?

Source: Kubernetes' `pkg/registry/authentication/tokenreview/storage.go`.
"""

from __future__ import annotations

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.api.auth.tokens import Identified, InvalidToken
from skerry.engine.api.backend import Backend
from skerry.engine.api.bodies import read_object
from skerry.engine.api.options import write_options
from skerry.engine.api.request import Request
from skerry.engine.api.response import Computed, Response
from skerry.kube.errors import BadRequest
from skerry.kube.objects import Obj


async def review_token(backend: Backend, request: Request) -> Response:
    """Answer. Raises BadRequest without a token."""
    options = write_options(request.query)
    review = await read_object(request, request.what.kind, options.field_validation)
    review.pop("status", None)
    await backend.admission.admit(Attributes("CREATE", request, request.what, review, None, options))
    spec = review.get("spec") or {}
    if not spec.get("token"):
        raise BadRequest("token is required for TokenReview in authentication")
    try:
        found = await backend.credentials.tokens.identify(spec["token"], spec.get("audiences") or ())
    except InvalidToken as error:
        return Computed({**review, "status": {"user": {}, "error": str(error)}}, 201)
    return Computed({**review, "status": _known(found)}, 201)


def _known(found: Identified) -> Obj:
    return {"authenticated": True, "user": found.user.info(), "audiences": list(found.audiences)}
