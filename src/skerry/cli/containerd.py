"""The images of an instance's containerd, through containerd's own `ctr`."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from skerry.cli.engine_process import environment
from skerry.cli.errors import CommandFailed
from skerry.cli.instance_files import InstanceFiles
from skerry.kube.records import record

_NAMESPACE = "k8s.io"  # where containerd keeps what belongs to Kubernetes
_INVENTED = "skerry.invalid/unnamed"
_MANAGED = "io.cri-containerd.image=managed"
_SEEN_WITHIN = 10.0  # seconds for containerd's Kubernetes side to notice an image


@record
class Image:
    """One name of an image."""

    name: str
    digest: str
    size: str
    managed: bool
    """Whether containerd's Kubernetes side knows it, so that pods can use it."""


class Containerd:
    """The containerd of one instance. Every method raises CommandFailed with ctr's message."""

    def __init__(self, files: InstanceFiles) -> None:
        self._socket = files.containerd_socket
        self._data_dir = files.data_dir

    def images(self) -> list[Image]:
        """All named images; the bare-digest aliases that Kubernetes keeps are left out."""
        lines = self._ctr("images", "ls").splitlines()[1:]
        found = [_parse(line) for line in lines]
        return sorted((one for one in found if not one.name.startswith("sha256:")), key=lambda one: one.name)

    def load(self, archive: Path, name: str = "") -> list[str]:
        """Import a docker or OCI archive, under `name` too if given; returns the names images have got.

        Images that have but a tag get names of ctr's invention, which are taken away again.
        """
        words = ("--base-name", _INVENTED, *(("--index-name", name) if name else ()))
        lines = self._ctr("images", "import", *words, str(archive)).splitlines()
        names = [line.split()[1] for line in lines if line.startswith("unpacking ")]
        if invented := [one for one in names if one.startswith(_INVENTED)]:
            self.remove(invented)
        self._to_disk()
        return [one for one in names if one not in invented]

    def export(self, archive: Path, name: str) -> None:
        """Write an image as an archive."""
        self._ctr("images", "export", str(archive), name)

    def remove(self, names: list[str]) -> None:
        """Remove names; what no name holds any more is collected."""
        self._ctr("images", "rm", "--sync", *names)

    def wait_until_usable(self, names: list[str]) -> None:
        """Kubernetes' side of containerd learns of an import by an event, a few milliseconds later."""
        deadline = time.monotonic() + _SEEN_WITHIN
        while time.monotonic() < deadline:
            known = {image.name for image in self.images() if image.managed}
            if known.issuperset(names):
                return
            time.sleep(0.01)
        raise CommandFailed(f"containerd did not take up {', '.join(names)}: see `skerry logs --containerd`")

    def _to_disk(self) -> None:
        """containerd does not sync the files of images: after a power cut their programs would be empty."""
        done = subprocess.run(
            ["sync", "--file-system", str(self._data_dir)], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise CommandFailed(f"what was loaded could not be written to disk: {done.stderr.strip()}")

    def _ctr(self, *words: str) -> str:
        command = ["ctr", "--address", str(self._socket), "--namespace", _NAMESPACE, *words]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment())
        except FileNotFoundError:
            raise CommandFailed("ctr is missing: apt-get install containerd") from None
        if done.returncode != 0:
            raise CommandFailed(done.stderr.strip().removeprefix("ctr: "))
        return done.stdout


def _parse(line: str) -> Image:
    """REF TYPE DIGEST SIZE UNIT PLATFORMS LABELS, in columns."""
    name, _, digest, size, unit, *rest = line.split()
    return Image(name, digest, f"{size} {unit}", any(_MANAGED in field for field in rest))
