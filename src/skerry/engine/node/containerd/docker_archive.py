"""Images made in pure Python: one layer, as docker's archive format (`docker save`) has it.

The same files give the same bytes, and so the same id. Source: OCI image specification. Neighbours: `pause_image`,
`archiver_image`.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from typing import Any

from skerry.kube.records import record

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
Files = Mapping[str, tuple[bytes, int]]
"""Content and mode by path."""


@record
class Image:
    """The image's id, as CRI tells it, and the image as a docker archive."""

    id: str
    archive: bytes


def make_image(name: str, files: Files, config: Mapping[str, Any], machine: str) -> Image:
    """`config`: how it is run; `machine`: as `uname -m` says it."""
    layer = _tar(files)
    whole = json.dumps(
        {
            "architecture": _ARCHITECTURES.get(machine, machine),
            "os": "linux",
            "config": dict(config),
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        },
        sort_keys=True,
    ).encode()
    digest = hashlib.sha256(whole).hexdigest()
    config_name = f"{digest}.json"
    manifest = json.dumps([{"Config": config_name, "RepoTags": [name], "Layers": ["layer.tar"]}]).encode()
    parts = {config_name: (whole, 0o644), "layer.tar": (layer, 0o644), "manifest.json": (manifest, 0o644)}
    return Image(f"sha256:{digest}", _tar(parts))


def _tar(files: Files) -> bytes:
    """A tar of regular files, without times or owners: the same input gives the same bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, (data, mode) in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), mode
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()
