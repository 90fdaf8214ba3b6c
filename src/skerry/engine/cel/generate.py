"""Regenerates `checked_pb2` from `checked.proto`: `python -m skerry.engine.cel.generate`.

For developers: needs grpcio-tools and mypy-protobuf from the `dev` dependency group. A unit test compares the committed
module with what `descriptor_set` gives.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE_ROOT = Path(__file__).resolve().parents[3]
PROTO = Path("skerry/engine/cel/checked.proto")


def _protoc(*arguments: str) -> None:
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{SOURCE_ROOT}", *arguments, str(PROTO)]
    subprocess.run(command, cwd=SOURCE_ROOT, check=True)


def descriptor_set() -> bytes:
    """The file compiled afresh: a serialized `FileDescriptorSet`."""
    with tempfile.TemporaryDirectory() as directory:
        output = Path(directory) / "descriptors"
        _protoc(f"--descriptor_set_out={output}")
        return output.read_bytes()


def main() -> None:
    """Write the generated module beside its source."""
    plugin = Path(sys.executable).with_name("protoc-gen-mypy")
    _protoc(f"--plugin=protoc-gen-mypy={plugin}", f"--python_out={SOURCE_ROOT}", f"--mypy_out={SOURCE_ROOT}")


if __name__ == "__main__":
    main()
