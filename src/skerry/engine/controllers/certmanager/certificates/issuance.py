"""One issuance, a step at a time: a new key, a CertificateRequest of the next revision, then the Secret or a failure.

The key waits in a Secret of its own, named after the revision, until the certificate is there; every step can be made
again. Source: cert-manager's `keymanager`, `requestmanager` and `issuing` controllers.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from skerry.engine.certificates.helper.errors import Refused
from skerry.engine.controllers.certmanager import names
from skerry.engine.controllers.certmanager.certificates.schedule import LONGEST_SLEEP
from skerry.engine.controllers.certmanager.certificates.secret import secret_for
from skerry.engine.controllers.certmanager.certificates.triggers import Held, Reason, digest, duration_text, fits
from skerry.engine.controllers.certmanager.certificates.wanted import Wanted
from skerry.engine.controllers.certmanager.room import Room, decoded, encoded, text_of
from skerry.engine.controllers.writing import write_status
from skerry.engine.definitions.certmanager import CERTIFICATE_REQUESTS, CERTIFICATES
from skerry.kube.clock import rfc3339
from skerry.kube.conditions import condition_is_true, condition_of, conditions_of, with_condition, without_condition
from skerry.kube.errors import AlreadyExists, NotFound
from skerry.kube.informer import Informer
from skerry.kube.objects import Obj, Resource, annotations_of, labels_of, name_of, namespace_of, owner_reference, uid_of
from skerry.kube.resources import SECRETS

_FAILURES = ("Failed", "Denied")


async def step(room: Room, certificate: Obj, asked: Wanted, held: Held | None) -> float | None:
    """Do what comes next, for a Certificate as it is now; what changes by that calls again."""
    revision = next_revision(certificate)
    request = request_of(room.of(CERTIFICATE_REQUESTS), certificate, revision)
    if request is not None and (not fits(asked, request) or is_of_the_past(certificate, request)):
        await _delete(room, CERTIFICATE_REQUESTS, request)
        return None
    key = await room.secret(namespace_of(certificate), _key_name(certificate, revision))
    if key is None and request is not None:
        await _delete(room, CERTIFICATE_REQUESTS, request)  # nobody has the key any more that it was made with
        return None
    if key is None:
        key = await _new_key(room, certificate, asked, held, revision)
    if request is None:
        await _ask(room, certificate, asked, key, revision)
        return None
    if failure := _failure_of(request):
        await _fail(room, certificate, failure)
    elif condition_is_true(request, "Ready") and (request.get("status") or {}).get("certificate"):
        await _finish(room, certificate, request, text_of(key, "tls.key"), revision)
    return LONGEST_SLEEP


def next_revision(certificate: Obj) -> int:
    """The number of the issuance under way."""
    return int((certificate.get("status") or {}).get("revision") or 0) + 1


def request_of(requests: Informer, certificate: Obj, revision: int) -> Obj | None:
    """The CertificateRequest of a revision."""
    found = requests.get(request_name(certificate, revision), namespace_of(certificate))
    owner = uid_of(certificate)
    owners = [one["uid"] for one in (found or {"metadata": {}})["metadata"].get("ownerReferences") or ()]
    return found if owner in owners else None


def request_name(certificate: Obj, revision: int) -> str:
    """As cert-manager has it."""
    return f"{name_of(certificate)[:240]}-{revision}"


def is_of_the_past(certificate: Obj, request: Obj) -> bool:
    """Whether a failed request is that of an earlier attempt: its failure is in the status already."""
    failed = (request.get("status") or {}).get("failureTime")
    noted = (certificate.get("status") or {}).get("lastFailureTime")
    issuing = condition_of(certificate, "Issuing") or {}
    return bool(failed and noted and noted >= failed and issuing.get("lastTransitionTime", "") >= noted)


def _key_name(certificate: Obj, revision: int) -> str:
    """No other Secret has such a name by chance."""
    return f"{name_of(certificate)[:220]}-{uid_of(certificate)[:8]}-{revision}"


async def _new_key(room: Room, certificate: Obj, asked: Wanted, held: Held | None, revision: int) -> Obj:
    """The Secret with the key of a revision."""
    name, namespace = _key_name(certificate, revision), namespace_of(certificate)
    pem = _kept_key(asked, held)
    word = "Reused" if pem else "Generated"
    if not pem:
        wanted = {"algorithm": asked.key.algorithm, "size": asked.key.size, "encoding": asked.key.encoding}
        pem = await room.helper.call("new_key", **wanted)
    metadata = {
        "name": name,
        "namespace": namespace,
        "labels": {names.NEXT_PRIVATE_KEY: "true", names.OF_CERTIFICATES: "true"},
        "ownerReferences": [owner_reference(certificate, CERTIFICATES)],
    }
    secret = {"metadata": metadata, "type": "Opaque", "data": {"tls.key": encoded(pem)}}
    made = await room.client.create(SECRETS, secret, namespace)
    text = {"Generated": "Stored new private key in temporary Secret resource", "Reused": "Reusing private key in"}
    room.events.event(certificate, "Normal", word, f'{text[word]} "{name}"')
    return made


def _kept_key(asked: Wanted, held: Held | None) -> str:
    """The key of the Secret, when it is to be kept and is as is wanted."""
    if not asked.key.is_kept or held is None or not held.facts:
        return ""
    fits_size = not asked.key.size or held.facts["size"] == asked.key.size
    return text_of(held.secret, "tls.key") if held.facts["algorithm"] == asked.key.algorithm and fits_size else ""


async def _ask(room: Room, certificate: Obj, asked: Wanted, key: Obj, revision: int) -> None:
    """Make the request."""
    try:
        made = await room.helper.call("new_request", key=text_of(key, "tls.key"), names=dict(asked.names))
    except Refused as error:
        await _fail(room, certificate, Reason("Failed", str(error)))
        return
    name, namespace = request_name(certificate, revision), namespace_of(certificate)
    noted = {
        names.CERTIFICATE_NAME: name_of(certificate),
        names.CERTIFICATE_REVISION: str(revision),
        names.PRIVATE_KEY_SECRET: name_of(key),
        names.ASKS_FOR: digest(asked),
    }
    metadata = {
        "name": name,
        "namespace": namespace,
        "annotations": noted,
        "labels": dict(labels_of(certificate)),  # solvers may be chosen by them
        "ownerReferences": [owner_reference(certificate, CERTIFICATES)],
    }
    spec = {
        "request": encoded(made),
        "issuerRef": dict(asked.issuer),
        "duration": duration_text(asked),
        "usages": list(asked.usages),
        **({"isCA": True} if asked.is_ca else {}),
    }
    with contextlib.suppress(AlreadyExists):
        await room.client.create(CERTIFICATE_REQUESTS, {"metadata": metadata, "spec": spec}, namespace)
        text = f'Created new CertificateRequest resource "{name}"'
        room.events.event(certificate, "Normal", "Requested", text)


def _failure_of(request: Obj) -> Reason | None:
    for kind in ("Denied", "InvalidRequest"):
        if condition_is_true(request, kind):
            return Reason(kind, (condition_of(request, kind) or {}).get("message", ""))
    ready = condition_of(request, "Ready") or {}
    return Reason(ready["reason"], ready.get("message", "")) if ready.get("reason") in _FAILURES else None


async def _fail(room: Room, certificate: Obj, failure: Reason) -> None:
    """Note it; `schedule.back_off` says when the next attempt is made."""
    now = room.clock.now()
    status = dict(certificate.get("status") or {})
    message = f"The certificate request has failed to complete and will be retried: {failure.message}"
    condition = {"type": "Issuing", "status": "False", "reason": failure.reason, "message": message}
    status["conditions"] = with_condition(conditions_of(certificate), condition, now)
    status["lastFailureTime"] = rfc3339(now)
    status["failedIssuanceAttempts"] = int(status.get("failedIssuanceAttempts") or 0) + 1
    await write_status(room.client, CERTIFICATES, certificate, status)
    room.events.event(certificate, "Warning", failure.reason, message)


async def _finish(room: Room, certificate: Obj, request: Obj, key: str, revision: int) -> None:
    """The Secret, then the status, then nothing is left of the issuance but its request."""
    answer = request["status"]
    pair = {"certificate": decoded(answer["certificate"]), "key": key, "ca": decoded(answer.get("ca") or "")}
    try:
        facts = await room.helper.call("read_pair", certificate=pair["certificate"], key=key)
    except Refused as error:
        await _fail(room, certificate, Reason("Failed", f"what the issuer gave cannot be used: {error}"))
        return
    await _write_secret(room, certificate, pair, facts)
    status = {**(certificate.get("status") or {}), "revision": revision}
    status["conditions"] = without_condition(conditions_of(certificate), "Issuing")
    for field in ("lastFailureTime", "failedIssuanceAttempts"):
        status.pop(field, None)
    await write_status(room.client, CERTIFICATES, certificate, status)
    room.events.event(certificate, "Normal", "Issuing", "The certificate has been successfully issued")
    if (waiting := await room.secret(namespace_of(certificate), _key_name(certificate, revision))) is not None:
        await _delete(room, SECRETS, waiting)
    await _forget_requests(room, certificate, revision)


async def _write_secret(room: Room, certificate: Obj, pair: Mapping[str, str], facts: Mapping[str, Any]) -> None:
    namespace, name = namespace_of(certificate), certificate["spec"]["secretName"]
    before = await room.secret(namespace, name)
    secret = secret_for(certificate, pair, facts, before)
    if before is None:
        await room.client.create(SECRETS, secret, namespace)
    else:
        await room.client.update(SECRETS, secret)


async def _forget_requests(room: Room, certificate: Obj, revision: int) -> None:
    """Older than `spec.revisionHistoryLimit` revisions, 1 without it."""
    oldest = revision - int(certificate["spec"].get("revisionHistoryLimit") or 1) + 1
    own = room.of(CERTIFICATE_REQUESTS).by_index("certificate", f"{namespace_of(certificate)}/{name_of(certificate)}")
    for request in own:
        if int(annotations_of(request).get(names.CERTIFICATE_REVISION) or oldest) < oldest:
            await _delete(room, CERTIFICATE_REQUESTS, request)


async def _delete(room: Room, resource: Resource, one: Obj) -> None:
    """This one, not another that has its name by now. Raises Conflict when it has."""
    with contextlib.suppress(NotFound):
        options = {"preconditions": {"uid": uid_of(one)}}
        await room.client.delete(resource, name_of(one), namespace_of(one), options)
