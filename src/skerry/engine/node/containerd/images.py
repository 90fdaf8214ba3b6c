"""The image every sandbox runs, there before the first pod: imported when it is not there just as we make it.

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
from skerry.engine.node.containerd.client import NAMESPACE
from skerry.engine.node.containerd.config_file import PAUSE_IMAGE
from skerry.engine.node.containerd.failure import ContainerdError
from skerry.engine.node.containerd.pause_image import choose_program, make_pause_image
from skerry.engine.node.cri.client import CriClient, CriError
from skerry.engine.private_files import file_system_to_disk

_UNPACKED = re.compile(r"^unpacking (\S+) \(", re.MULTILINE)


def ensure_pause_image(paths: Paths) -> None:
    """Import the sandbox image if it is not there just as we make it; it is on disk then. Blocks: call it in a thread.

    Raises ContainerdError, OSError.
    """
    socket = paths.containerd_socket
    image = make_pause_image(PAUSE_IMAGE, choose_program(), platform.machine())
    if asyncio.run(_image_id(socket, PAUSE_IMAGE)) == image.id:
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
