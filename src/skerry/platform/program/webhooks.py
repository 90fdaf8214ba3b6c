"""Admission over HTTPS: the webhook configurations that hooks come to, and the route that answers reviews.

What fails in a hook is a refusal with a reason and a line in the log, never an open door. API servers bring no
credentials, so a key that is made anew at every start is part of the path: whoever does not know it is not read, and
cannot have quota held for pods that nobody makes. Source: `admission.k8s.io/v1`.
"""

from __future__ import annotations

import base64
import logging
import secrets
from collections.abc import Iterable, Sequence

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from skerry.kube.client import Client
from skerry.kube.objects import Obj, Resource
from skerry.platform.base.admission import Hook, Review, Verdict
from skerry.platform.base.applying import apply

log = logging.getLogger(__name__)

VALIDATING = Resource(
    "admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration",
    namespaced=False,
)  # fmt: skip
MUTATING = Resource(
    "admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration",
    namespaced=False,
)  # fmt: skip
_NAME = "skerry-platform"
_SECONDS = 10


def new_key() -> str:
    """The secret part of the path."""
    return secrets.token_urlsafe(32)


async def register(client: Client, hooks: Sequence[Hook], url: str, ca: bytes, key: str) -> None:
    """Tell the API server. `url`: where we are, e.g. https://127.0.0.1:8443; `ca`: PEM. Raises StatusError."""
    base = f"{url}/admission/{key}"
    for resource, is_mutating in ((VALIDATING, False), (MUTATING, True)):
        webhooks = [_webhook(one, base, ca) for one in hooks if one.mutating == is_mutating]
        await apply(client, resource, {"metadata": {"name": _NAME}, "webhooks": webhooks})


def _webhook(hook: Hook, base: str, ca: bytes) -> Obj:
    whole: Obj = {
        "name": f"{hook.name}.skerry.dev",
        "admissionReviewVersions": ["v1"],
        "clientConfig": {"url": f"{base}/{hook.name}", "caBundle": base64.b64encode(ca).decode()},
        "rules": list(hook.rules),
        "failurePolicy": "Fail",
        "matchPolicy": "Equivalent",
        "sideEffects": "NoneOnDryRun",
        "timeoutSeconds": _SECONDS,
        **hook.more,
    }
    if hook.namespaces:
        whole["namespaceSelector"] = hook.namespaces
    if hook.conditions:
        whole["matchConditions"] = list(hook.conditions)
    return whole


def admission_route(hooks: Iterable[Hook], key: str) -> Route:
    """POST /admission/<key>/<hook>."""
    by_name = {one.name: one for one in hooks}

    async def answer(request: Request) -> Response:
        hook = by_name.get(request.path_params["hook"])
        is_known = secrets.compare_digest(request.path_params["key"].encode(), key.encode())
        if hook is None or not is_known:
            return Response("there is no such hook", 404)
        try:
            wanted = orjson.loads(await request.body())["request"]
            review = _review(wanted)
        except (ValueError, KeyError, TypeError) as error:
            return Response(f"not an AdmissionReview: {error!r}", 400)
        return Response(orjson.dumps(_answer(review.uid, await _judged(hook, review))), media_type="application/json")

    return Route("/admission/{key}/{hook}", answer, methods=["POST"])


async def _judged(hook: Hook, review: Review) -> Verdict:
    try:
        return await hook.judge(review)
    except Exception:
        log.exception("%s: %s %s/%s", hook.name, review.operation, review.namespace, review.name)
        message = f"{hook.name} could not be decided: see the platform's log (`skerry logs`)"
        return Verdict(message, code=500, reason="InternalError")


def _review(wanted: Obj) -> Review:
    resource, user = wanted["resource"], wanted.get("userInfo") or {}
    return Review(
        uid=wanted["uid"],
        operation=wanted["operation"],
        group=resource.get("group", ""),
        version=resource["version"],
        plural=resource["resource"],
        subresource=wanted.get("subResource") or "",
        namespace=wanted.get("namespace") or "",
        name=wanted.get("name") or "",
        user=user.get("username") or "",
        groups=frozenset(user.get("groups") or ()),
        object=wanted.get("object") or {},
        old=wanted.get("oldObject") or {},
        dry_run=bool(wanted.get("dryRun")),
    )


def _answer(uid: str, verdict: Verdict) -> Obj:
    response: Obj = {"uid": uid, "allowed": not verdict.message}
    if verdict.message:
        response["status"] = {"code": verdict.code, "reason": verdict.reason, "message": verdict.message}
    if verdict.patch:
        response |= {"patchType": "JSONPatch", "patch": base64.b64encode(orjson.dumps(list(verdict.patch))).decode()}
    if verdict.warnings:
        response["warnings"] = list(verdict.warnings)
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}
