"""An archive as Secrets: a List of manifests, as JSON, compressed, in parts that an API server takes. Pure.

Secrets, as what is kept has Secrets in it. They are operators' alone, in a namespace of their own, and outlive the
project.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from skerry.kube.objects import Obj, name_of

ARCHIVES = "skerry-archives"
"""The namespace."""
ARCHIVE_LABEL = "skerry.dev/archive-of"
"""On each part: the project's name."""
LARGEST = 64 << 20
"""Bytes, compressed."""
_PART = 700_000
_KEY = "part"


def packed(manifests: Sequence[Obj]) -> list[bytes]:
    """The parts."""
    whole = gzip.compress(orjson.dumps({"apiVersion": "v1", "kind": "List", "items": manifests}), mtime=0)
    return [whole[begin : begin + _PART] for begin in range(0, len(whole), _PART)]


def unpacked(secrets: Iterable[Obj]) -> Any:
    """The List that parts came from. Raises KeyError, OSError, ValueError when one is missing or spoilt."""
    ordered = sorted(secrets, key=lambda one: int(name_of(one).rpartition("-")[2]))
    return orjson.loads(gzip.decompress(b"".join(base64.b64decode(one["data"][_KEY]) for one in ordered)))


def life_of(project: Obj) -> str:
    """Begins the names of an archive: a project that is made anew under its name has archives of its own."""
    return f"{name_of(project)}-{project['metadata']['uid'][:8]}"


def part_name(project: Obj, number: int) -> str:
    """Of a Secret."""
    return f"{life_of(project)}-{number}"


def archive_of(project: Obj) -> Obj | None:
    """What the status says is kept, None while that is not all: archives of earlier releases had no data."""
    kept: Obj | None = (project.get("status") or {}).get("archive")
    return kept if kept is not None and "data" in kept else None


def part_secret(project: Obj, number: int, part: bytes) -> Obj:
    """One part."""
    labels = {ARCHIVE_LABEL: name_of(project)}
    metadata = {"name": part_name(project, number), "namespace": ARCHIVES, "labels": labels}
    return {"metadata": metadata, "data": {_KEY: base64.b64encode(part).decode()}}
