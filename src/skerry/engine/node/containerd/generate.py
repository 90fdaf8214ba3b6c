"""Regenerates `api_pb2.py` and `api_pb2.pyi` from `api.proto`: `python -m skerry.engine.node.containerd.generate`.

For developers: needs grpcio-tools and mypy-protobuf from the `dev` dependency group. The path handed to protoc is the
file's path inside the package, so that the generated module names itself as it is imported. A unit test compares the
committed module with what `descriptor_set` gives.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE_ROOT = Path(__file__).resolve().parents[4]
PROTO = Path(__file__).resolve().with_name("api.proto").relative_to(SOURCE_ROOT)


def _protoc(*arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", f"-I{SOURCE_ROOT}", *arguments, str(PROTO)],
        cwd=SOURCE_ROOT,
        check=True,
    )


def descriptor_set() -> bytes:
    """`api.proto` compiled afresh: a serialized `FileDescriptorSet` of one file."""
    with tempfile.TemporaryDirectory() as directory:
        output = Path(directory) / "descriptors"
        _protoc(f"--descriptor_set_out={output}")
        return output.read_bytes()


def main() -> None:
    """Write both generated files beside `api.proto`."""
    plugin = Path(sys.executable).with_name("protoc-gen-mypy")
    _protoc(f"--plugin=protoc-gen-mypy={plugin}", f"--python_out={SOURCE_ROOT}", f"--mypy_out={SOURCE_ROOT}")


if __name__ == "__main__":
    main()
