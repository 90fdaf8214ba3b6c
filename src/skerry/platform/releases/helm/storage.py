"""What Helm keeps of a release: a Secret for each revision, read and mended without starting Helm.

These Secrets are the truth about revisions; `helm history` reads the same. They are read with the project's rights.
Source of the form: helm, `pkg/storage/driver/secrets.go` and `pkg/release/v1`: JSON, gzip, base64 (and base64 again, as
data of Secrets is).
"""

from __future__ import annotations

import base64
import binascii
import gzip
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import field
from typing import Any

import orjson

from skerry.kube.client import Client, Selection
from skerry.kube.objects import Obj, labels_of
from skerry.kube.records import record
from skerry.kube.resources import SECRETS

PENDING = ("pending-install", "pending-upgrade", "pending-rollback", "uninstalling")
"""States in which Helm refuses everything until somebody mends it."""
DIGEST_LABEL = "skerry.dev/release-digest"
"""On a revision: what was wanted when it was made."""
OWNER_LABEL = "skerry.dev/release-namespace"
"""On a revision: where the Release is that it was made for; its name is that of the label `skerry.dev/release`."""
_LARGEST = 64 * 1024 * 1024
"""Bytes of one revision, unpacked."""


@record
class HelmRevision:
    """One revision, as Helm keeps it."""

    revision: int
    status: str
    chart: str = ""
    """Name and version: "small-1.0.0"."""
    app_version: str = ""
    description: str = ""
    deployed: str = ""
    notes: str = ""
    manifest: str = ""
    hooks: Sequence[Obj] = ()
    values: Obj = field(default_factory=dict)
    """What was given beside the chart's own."""
    digest: str = ""
    owner: tuple[str, str] = ("", "")
    """Namespace and name of the Release it was made for; empty for what people installed."""
    secret: Obj = field(default_factory=dict, repr=False)

    @property
    def is_ours(self) -> bool:
        """Whether it was made for a Release."""
        return bool(self.owner[1])


async def revisions_of(client: Client, namespace: str, name: str) -> list[HelmRevision]:
    """Newest first; what cannot be read is left out. Raises StatusError, OSError."""
    listed = await client.list(SECRETS, namespace, Selection(f"owner=helm,name={name}"))
    found = [one for one in map(read, listed.items) if one is not None]
    return sorted(found, key=lambda one: one.revision, reverse=True)


def read(secret: Obj) -> HelmRevision | None:
    """What one Secret holds; None when it is none of Helm's. The status of its label counts."""
    content = _content(secret)
    if content is None:
        return None
    info, chart = content.get("info") or {}, (content.get("chart") or {}).get("metadata") or {}
    labels = labels_of(secret)
    return HelmRevision(
        revision=int(content.get("version") or 0),
        status=str(labels.get("status") or info.get("status") or ""),
        chart=f"{chart.get('name', '')}-{chart.get('version', '')}",
        app_version=str(chart.get("appVersion") or ""),
        description=str(info.get("description") or ""),
        deployed=str(info.get("last_deployed") or ""),
        notes=str(info.get("notes") or ""),
        manifest=str(content.get("manifest") or ""),
        hooks=content.get("hooks") or (),
        values=content.get("config") or {},
        digest=labels.get(DIGEST_LABEL, ""),
        owner=(labels.get(OWNER_LABEL, ""), labels.get("skerry.dev/release", "")),
        secret=secret,
    )


def running(revisions: Iterable[HelmRevision]) -> HelmRevision | None:
    """The one that runs, of a list that has the newest first; an upgrade that failed leaves the one before."""
    listed = list(revisions)
    return next((one for one in listed if one.status == "deployed"), listed[0] if listed else None)


def given_up(revision: HelmRevision) -> Obj:
    """Its Secret, saying that it failed: whoever worked on it is gone, and Helm goes on from there."""
    content = _content(revision.secret) or {}
    info = {**(content.get("info") or {}), "status": "failed", "description": "given up: nobody works on it any more"}
    packed = gzip.compress(orjson.dumps({**content, "info": info}), 6)
    metadata = revision.secret["metadata"]
    labels = {**labels_of(revision.secret), "status": "failed"}
    data = {"release": base64.b64encode(base64.b64encode(packed)).decode()}
    return {**revision.secret, "metadata": {**metadata, "labels": labels}, "data": data}


def _content(secret: Obj) -> dict[str, Any] | None:
    packed = (secret.get("data") or {}).get("release", "")
    try:
        inner = base64.b64decode(base64.b64decode(packed))
        unpacked = _unzipped(inner) if inner[:2] == b"\x1f\x8b" else inner
        content = orjson.loads(unpacked)
    except (binascii.Error, ValueError, zlib.error, EOFError, OSError):
        return None
    return content if isinstance(content, dict) else None


def _unzipped(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    unpacked = unpacker.decompress(packed, _LARGEST)
    if unpacker.unconsumed_tail:
        raise ValueError("the revision is too large")
    return unpacked
