"""Certificates from an authority at hand, or signed with their own key.

Source of the behaviour: cert-manager's `pkg/controller/certificaterequests/ca` and `selfsigned`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from skerry.engine.controllers.certmanager import names
from skerry.engine.controllers.certmanager.certificates.wanted import DEFAULT_DURATION, DEFAULT_USAGES
from skerry.engine.controllers.certmanager.room import Room, decoded, text_of
from skerry.kube.durations import parse_duration
from skerry.kube.objects import Obj, annotations_of, namespace_of


class Pending(Exception):
    """Something that may still come is missing."""


async def answer(room: Room, request: Obj, issuer: Obj) -> dict[str, str]:
    """`certificate` and `ca`, PEM. Raises Pending, Refused (it will never be), HelperError, StatusError."""
    spec = issuer["spec"]
    if "ca" in spec:
        return await _by_authority(room, request, issuer, spec["ca"])
    return await _by_itself(room, request, spec.get("selfSigned") or {})


async def _by_authority(room: Room, request: Obj, issuer: Obj, settings: Obj) -> dict[str, str]:
    secret = await room.secret_of_issuer(issuer, settings["secretName"])
    if secret is None:
        raise Pending(f'Referenced secret "{settings["secretName"]}" not found')
    made: dict[str, str] = await room.helper.call(
        "sign",
        request=decoded(request["spec"]["request"]),
        terms=terms(request, room.clock.now().timestamp()),
        authority={"certificate": text_of(secret, "tls.crt"), "key": text_of(secret, "tls.key")},
        points={field: settings.get(field) or [] for field in ("crlDistributionPoints", "ocspServers")},
    )
    return made


async def _by_itself(room: Room, request: Obj, settings: Obj) -> dict[str, str]:
    name = annotations_of(request).get(names.PRIVATE_KEY_SECRET)
    if not name:
        raise Pending(f'Annotation "{names.PRIVATE_KEY_SECRET}" missing or reference empty')
    secret = await room.secret(namespace_of(request), name)
    if secret is None:
        raise Pending(f'Referenced secret "{name}" not found')
    made: dict[str, str] = await room.helper.call(
        "sign_by_itself",
        request=decoded(request["spec"]["request"]),
        terms=terms(request, room.clock.now().timestamp()),
        key=text_of(secret, "tls.key"),
        points={"crlDistributionPoints": settings.get("crlDistributionPoints") or []},
    )
    return made


def terms(request: Obj, now: float) -> dict[str, Any]:
    """What a request asks for beside its names. `now`: seconds since 1970."""
    spec = request["spec"]
    try:
        duration = parse_duration(spec["duration"]) if spec.get("duration") else DEFAULT_DURATION
    except ValueError:
        duration = DEFAULT_DURATION
    return {
        "now": int(now),
        "seconds": max(duration, timedelta(minutes=1)).total_seconds(),
        "isCA": bool(spec.get("isCA")),
        "usages": list(spec.get("usages") or DEFAULT_USAGES),
    }
