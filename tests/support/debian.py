"""Images with Debian and Python packages for tests: what a Dockerfile on a base image would hold, without a registry.

Debian's packages come from its mirror, Python's by pip for the Python of Debian 12, whatever Python runs the tests.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.program import Program, program_path

_DEBIAN = "bookworm"
_PYTHON = "3.11.2"
"""The Python of that Debian: lock files for these images are resolved for it."""
_PLATFORMS = ("manylinux_2_28_x86_64", "manylinux2014_x86_64", "any")
_ROOT_PACKAGES = "python3-minimal,libpython3-stdlib,libstdc++6,ca-certificates,busybox-static"
_DOCKERFILE = """
FROM scratch
ADD root.tar /
COPY passwd /etc/passwd
COPY site /opt/python
ENV PYTHONPATH=/opt/python PATH=/opt/python/bin:/usr/bin:/bin HOME=/tmp
WORKDIR /tmp
"""
_PASSWD = "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/tmp:/bin/sh\n"


def build_python_image(program: Program, scratch: Path, lock: Path, name: str) -> None:
    """Build and load an image `name` with Debian's Python and what the requirements file `lock` pins."""
    context = scratch / "context"
    context.mkdir()
    (context / "Dockerfile").write_text(_DOCKERFILE)
    (context / "passwd").write_text(_PASSWD)
    mirror = ["mmdebstrap", "--quiet", "--variant=extract", f"--include={_ROOT_PACKAGES}", _DEBIAN]
    with subprocess.Popen([program_path(mirror[0]), *mirror[1:], str(context / "root.tar")]) as debian:
        _packages(lock, context / "site")
    assert debian.returncode == 0
    program.skerry("image", "build", "-t", name, str(context), timeout=180)
    shutil.rmtree(context)


def _packages(lock: Path, target: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--no-compile"]
    foreign = ["--only-binary=:all:", f"--python-version={_PYTHON}", "--implementation=cp"]
    platforms = [f"--platform={platform}" for platform in _PLATFORMS]
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    command = [*pip, *foreign, *platforms, "--target", str(target), "-r", str(lock)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    for script in (target / "bin").iterdir():
        begun, _, rest = script.read_bytes().partition(b"\n")
        if begun.startswith(b"#!") and b"python" in begun:
            script.write_bytes(b"#!/usr/bin/python3\n" + rest)
