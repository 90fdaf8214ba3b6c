"""The Secret of the built-in authority: made by whoever needs it first, renewed with its key. Pure, on objects.

Its end is noted beside it, so that a look at a good one imports nothing. One without that note is somebody's own, and
is kept as it is.
"""

from __future__ import annotations

import base64
from datetime import datetime, timedelta

from skerry.kube.certificates.wanted import Wanted
from skerry.kube.clock import parse_time, rfc3339
from skerry.kube.objects import Obj, annotations_of

NAMESPACE, NAME = "kube-system", "skerry-ca"
_DAYS = 3650
_ENDS = "skerry.dev/not-after"


def new_secret(instance: str, now: datetime) -> Obj:
    """A new authority, ECDSA, for ten years."""
    from skerry.kube.certificates.making import issue_authority

    pair = issue_authority(Wanted(NAME, f"Skerry CA {instance}", days=_DAYS), now)
    metadata = {"name": NAME, "namespace": NAMESPACE, "annotations": {_ENDS: rfc3339(_end(now))}}
    return {"metadata": metadata, "type": "kubernetes.io/tls", "data": _data(pair.certificate, pair.key)}


def renewed(secret: Obj, now: datetime) -> Obj:
    """The same with another certificate for the same name and key: what trusts the old one trusts what it issues."""
    from skerry.kube.certificates.making import renew_authority

    before = base64.b64decode(secret["data"]["tls.crt"]), base64.b64decode(secret["data"]["tls.key"])
    pair = renew_authority(before, _DAYS, now)
    noted = {**annotations_of(secret), _ENDS: rfc3339(_end(now))}
    data = {**secret["data"], **_data(pair.certificate, pair.key)}
    return {**secret, "metadata": {**secret["metadata"], "annotations": noted}, "data": data}


def renewal_of(secret: Obj, now: datetime) -> datetime | None:
    """When it is time for another certificate: at two thirds of its life, or now, if it was made while the clock was
    ahead. None: never, it is not ours."""
    ends = annotations_of(secret).get(_ENDS)
    if not ends:
        return None
    is_of_later_times = parse_time(ends) > _end(now) + timedelta(days=1)
    return now if is_of_later_times else parse_time(ends) - timedelta(days=_DAYS) / 3


def _end(now: datetime) -> datetime:
    return now + timedelta(days=_DAYS)


def _data(certificate: bytes, key: bytes) -> dict[str, str]:
    text = base64.b64encode(certificate).decode()
    return {"tls.crt": text, "tls.key": base64.b64encode(key).decode(), "ca.crt": text}
