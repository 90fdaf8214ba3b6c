"""The image every pod's sandbox runs: one static program that waits, reaps orphans and ends on SIGTERM.

Made of Debian's catatonit, or of busybox-static where that is missing, in pure Python. The same programs give the same
bytes, so importing it again changes nothing. Source: docker's archive format (`docker save`), OCI image specification.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path

from skerry.engine.node.containerd.failure import ContainerdError
from skerry.kube.records import record

_NOBODY = "65535:65535"
_WAIT = "trap 'exit 0' TERM INT; while :; do /busybox sleep 2147483647 & wait $!; done"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@record
class Program:
    """What the image holds and how it is started."""

    source: Path
    entrypoint: Sequence[str]
    target: str


_CHOICES = (
    Program(Path("/usr/bin/catatonit"), ("/pause", "-P"), "pause"),
    Program(Path("/bin/busybox"), ("/busybox", "sh", "-c", _WAIT), "busybox"),
)


def choose_program() -> Program:
    """The first of the known programs that is installed. Raises ContainerdError."""
    for program in _CHOICES:
        if program.source.is_file():
            return program
    raise ContainerdError("no program for the pause image: apt-get install catatonit")


@record
class PauseImage:
    """The image's id, as CRI tells it, and the image as a docker archive."""

    id: str
    archive: bytes


def make_pause_image(name: str, program: Program, machine: str) -> PauseImage:
    """`machine`: as `uname -m` says it."""
    layer = _tar({program.target: (program.source.read_bytes(), 0o755)})
    config = json.dumps(
        {
            "architecture": _ARCHITECTURES.get(machine, machine),
            "os": "linux",
            "config": {"Entrypoint": list(program.entrypoint), "User": _NOBODY, "Env": ["PATH=/"]},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        },
        sort_keys=True,
    ).encode()
    digest = hashlib.sha256(config).hexdigest()
    config_name = f"{digest}.json"
    manifest = json.dumps([{"Config": config_name, "RepoTags": [name], "Layers": ["layer.tar"]}]).encode()
    files = {config_name: (config, 0o644), "layer.tar": (layer, 0o644), "manifest.json": (manifest, 0o644)}
    return PauseImage(f"sha256:{digest}", _tar(files))


def _tar(files: dict[str, tuple[bytes, int]]) -> bytes:
    """A tar of regular files, without times or owners: the same input gives the same bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, (data, mode) in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), mode
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()
