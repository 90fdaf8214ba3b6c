"""The values a release gives to its chart: those kept elsewhere, in order, then its own, read as its project."""

from __future__ import annotations

import base64
import binascii

import orjson

from skerry.kube.client import Client
from skerry.kube.errors import NotFound
from skerry.kube.objects import Obj
from skerry.kube.resources import CONFIG_MAPS, SECRETS
from skerry.platform.releases.problems import Unready
from skerry.platform.releases.types import ReleaseSpec, ValuesFrom

LOOK_AGAIN = 60.0
"""Seconds after which values that are kept elsewhere are read again: nobody tells that they changed."""


async def values_of(spec: ReleaseSpec, client: Client, namespace: str) -> list[str]:
    """Documents for Helm; later ones win. Raises Unready, StatusError, OSError."""
    found = [text for one in spec.values_from if (text := await _read(one, client, namespace)) is not None]
    return [*found, orjson.dumps(spec.values).decode()]


async def _read(wanted: ValuesFrom, client: Client, namespace: str) -> str | None:
    name, resource = (wanted.secret, SECRETS) if wanted.secret else (wanted.config_map, CONFIG_MAPS)
    if not name:
        raise Unready("ValuesMissing", "each of spec.valuesFrom names a configMap or a secret")
    what = f"{resource.kind} {name}"
    try:
        found = await client.get(resource, name, namespace)
    except NotFound:
        if wanted.optional:
            return None
        raise Unready("ValuesMissing", f"there is no {what} for spec.valuesFrom", again=LOOK_AGAIN) from None
    text = _text(found, wanted.key)
    if text is None and not wanted.optional:
        raise Unready("ValuesMissing", f"{what} has no {wanted.key} for spec.valuesFrom", again=LOOK_AGAIN)
    return text


def _text(found: Obj, key: str) -> str | None:
    data = (found.get("data") or {}).get(key)
    if data is None or found.get("kind") != SECRETS.kind:
        return str(data) if data is not None else None
    try:
        return base64.b64decode(data).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise Unready("ValuesMissing", f"{key} of a Secret of spec.valuesFrom is not text", again=LOOK_AGAIN) from None
