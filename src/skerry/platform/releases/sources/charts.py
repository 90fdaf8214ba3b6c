"""Makes a chart of manifests, so that Helm applies, keeps and rolls back them as everything else. Pure."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Sequence

import orjson

_OPEN = "{{"
VERSION = "1.0.0"


def chart_of(name: str, digest: str, files: Sequence[tuple[str, str]]) -> bytes:
    """An archive, the same for the same files. Nothing in them is a template."""
    described = {"apiVersion": "v2", "name": name, "version": f"{VERSION}+{digest[:12]}", "type": "application"}
    members = [("Chart.yaml", orjson.dumps(described).decode())]
    members += [(f"templates/{path}", text.replace(_OPEN, '{{ "{{" }}')) for path, text in files if _is_manifest(path)]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, text in members:
            member = tarfile.TarInfo(f"{name}/{path}")
            content = text.encode()
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), mtime=0)


def _is_manifest(path: str) -> bool:
    return path.endswith((".yaml", ".yml", ".json"))
