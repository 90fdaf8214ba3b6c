"""Which function serves which verb of which subresource: the innermost handler.

Streams into pods that come as WebSockets are let in by `server`, not here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from skerry.engine.api.backend import Backend
from skerry.engine.api.refusals import NotSupported, method_not_allowed, no_such_path
from skerry.engine.api.request import Handler, Request, Target
from skerry.engine.api.response import Response
from skerry.engine.api.reviews.access_reviews import review_access, review_own_access
from skerry.engine.api.reviews.self_reviews import review_own_rules, review_self
from skerry.engine.api.reviews.token_review import review_token
from skerry.engine.api.subresources.approval import patch_approval, update_approval
from skerry.engine.api.subresources.binding import bind, bind_named
from skerry.engine.api.subresources.eviction import evict
from skerry.engine.api.subresources.finalize import finalize
from skerry.engine.api.subresources.pod_parts import (
    patch_ephemeral_containers,
    patch_resize,
    update_ephemeral_containers,
    update_resize,
)
from skerry.engine.api.subresources.pod_streams import log, stream
from skerry.engine.api.subresources.proxy.handler import proxy
from skerry.engine.api.subresources.scale import get_scale, patch_scale, update_scale
from skerry.engine.api.subresources.status import patch_status, update_status
from skerry.engine.api.subresources.token import create_token
from skerry.engine.api.verbs.components import RESOURCE as COMPONENT
from skerry.engine.api.verbs.components import get_component, list_components
from skerry.engine.api.verbs.create import create
from skerry.engine.api.verbs.delete import delete
from skerry.engine.api.verbs.deletecollection import delete_collection
from skerry.engine.api.verbs.get import get
from skerry.engine.api.verbs.listing import list_objects
from skerry.engine.api.verbs.patch import patch
from skerry.engine.api.verbs.update import update
from skerry.engine.api.verbs.usage import GROUP as MEASURED
from skerry.engine.api.verbs.usage import get_usage, list_usage
from skerry.engine.api.verbs.watching import watch
from skerry.engine.store.contract import StoreClosed, StoreFull
from skerry.kube.errors import InsufficientStorage, ServiceUnavailable

Verb: TypeAlias = Callable[[Backend, Request], Awaitable[Response]]

VERBS: Mapping[str, Verb] = {
    "get": get,
    "list": list_objects,
    "watch": watch,
    "create": create,
    "update": update,
    "patch": patch,
    "delete": delete,
    "deletecollection": delete_collection,
}
USAGE: Mapping[str, Verb] = {"get": get_usage, "list": list_usage}
"""Of what is measured, not stored (metrics.k8s.io)."""
COMPONENTS: Mapping[str, Verb] = {"get": get_component, "list": list_components}
ASKED: Mapping[str, Verb] = {
    "bindings": bind_named,
    "tokenreviews.authentication.k8s.io": review_token,
    "selfsubjectreviews.authentication.k8s.io": review_self,
    "subjectaccessreviews.authorization.k8s.io": review_access,
    "localsubjectaccessreviews.authorization.k8s.io": review_access,
    "selfsubjectaccessreviews.authorization.k8s.io": review_own_access,
    "selfsubjectrulesreviews.authorization.k8s.io": review_own_rules,
}
"""What creating one of these does: they are acted on or answered, and not stored."""
SUBRESOURCES: Mapping[str, Mapping[str, Verb]] = {
    "status": {"get": get, "update": update_status, "patch": patch_status},
    "approval": {"get": get, "update": update_approval, "patch": patch_approval},
    "scale": {"get": get_scale, "update": update_scale, "patch": patch_scale},
    "finalize": {"update": finalize},
    "binding": {"create": bind},
    "eviction": {"create": evict},
    "token": {"create": create_token},
    "ephemeralcontainers": {
        "get": get,
        "update": update_ephemeral_containers,
        "patch": patch_ephemeral_containers,
    },
    "proxy": dict.fromkeys(("get", "create", "update", "patch", "delete", "options"), proxy),
    "resize": {"get": get, "update": update_resize, "patch": patch_resize},
    "log": {"get": log},
    "exec": {"get": stream, "create": stream},
    "attach": {"get": stream, "create": stream},
    "portforward": {"get": stream, "create": stream},
}


def dispatcher(backend: Backend) -> Handler:
    """The handler that runs the verb. The store's failures become the Status a client can act on."""

    async def handle(request: Request) -> Response:
        verb = verb_of(request)
        try:
            response = await verb(backend, request)
        except StoreFull as error:
            raise InsufficientStorage(f"the write could not be made durable: {error}") from error
        except StoreClosed as error:
            raise ServiceUnavailable("the server is shutting down") from error
        if deprecation := request.what.kind.deprecation:
            request.warnings.append(deprecation)
        return response

    return handle


def verb_of(request: Request) -> Verb:
    """The function for a request. Raises NotFound, MethodNotAllowed, NotSupported."""
    target = request.what
    name = target.subresource
    if not name:
        verb = _verbs_of(target).get(request.verb)
        if verb is None or request.verb not in target.kind.verbs:
            raise method_not_allowed(target)
        return verb
    verbs = SUBRESOURCES.get(name)
    if verbs is None and name in target.kind.subresources:
        raise NotSupported(f"{target.group_resource}/{name} is not supported by this server")
    if verbs is None or name not in target.kind.subresources:
        raise no_such_path()
    if request.verb not in verbs:
        raise method_not_allowed(target)
    return verbs[request.verb]


def _verbs_of(target: Target) -> Mapping[str, Verb]:
    """What is served of objects themselves: less of those that are not stored."""
    if len(target.kind.verbs) > len(USAGE):
        return VERBS
    if asked := ASKED.get(target.group_resource):
        return {"create": asked}
    if target.kind.resource.group == MEASURED:
        return USAGE
    return COMPONENTS if target.group_resource == COMPONENT else VERBS
