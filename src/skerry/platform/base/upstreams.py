"""What a Release takes from upstream by itself, past all catalogues: the contract between who fetches and who applies.

`upstream_of` reads it in a Release's spec. The capability `catalog`, which knows how to read what strangers keep,
fetches it into a ConfigMap beside the Release and says so in `status.source` and the condition `FETCHED`; capability
`releases` applies what is there. So an upstream that vanishes breaks nothing that runs. Pure.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal, TypeAlias

import orjson

from skerry.kube.objects import Obj
from skerry.kube.records import record

FETCHED = "Fetched"
"""The condition: whether upstream could be read when it was looked at last."""
REFRESH = "skerry.dev/refresh"
"""Annotation of a Release: any new value has its upstream looked at at once."""
REFRESH_MINUTES = 5
"""How often it is looked at where `spec.refreshMinutes` does not say."""
CHART_KEY, FILES_KEY = "chart.tgz", "files.json.gz"
"""In `binaryData` of the ConfigMap: a chart's archive, or files."""
Content: TypeAlias = Literal["Chart", "Manifests", "Kustomize"]
_COMMIT = re.compile(r"[0-9a-f]{40}")


@record
class Upstream:
    """Where something is, and what of it."""

    content: Content
    url: str
    is_git: bool = False
    ref: str = ""
    """git: branch, tag or commit."""
    path: str = ""
    """git: a folder in the repository."""
    version: str = ""
    """Of a chart at an address: a version or a range."""
    digest: str = ""
    """Of a chart at an address: 64 hexadecimal digits."""
    secret: str = ""

    @property
    def key(self) -> str:
        """Another one whenever anything about it is."""
        said = [self.content, self.url, self.is_git, self.ref, self.path, self.version, self.digest, self.secret]
        return hashlib.sha256(orjson.dumps(said)).hexdigest()[:40]

    @property
    def is_fixed(self) -> bool:
        """Whether upstream can have nothing newer for it."""
        return bool(_COMMIT.fullmatch(self.ref) if self.is_git else self.digest)


def upstream_of(spec: Mapping[str, Any]) -> Upstream | None:
    """Of a Release's spec; None where it comes from a catalogue or from a ConfigMap."""
    chart, source = spec.get("chart") or {}, spec.get("source") or {}
    if chart.get("url"):
        return Upstream(
            content="Chart",
            url=str(chart["url"]),
            version=str(chart.get("version") or ""),
            digest=str(chart.get("digest") or "").removeprefix("sha256:"),
            secret=str(chart.get("secret") or ""),
        )
    git = source.get("git")
    if not git:
        return None
    return Upstream(
        content=source["type"],
        url=str(git["url"]),
        is_git=True,
        ref=str(git.get("ref") or ""),
        path=str(git.get("path") or ""),
        secret=str(git.get("secret") or ""),
    )


def fetched_of(release: Obj) -> Obj:
    """`status.source`, as far as it is there."""
    return dict((release.get("status") or {}).get("source") or {})


@record
class Files:
    """Texts by path, and the folder among them that is meant."""

    texts: Mapping[str, str] = field(default_factory=dict)
    at: str = ""

    def packed(self) -> bytes:
        """The same bytes for the same files."""
        said = {"at": self.at, "files": dict(self.texts)}
        return gzip.compress(orjson.dumps(said, option=orjson.OPT_SORT_KEYS), mtime=0)

    @staticmethod
    def of(packed: bytes) -> Files:
        """What was packed; only for bytes whose digest is known to be that of the platform's own."""
        said = orjson.loads(gzip.decompress(packed))
        return Files(said["files"], said["at"])
