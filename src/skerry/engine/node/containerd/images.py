"""Images on this machine: load an archive, list, remove. Names are given and shown as users write them.

Also a program, which the command line starts as root: `python -m skerry.engine.node.containerd.images --socket S
load FILE | build DIR -t NAME | ls | rm NAME [-o json]`. Archives go in through `ctr`, containerd's own importer.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import lzma
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from skerry.engine.node.containerd import api_pb2 as pb
from skerry.engine.node.containerd.client import NAMESPACE, ContainerdClient
from skerry.engine.node.containerd.config_file import PAUSE_IMAGE
from skerry.engine.node.containerd.failure import ContainerdError
from skerry.engine.node.containerd.image_names import familiar, normalise
from skerry.engine.node.containerd.pause_image import choose_program, make_pause_image
from skerry.engine.node.cri.client import CriClient, CriError

_COMPRESSED: dict[bytes, type[gzip.GzipFile] | type[lzma.LZMAFile]] = {
    b"\x1f\x8b": gzip.GzipFile,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
}
_UNPACKED = re.compile(r"^unpacking (\S+) \(", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """One image: its names as users write them, the digest of its configuration, bytes on disk (compressed layers)."""

    names: Sequence[str]
    id: str
    size: int
    created: datetime | None


def load(socket: Path, archive: Path) -> list[str]:
    """Import a docker or OCI archive, also a compressed one; returns the names it brought, as users write them.

    Raises ContainerdError: no such file, not an image archive, or no name in it.
    """
    if not archive.is_file():
        raise ContainerdError(f"no such file: {archive}")
    with _plain(archive) as plain:
        try:
            output = run_ctr(socket, "images", "import", str(plain))
        except ContainerdError as error:
            raise ContainerdError(f"cannot load {archive}: {error}") from None
    names = [familiar(name) for name in _UNPACKED.findall(output)]
    if not names:
        raise ContainerdError(f"{archive} holds no named image: save it with a name, as in `docker save name:tag`")
    return names


@contextlib.contextmanager
def _plain(archive: Path) -> Iterator[Path]:
    """The archive without gzip or xz around it: containerd's importer reads plain tar only."""
    with archive.open("rb") as file:
        start = file.read(6)
    unpack = next((unpack for magic, unpack in _COMPRESSED.items() if start.startswith(magic)), None)
    if unpack is None:
        yield archive
        return
    with tempfile.NamedTemporaryFile(suffix=".tar") as target:
        try:
            with unpack(archive) as source:
                shutil.copyfileobj(source, target, 1 << 20)
        except (EOFError, OSError, lzma.LZMAError) as error:
            raise ContainerdError(f"cannot load {archive}: it is damaged: {error}") from None
        target.flush()
        yield Path(target.name)


def ensure_pause_image(socket: Path) -> None:
    """Import the sandbox image if it is not there just as we make it. Blocks: call it in a thread.

    Raises ContainerdError.
    """
    image = make_pause_image(PAUSE_IMAGE, choose_program(), platform.machine())
    if asyncio.run(_image_id(socket, PAUSE_IMAGE)) == image.id:
        return
    with tempfile.NamedTemporaryFile(suffix=".tar") as file:
        file.write(image.archive)
        file.flush()
        load(socket, Path(file.name))


async def _image_id(socket: Path, name: str) -> str:
    """ "" when it is not there."""
    cri = CriClient(socket)
    try:
        answer = await cri.image_status(name)
        return answer.image.id if answer else ""
    except CriError as error:
        raise ContainerdError(error.message) from error
    finally:
        await cri.close()


async def list_images(socket: Path) -> list[ImageInfo]:
    """All named images but our own, ordered by name. Raises ContainerdError."""
    cri, containerd = CriClient(socket), ContainerdClient(socket)
    try:
        seen = await cri.list_images()
        created = {image.name: image.created_at.ToDatetime() for image in await containerd.images()}
    except CriError as error:
        raise ContainerdError(error.message) from error
    finally:
        await cri.close()
        await containerd.close()
    infos = [
        ImageInfo(
            names=sorted(familiar(name) for name in image.repo_tags),
            id=image.id,
            size=image.size,
            created=max((created[name] for name in image.repo_tags if name in created), default=None),
        )
        for image in seen
    ]
    shown = [info for info in infos if info.names and PAUSE_IMAGE not in info.names]
    return sorted(shown, key=lambda info: info.names[0])


async def remove_image(socket: Path, name: str) -> None:
    """Remove one name; the image's content goes with its last name. Raises ContainerdError when there is none."""
    try:
        full = normalise(name)
    except ValueError as error:
        raise ContainerdError(str(error)) from None
    client = ContainerdClient(socket)
    try:
        doomed = names_to_remove(await client.images(), full)
        if not doomed:
            raise ContainerdError(f"no such image: {name}")
        for one in doomed:
            await client.delete_image(one)
    finally:
        await client.close()


def names_to_remove(images: Iterable[pb.Image], name: str) -> list[str]:
    """What must go for `name` to be gone: it, and with the last tag also CRI's references by digest."""
    listed = list(images)
    digests = {image.target.digest for image in listed if image.name == name}
    if not digests:
        return []
    same = [image.name for image in listed if image.target.digest in digests and image.name != name]
    others = [one for one in same if "@" not in one and not one.startswith("sha256:")]
    return [name] if others else [name, *same]


def run_ctr(socket: Path, *arguments: str) -> str:
    """containerd's own command line, in CRI's namespace; returns its output. Raises ContainerdError."""
    program = shutil.which("ctr")
    if program is None:
        raise ContainerdError("ctr is not installed: apt-get install containerd")
    command = [program, "--address", str(socket), "--namespace", NAMESPACE, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip().splitlines()
        raise ContainerdError(words[-1].removeprefix("ctr: ") if words else f"ctr {arguments[0]} failed")
    return done.stdout


if __name__ == "__main__":
    from skerry.engine.node.containerd.image_command import main

    raise SystemExit(main())
