"""Images of our own, imported when they are not there just as we make them: the one every sandbox runs, before the
first pod; the one that archives volumes, when a pod first wants it.

Other images come by pulling (`engine.node.pulling`) or by hand (`skerry image`, which uses containerd's own `ctr`).
"""

from __future__ import annotations

import asyncio
import platform
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from skerry.engine.config import Paths
from skerry.engine.node.containerd.archiver_image import ARCHIVER_IMAGE, make_archiver_image
from skerry.engine.node.containerd.client import NAMESPACE
from skerry.engine.node.containerd.config_file import PAUSE_IMAGE
from skerry.engine.node.containerd.docker_archive import Image
from skerry.engine.node.containerd.failure import ContainerdError
from skerry.engine.node.containerd.pause_image import choose_program, make_pause_image
from skerry.engine.node.cri.client import CriClient, CriError
from skerry.engine.private_files import file_system_to_disk

_UNPACKED = re.compile(r"^unpacking (\S+) \(", re.MULTILINE)


def ensure_pause_image(paths: Paths) -> None:
    """The sandbox image; it is on disk then. Blocks: call it in a thread. Raises ContainerdError, OSError."""
    _ensure(paths, PAUSE_IMAGE, make_pause_image(PAUSE_IMAGE, choose_program(), platform.machine()))


def ensure_archiver_image(paths: Paths) -> None:
    """The image of the pods that archive volumes. Blocks: call it in a thread. Raises ContainerdError, OSError."""
    _ensure(paths, ARCHIVER_IMAGE, make_archiver_image(platform.machine()))


def _ensure(paths: Paths, name: str, image: Image) -> None:
    socket = paths.containerd_socket
    if asyncio.run(_image_id(socket, name)) == image.id:
        return
    with tempfile.NamedTemporaryFile(suffix=".tar") as file:
        file.write(image.archive)
        file.flush()
        load(socket, Path(file.name))
    file_system_to_disk(paths.containerd)


def load(socket: Path, archive: Path) -> list[str]:
    """Import a docker or OCI archive; returns the full names it brought. Raises ContainerdError."""
    program = shutil.which("ctr")
    if program is None:
        raise ContainerdError("ctr is not installed: apt-get install containerd")
    command = [program, "--address", str(socket), "--namespace", NAMESPACE, "images", "import", str(archive)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ContainerdError(f"cannot load {archive}: {done.stderr.strip().removeprefix('ctr: ')}")
    return _UNPACKED.findall(done.stdout)


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
