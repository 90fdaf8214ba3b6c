"""Builds images with buildah, whose storage is a directory of the instance: nothing of the machine's own is used."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from skerry.cli.engine_process import environment
from skerry.cli.errors import CommandFailed, MachineLacks
from skerry.kube.records import record


@record
class BuildRequest:
    """What to build. `arguments` are KEY=VALUE, `contexts` NAME=DIR."""

    name: str
    context: Path
    dockerfile: Path
    arguments: tuple[str, ...] = ()
    contexts: tuple[str, ...] = ()

    def words(self) -> list[str]:
        """The request as buildah's options."""
        words = ["--tag", self.name, "--file", str(self.dockerfile)]
        words += [word for one in self.arguments for word in ("--build-arg", one)]
        words += [word for one in self.contexts for word in ("--build-context", one)]
        return [*words, str(self.context)]


class Buildah:
    """buildah with its storage in one directory. Methods raise CommandFailed; buildah itself says why.

    Each run has a mount namespace of its own: a build that fails leaves its mounts behind.
    """

    def __init__(self, storage: Path, scratch: Path) -> None:
        self._path = environment()["PATH"]
        program = shutil.which("buildah", path=self._path)
        if program is None:
            raise MachineLacks("buildah is missing: apt-get install buildah")
        self._scratch = scratch
        self._command = ["unshare", "--mount", "--propagation", "private", program, "--storage-driver", "overlay"]
        self._command += ["--root", str(storage), "--runroot", str(scratch / "run")]

    def build(self, request: BuildRequest) -> None:
        """Build; what buildah says goes to the user's terminal.

        RUN steps get limits and namespaces from runc, but the host's network: buildah would make a bridge for one of
        their own and leave it. (crun refuses buildah's cgroups where v1 and v2 are mixed.)
        """
        words = ["bud", "--layers", "--force-rm", "--isolation", "oci", "--network", "host"]
        runc = shutil.which("runc", path=self._path)
        words += ["--runtime", runc] if runc else []
        self._run(*words, *request.words())

    def archive(self, name: str) -> Path:
        """The built image as an archive containerd can load."""
        path = self._scratch / "built.tar"
        self._run("push", "--quiet", name, f"docker-archive:{path}:{name}")
        return path

    def take(self, archive: Path, name: str) -> None:
        """Take an image from an OCI archive under a name."""
        identity = self._run("pull", "--quiet", f"oci-archive:{archive}", quiet=True).split()[-1]
        self._run("tag", identity, name)

    def _run(self, *words: str, quiet: bool = False) -> str:
        output = subprocess.PIPE if quiet else None
        done = subprocess.run([*self._command, *words], stdout=output, text=True, check=False, env=environment())
        if done.returncode != 0:
            raise CommandFailed(f"buildah {words[0]} failed with code {done.returncode}")
        return done.stdout or ""
