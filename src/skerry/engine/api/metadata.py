"""What the server itself keeps in `metadata`: identity, generation, deletion. Pure functions on private objects.

Source: Kubernetes' `apiserver/pkg/registry/rest` (FillObjectMetaSystemFields, BeforeCreate, BeforeUpdate).
"""

from __future__ import annotations

import os
import secrets
from typing import Any

import orjson

from skerry.engine.api.request import Target
from skerry.engine.store.contract import Encode
from skerry.kube.errors import BadRequest
from skerry.kube.objects import Obj

_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""No vowels and no look-alikes: `apimachinery/pkg/util/rand`."""
_LEFT_OUT_EMPTY = frozenset({"labels", "annotations", "ownerReferences", "finalizers"})
_SERVER_OWNED = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation")
_WIPED = frozenset({*_SERVER_OWNED, "selfLink", "resourceVersion"})
_LONGEST_BASE = 58
_UIDS_AT_ONCE = 64
_uids: list[str] = []
"""Made, not yet given out."""


def generated_name(base: str) -> str:
    """`base` (cut to 58 characters) and five random characters."""
    return base[:_LONGEST_BASE] + "".join(secrets.choice(_ALPHABET) for _ in range(5))


def metadata_of(obj: Obj) -> dict[str, Any]:
    """`obj["metadata"]`, made when absent. Raises BadRequest when it is something else than an object."""
    metadata = obj.setdefault("metadata", {})
    if metadata is None:
        metadata = obj["metadata"] = {}
    if not isinstance(metadata, dict):
        raise BadRequest("metadata must be an object")
    return metadata


def check_address(obj: Obj, target: Target) -> None:
    """Bring name and namespace of a body in line with the URL. Raises BadRequest where they disagree."""
    metadata = metadata_of(obj)
    if target.kind.resource.namespaced:
        if metadata.setdefault("namespace", target.namespace) in ("", None):
            metadata["namespace"] = target.namespace
        if metadata["namespace"] != target.namespace:
            raise BadRequest("the namespace of the provided object does not match the namespace sent on the request")
    else:
        metadata.pop("namespace", None)
    if target.name and metadata.setdefault("name", target.name) != target.name:
        raise BadRequest(
            f"the name of the object ({metadata['name']}) does not match the name on the URL ({target.name})"
        )


def wipe(metadata: dict[str, Any]) -> None:
    """Take out of a new object what only the server says."""
    for name in _WIPED.intersection(metadata):
        del metadata[name]


def new_uid() -> str:
    """A random UUID (version 4). Made some at a time: most of what one costs is to ask the kernel."""
    while True:
        try:
            return _uids.pop()
        except IndexError:  # rather than to look before: there may be several servers in a process, in their threads
            digits = os.urandom(16 * _UIDS_AT_ONCE).hex()
            _uids.extend(_uid(digits[start : start + 32]) for start in range(0, len(digits), 32))


def _uid(digits: str) -> str:
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def begin(metadata: dict[str, Any], now: str) -> None:
    """Give a new object its identity. `now` is RFC 3339."""
    wipe(metadata)
    metadata["uid"] = new_uid()
    metadata["creationTimestamp"] = now
    drop_empty(metadata)


def drop_empty(metadata: dict[str, Any]) -> None:
    """Leave out what is empty, as Kubernetes does: clients look whether an object has owners or finalizers at all."""
    for name in _LEFT_OUT_EMPTY.intersection(metadata):
        if not metadata[name]:
            del metadata[name]


def carry_over(new: dict[str, Any], old: dict[str, Any]) -> None:
    """Keep what an update may not change."""
    for name in _SERVER_OWNED:
        if name in old:
            new[name] = old[name]
        else:
            new.pop(name, None)
    new.pop("selfLink", None)
    drop_empty(new)


def same(new: Obj, old: Obj) -> bool:
    """Whether a write would change nothing but the resourceVersion."""
    new_meta, old_meta = new["metadata"], old["metadata"]
    given = new_meta.get("resourceVersion")
    new_meta["resourceVersion"] = old_meta.get("resourceVersion")
    if new == old:
        return True
    new_meta["resourceVersion"] = given
    return False


def encoder(obj: Obj) -> Encode:
    """What the store calls to get the bytes, once it knows the revision. `obj` must be private until then."""

    def encode(revision: int) -> bytes:
        obj["metadata"]["resourceVersion"] = str(revision)
        return orjson.dumps(obj)

    return encode
