"""Regenerates the `_pb2` modules from their `.proto` files: `python -m scripts.protobuf_modules`.

For developers: needs grpcio-tools and mypy-protobuf from the `dev` dependency group. The paths handed to protoc are
paths inside the package, so that a generated module names itself as it is imported. A unit test compares the committed
modules with what `descriptor_set` gives.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE_ROOT = Path(__file__).resolve().parents[1] / "src"
ENGINE = Path("skerry/engine")
PROTOS = (
    ENGINE / "cel" / "checked.proto",
    ENGINE / "node" / "containerd" / "api.proto",
    ENGINE / "node" / "cri" / "cri.proto",
    ENGINE / "node" / "probes" / "health.proto",
    ENGINE / "storage" / "csi" / "csi.proto",
    ENGINE / "storage" / "csi" / "registration" / "registration.proto",
)


def _protoc(proto: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{SOURCE_ROOT}", *arguments, str(proto)]
    subprocess.run(command, cwd=SOURCE_ROOT, check=True)


def descriptor_set(proto: Path) -> bytes:
    """One file compiled afresh: a serialized `FileDescriptorSet`."""
    with tempfile.TemporaryDirectory() as directory:
        output = Path(directory) / "descriptors"
        _protoc(proto, f"--descriptor_set_out={output}")
        return output.read_bytes()


def main() -> None:
    """Write the generated modules beside their sources."""
    plugin = Path(sys.executable).with_name("protoc-gen-mypy")
    outputs = (f"--python_out={SOURCE_ROOT}", f"--mypy_out={SOURCE_ROOT}")
    for proto in PROTOS:
        _protoc(proto, f"--plugin=protoc-gen-mypy={plugin}", *outputs)


if __name__ == "__main__":
    main()
