"""The image every pod's sandbox runs: one static program that waits, reaps orphans and ends on SIGTERM.

Made of Debian's catatonit, or of busybox-static where that is missing, in pure Python. The same programs give the same
bytes, so importing it again changes nothing. Neighbour: `docker_archive`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from skerry.engine.node.containerd.docker_archive import Image, make_image
from skerry.engine.node.containerd.failure import ContainerdError
from skerry.kube.records import record

_NOBODY = "65535:65535"
_WAIT = "trap 'exit 0' TERM INT; while :; do /busybox sleep 2147483647 & wait $!; done"


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


def make_pause_image(name: str, program: Program, machine: str) -> Image:
    """`machine`: as `uname -m` says it."""
    files = {program.target: (program.source.read_bytes(), 0o755)}
    config = {"Entrypoint": list(program.entrypoint), "User": _NOBODY, "Env": ["PATH=/"]}
    return make_image(name, files, config, machine)
