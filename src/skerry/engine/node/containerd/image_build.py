"""Images from a Dockerfile, built by buildah in a storage of its own and imported into our containerd.

buildah runs in a mount namespace of its own, so that its overlay mounts vanish with it. Base images that our containerd
has are handed over under their names first; what is not here is left to buildah to fetch. Source: buildah-build(1),
the Dockerfile reference (`FROM`, `ARG` before the first `FROM`).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from skerry.engine.node.containerd.failure import ContainerdError
from skerry.engine.node.containerd.image_names import familiar, normalise
from skerry.engine.node.containerd.images import load, run_ctr

_INSTRUCTION = re.compile(r"^\s*(FROM|ARG)\s+(.*)$", re.IGNORECASE)
_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::-([^}]*))?\}|(\w+))")

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """What to build: the context directory, the Dockerfile (None: Dockerfile or Containerfile in it), the name."""

    context: Path
    name: str
    dockerfile: Path | None = None
    build_args: tuple[str, ...] = ()


def build(socket: Path, work: Path, request: BuildRequest, progress: Progress) -> list[str]:
    """Build and import; returns the image's name. `work`: where temporary storage may be made; `progress` gets lines.

    Raises ContainerdError: buildah missing, no Dockerfile, a name no tool accepts, or a step that failed.
    """
    dockerfile = find_dockerfile(request)
    try:
        name = normalise(request.name)
    except ValueError as error:
        raise ContainerdError(str(error)) from None
    work.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="build-", dir=work) as directory:
        store = _Store(Path(directory), progress)
        bases = base_images(dockerfile.read_text(), request.build_args)
        for base in _present(socket, bases):
            archive = Path(directory) / "base.tar"
            run_ctr(socket, "images", "export", str(archive), base)
            store.take_in(archive, base)
        archive = Path(directory) / "image.tar"
        store.build(request, dockerfile, name)
        store.give_out(name, archive)
        load(socket, archive)
    return [familiar(name)]


def find_dockerfile(request: BuildRequest) -> Path:
    """Raises ContainerdError when there is none, or no context."""
    if not request.context.is_dir():
        raise ContainerdError(f"no such directory: {request.context}")
    names = [request.context / name for name in ("Dockerfile", "Containerfile")]
    choices = [request.dockerfile] if request.dockerfile else names
    for path in choices:
        if path.is_file():
            return path
    raise ContainerdError(f"no Dockerfile: {choices[0]} does not exist")


def base_images(dockerfile: str, build_args: Iterable[str] = ()) -> list[str]:
    """What the build starts from: names after FROM that are neither `scratch` nor an earlier stage."""
    given = dict(argument.partition("=")[::2] for argument in build_args)
    values: dict[str, str] = {}
    stages: set[str] = set()
    bases: list[str] = []
    for keyword, rest in _instructions(dockerfile):
        words = rest.split()
        if keyword == "ARG" and not stages and not bases and words:
            name, _, default = words[0].partition("=")
            values[name] = given.get(name, default.strip("\"'"))
        elif keyword == "FROM":
            words = [_expand(word, values) for word in words if not word.startswith("--")]
            if words and words[0] != "scratch" and words[0].lower() not in stages and words[0] not in bases:
                bases.append(words[0])
            if len(words) == 3 and words[1].lower() == "as":
                stages.add(words[2].lower())
    return bases


def _instructions(dockerfile: str) -> Iterator[tuple[str, str]]:
    for line in re.sub(r"\\\s*\n", " ", dockerfile).splitlines():
        match = _INSTRUCTION.match(line)
        if match:
            yield match[1].upper(), match[2].strip()


def _expand(text: str, values: dict[str, str]) -> str:
    return _VARIABLE.sub(lambda match: values.get(match[1] or match[3]) or match[2] or "", text)


def _present(socket: Path, bases: Iterable[str]) -> list[str]:
    """The full names of those our containerd has. A name that is none is left to buildah to complain about."""
    have = set(run_ctr(socket, "images", "ls", "-q").split())
    wanted = []
    for base in bases:
        try:
            wanted.append(normalise(base))
        except ValueError:
            continue
    return [name for name in wanted if name in have]


class _Store:
    """buildah with a storage of its own below `directory`."""

    def __init__(self, directory: Path, progress: Progress) -> None:
        program = shutil.which("buildah")
        if program is None:
            raise ContainerdError("buildah is not installed: apt-get install buildah")
        self._directory = directory
        self._progress = progress
        storage = ["--root", str(directory / "root"), "--runroot", str(directory / "run")]
        self._command = ["unshare", "--mount", "--propagation", "slave", "--", program, *storage]

    def take_in(self, archive: Path, name: str) -> None:
        """Make an exported image a base image under its full name."""
        lines = self._run("pull", "--quiet", f"docker-archive:{archive}")
        self._run("tag", lines[-1], name)
        archive.unlink()

    def build(self, request: BuildRequest, dockerfile: Path, name: str) -> None:
        """Run the Dockerfile's steps."""
        # crun refuses hybrid cgroups, and the chroot isolation ignores limits
        runtime = shutil.which("runc") or shutil.which("crun") or "runc"
        arguments = [f"--build-arg={argument}" for argument in request.build_args]
        options = ["--isolation", "oci", "--runtime", runtime, "--format", "docker", "--file", str(dockerfile)]
        self._run("build", *options, *arguments, "--tag", name, str(request.context), shown=True)

    def give_out(self, name: str, archive: Path) -> None:
        """Write the built image to an archive that carries its name."""
        self._run("push", "--quiet", name, f"docker-archive:{archive}:{name}")

    def _run(self, *arguments: str, shown: bool = False) -> list[str]:
        """The output's lines. Raises ContainerdError with the line that says why."""
        lines: list[str] = []
        with subprocess.Popen(
            [*self._command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        ) as process:
            for line in process.stdout or ():
                lines.append(line.rstrip("\n"))
                if shown:
                    self._progress(lines[-1])
        if process.returncode != 0:
            raise ContainerdError(f"buildah {arguments[0]} failed: {why(lines)}")
        return lines


def why(lines: list[str]) -> str:
    """The line of buildah's output that tells the reason: the last one marked as an error, else the last."""
    errors = [line for line in lines if line.lower().startswith(("error", "error:"))]
    chosen = errors[-1] if errors else next((line for line in reversed(lines) if line.strip()), "no reason given")
    return re.sub(r"^Error:\s*", "", chosen)
