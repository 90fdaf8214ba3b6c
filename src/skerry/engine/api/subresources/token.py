"""`serviceaccounts/token`: a token for a service account, for some audiences and some time, bound to an object or not.

Source: Kubernetes' `pkg/registry/core/serviceaccount/storage/token.go` and `pkg/apis/authentication/validation`.
"""

from __future__ import annotations

from datetime import UTC, datetime

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.api.auth.service_account_claims import Grant, claims_of
from skerry.engine.api.auth.token_issuer import TokenIssuer
from skerry.engine.api.backend import Backend, find
from skerry.engine.api.bodies import read_object
from skerry.engine.api.options import write_options
from skerry.engine.api.request import Request, Target
from skerry.engine.api.response import Computed, Response
from skerry.engine.schema.bodies import TOKEN_REQUEST
from skerry.engine.store.contract import Key
from skerry.kube.clock import rfc3339
from skerry.kube.errors import BadRequest, Cause, conflict, invalid, not_found
from skerry.kube.objects import Obj, uid_of

SHORTEST, LONGEST, DEFAULT = 600, 1 << 32, 3600
"""Seconds."""
EXTENDED_FROM, EXTENDED_TO = 3607, 365 * 24 * 3600
"""Pods that ask for this odd number of seconds (the automatic volume does) get a year, with a warning after what they
asked for: clients that never read their token again would fail otherwise."""
ISSUED_ID = "authentication.kubernetes.io/issued-credential-id"
"""What the audit log calls the token made."""
_BINDABLE = {"Pod": "pods", "Secret": "secrets", "Node": "nodes"}


async def create_token(backend: Backend, request: Request) -> Response:
    """Make a token. Raises NotFound, Invalid, BadRequest, Conflict (the bound object is another one by now)."""
    target, issuer = request.what, backend.credentials.issuer
    options = write_options(request.query)
    asked = await read_object(request, TOKEN_REQUEST, options.field_validation)
    _check_name(asked, target)
    account = find(backend, target).shared()
    now = backend.clock.now()
    asked["metadata"] |= {"name": target.name, "namespace": target.namespace, "creationTimestamp": rfc3339(now)}
    asked.pop("status", None)
    spec = asked.setdefault("spec", {})
    spec["expirationSeconds"] = DEFAULT if spec.get("expirationSeconds") is None else spec["expirationSeconds"]
    attributes = Attributes("CREATE", request, target, asked, None, options)
    if (pending := backend.admission.mutate(attributes)) is not None:
        await pending
    spec = asked["spec"]
    spec["audiences"] = spec.get("audiences") or list(issuer.audiences)
    if (pending := backend.admission.validate(attributes)) is not None:
        await pending
    _check_duration(spec["expirationSeconds"])
    grant = _grant(backend, request, account, spec, int(now.timestamp()))
    ends = datetime.fromtimestamp(grant.now + spec["expirationSeconds"], UTC)
    claims = claims_of(grant)
    request.annotations[ISSUED_ID] = f"JTI={claims['jti']}"
    return Computed({**asked, "status": {"token": issuer.sign(claims), "expirationTimestamp": rfc3339(ends)}}, 201)


def _grant(backend: Backend, request: Request, account: Obj, spec: Obj, now: int) -> Grant:
    reference, seconds, audiences = spec.get("boundObjectRef"), spec["expirationSeconds"], spec["audiences"]
    sort, bound = _bound_object(backend, request.what, reference) if reference else ("", None)
    warn_after = 0
    if sort == "pod" and seconds == EXTENDED_FROM and _is_for_us(audiences, backend.credentials.issuer):
        seconds, warn_after = EXTENDED_TO, now + seconds
    return Grant(
        account,
        backend.credentials.issuer.name,
        audiences,
        now,
        now + seconds,
        warn_after,
        (sort, bound) if bound is not None else None,
        _node_of(backend, bound) if sort == "pod" and bound is not None else None,
    )


def _bound_object(backend: Backend, target: Target, reference: Obj) -> tuple[str, Obj]:
    """What the token is to live and die with. Raises BadRequest, NotFound, Conflict."""
    kind, name = reference.get("kind", ""), reference.get("name", "")
    if kind not in _BINDABLE or reference.get("apiVersion", "v1") not in ("v1", ""):
        raise BadRequest(f"cannot bind token to object of type {reference.get('apiVersion', '')}, Kind={kind}")
    plural = _BINDABLE[kind]
    entry = backend.store.get(Key(plural, "" if kind == "Node" else target.namespace, name))
    if entry is None:
        raise not_found(plural, name)
    obj = entry.shared()
    if kind == "Pod" and obj["spec"].get("serviceAccountName") != target.name:
        why = "to pod running with different serviceaccount name."
        raise BadRequest(f'cannot bind token for serviceaccount "{target.name}" {why}')
    if reference.get("uid") and reference["uid"] != uid_of(obj):
        why = f"the UID in the bound object reference ({reference['uid']}) does not match the UID in record. "
        raise conflict(kind, name, why + "The object might have been deleted and then recreated")
    return kind.lower(), obj


def _node_of(backend: Backend, pod: Obj) -> Obj | None:
    """The pod's node; its name only when there is no such object; None for a pod without one."""
    name = pod["spec"].get("nodeName")
    if not name:
        return None
    entry = backend.store.get(Key("nodes", "", name))
    return entry.shared() if entry is not None else {"metadata": {"name": name}}


def _is_for_us(audiences: list[str], issuer: TokenIssuer) -> bool:
    return set(audiences) <= set(issuer.audiences)


def _check_name(asked: Obj, target: Target) -> None:
    given = asked.get("metadata") or {}
    for field, wanted in (("name", target.name), ("namespace", target.namespace)):
        if given.get(field) and given[field] != wanted:
            why = f'Invalid value: "{given[field]}": must match the service account {field} if specified'
            raise _refusal(target.name, f"metadata.{field}", why)


def _check_duration(seconds: int) -> None:
    why = ""
    if seconds < SHORTEST:
        why = "may not specify a duration less than 10 minutes"
    elif seconds > LONGEST:
        why = "may not specify a duration larger than 2^32 seconds"
    if why:
        raise _refusal("", "spec.expirationSeconds", f"Invalid value: {seconds}: {why}")


def _refusal(name: str, field: str, message: str) -> Exception:
    cause = Cause("FieldValueInvalid", message, field)
    return invalid(TOKEN_REQUEST.resource.group, TOKEN_REQUEST.resource.kind, name, [cause])
