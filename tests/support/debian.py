"""Images with Debian and Python packages for tests: what a Dockerfile on a base image would hold, without a registry.

Debian's packages come from its mirror, Python's by pip for the Python of Debian 12, whatever Python runs the tests.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.program import Program, program_path
from tests.support.waiting import BUILDING

_DEBIAN = "bookworm"
_PYTHON = "3.11.2"
"""The Python of that Debian: lock files for these images are resolved for it."""
_PLATFORMS = ("manylinux_2_28_x86_64", "manylinux2014_x86_64", "any")
_ROOT_PACKAGES = ("python3-minimal", "libpython3-stdlib", "libstdc++6", "ca-certificates", "busybox-static")
_DOCKERFILE = """
FROM scratch
ADD root.tar /
COPY passwd /etc/passwd
COPY site /opt/python
COPY wheels /opt/wheels
ENV PYTHONPATH=/opt/python PATH=/opt/python/bin:/usr/bin:/bin HOME=/tmp
ENV PIP_NO_INDEX=1 PIP_NO_DEPS=1 PIP_FIND_LINKS=/opt/wheels
WORKDIR /tmp
"""
_PASSWD = "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/tmp:/bin/sh\n"


@dataclass(frozen=True, slots=True)
class Contents:
    """What an image holds beside Debian's Python: what `lock` pins, and as said here."""

    lock: Path
    debian: Sequence[str] = ()
    """Further packages of Debian."""
    sources: Sequence[str] = ()
    """What `lock` pins that has no wheel: pure Python, built here."""
    wheels: Sequence[str] = ()
    """What `lock` pins that is kept as a wheel in /opt/wheels too, for programs that install it again."""
    byte_code: bool = False
    """Compiled beforehand: worth it when many short programs start."""


def build_python_image(program: Program, scratch: Path, contents: Contents, name: str) -> None:
    """Build and load an image `name` with Debian's Python and `contents`."""
    context = scratch / "context"
    context.mkdir()
    (context / "Dockerfile").write_text(_DOCKERFILE)
    (context / "passwd").write_text(_PASSWD)
    (context / "wheels").mkdir()
    with subprocess.Popen(_extraction((*_ROOT_PACKAGES, *contents.debian), context)) as debian:
        _packages(contents, context / "site")
        for package in contents.wheels:
            _wheel(contents.lock, package, context / "wheels")
    assert debian.returncode == 0
    program.skerry("image", "build", "-t", name, str(context), timeout=BUILDING)
    shutil.rmtree(context)


def build_debian_image(program: Program, scratch: Path, packages: Sequence[str], name: str) -> None:
    """Build and load an image `name` of packages of Debian, with the user 1000 and without running their scripts."""
    context = scratch / "context"
    context.mkdir()
    (context / "Dockerfile").write_text(
        "FROM scratch\nADD root.tar /\nCOPY passwd /etc/passwd\nENV PATH=/usr/bin:/bin\n"
    )
    (context / "passwd").write_text(_PASSWD)
    subprocess.run(_extraction(packages, context), check=True)
    program.skerry("image", "build", "-t", name, str(context), timeout=BUILDING)
    shutil.rmtree(context)


def _extraction(packages: Sequence[str], context: Path) -> list[str]:
    """The command that writes root.tar."""
    mirror = [program_path("mmdebstrap"), "--quiet", "--variant=extract", f"--include={','.join(packages)}", _DEBIAN]
    return [*mirror, str(context / "root.tar")]


def _packages(contents: Contents, target: Path) -> None:
    compiled = "--compile" if contents.byte_code else "--no-compile"
    built_here = [f"--no-binary={package}" for package in contents.sources]
    _pip("install", *built_here, compiled, "--target", str(target), "-r", str(contents.lock))
    for script in (path for path in (target / "bin").iterdir() if path.is_file()):
        begun, _, rest = script.read_bytes().partition(b"\n")
        if begun.startswith(b"#!") and b"python" in begun:
            script.write_bytes(b"#!/usr/bin/python3\n" + rest)


def _wheel(lock: Path, package: str, target: Path) -> None:
    """Put the wheel of one package of `lock` into `target`."""
    wanted = target.with_name(f"{package}.lock")
    _, begun, rest = lock.read_text().partition(f"\n{package}==")
    wanted.write_text(begun + re.split(r"\n(?=\S)", rest, maxsplit=1)[0])
    _pip("download", "--dest", str(target), "-r", str(wanted))


def _pip(verb: str, *words: str) -> None:
    """Run pip for the Python of the images."""
    pip = [sys.executable, "-m", "pip", verb, "--quiet", "--no-deps", "--require-hashes"]
    foreign = ["--only-binary=:all:", f"--python-version={_PYTHON}", "--implementation=cp"]
    platforms = [f"--platform={platform}" for platform in _PLATFORMS]
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    command = [*pip, *foreign, *platforms, *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=BUILDING, check=False)
    assert done.returncode == 0, done.stderr
