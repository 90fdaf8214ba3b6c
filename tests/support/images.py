"""Images for tests, made from Debian's busybox-static in a few milliseconds: no registry, no build tool."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path

BUSYBOX = "busybox:test"
_APPLETS = """sh cat ls echo sleep true false id env httpd nc wget tar touch mkdir rm ps kill head tail grep date dd
stty od wc sort stat find chmod hostname sed cut printf nslookup"""


def busybox_archive(
    directory: Path, name: str = BUSYBOX, command: Sequence[str] = ("/bin/sh",), entrypoint: Sequence[str] = ()
) -> Path:
    """A docker archive of one layer: busybox, a link per applet, /tmp, /etc/passwd. `command` is what it runs, given to
    `entrypoint` where there is one.
    """
    layer = _layer()
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {
                "Env": ["PATH=/bin"],
                "Cmd": list(command),
                "Entrypoint": list(entrypoint),
                "WorkingDir": "/",
            },
            "history": [{"created_by": "tests/support/images.py"}],
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]},
        }
    ).encode()
    config_name = hashlib.sha256(config).hexdigest() + ".json"
    manifest = json.dumps([{"Config": config_name, "RepoTags": [name], "Layers": ["layer.tar"]}]).encode()
    path = directory / (name.replace("/", "_").replace(":", "_") + ".tar")
    with tarfile.open(path, "w") as archive:
        for member, data in ((config_name, config), ("layer.tar", layer), ("manifest.json", manifest)):
            _add(archive, member, data)
    return path


def _layer() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for directory, mode in (("bin", 0o755), ("etc", 0o755), ("tmp", 0o1777), ("root", 0o700), ("www", 0o755)):
            entry = tarfile.TarInfo(directory)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            archive.addfile(entry)
        _add(archive, "bin/busybox", Path("/bin/busybox").read_bytes(), 0o755)
        _add(archive, "etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/tmp:/bin/sh\n")
        _add(archive, "etc/group", b"root:x:0:\nuser:x:1000:\n")
        for applet in _APPLETS.split():
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
    return buffer.getvalue()


def _add(archive: tarfile.TarFile, name: str, data: bytes, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), mode
    archive.addfile(entry, io.BytesIO(data))
