"""Overlays: built by the kustomize in kubectl, from the files of the source and nothing else.

Kustomize would fetch what a kustomization names: files from web servers, directories from git. That would be the
platform's network, so what is not among the files is refused by name; git is not in its PATH, and where the platform
may, the program has no network at all.
"""

from __future__ import annotations

import os
import posixpath
import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from skerry.kube.yaml_looking import look_first
from skerry.platform.base.leashing import leash
from skerry.platform.base.private_directories import PrivateDirectory
from skerry.platform.releases.helm.program import Running
from skerry.platform.releases.problems import Unready
from skerry.platform.releases.words import complaint

_LARGEST = 4 * 1024 * 1024
_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_LISTED = ("resources", "bases", "components", "crds", "configurations", "transformers", "generators", "validators")
"""Fields whose entries are files or directories."""
_REFUSED = ("helmCharts", "helmChartInflationGenerator", "helmGlobals")
_TEXT = ("patch", "literals", "commonAnnotations", "commonLabels", "labels", "value", "target", "options")
"""Fields that hold no places."""
_REMOTE = re.compile(r"^\s*https?:|://", re.IGNORECASE)


async def built(files: Sequence[tuple[str, str]], running: Running, at: str = "") -> str:
    """The manifests of the kustomization in folder `at`. Raises Unready, OSError."""
    known = dict(files)
    refusal = next(refusals(known, at), "")
    if refusal:
        raise Unready("SourceRefused", refusal, phase="Failed")
    with PrivateDirectory("overlay") as folder:
        _write(known, folder.path)
        environment = {"HOME": str(folder.path), "PATH": "/nonexistent"}
        outcome = await running.run(_command(str(folder.path / at)), environment, _LARGEST + 1)
    if len(outcome.said.encode()) > _LARGEST:
        raise Unready("SourceRefused", "the overlay comes to more than 4 MiB of manifests", phase="Failed")
    if outcome.code:
        raise Unready("SourceRefused", f"kustomize: {complaint(outcome.complained)}", phase="Failed")
    return outcome.said


def _write(files: Mapping[str, str], folder: Path) -> None:
    """Raises Unready."""
    for path, text in files.items():
        place = folder / path
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        except OSError as error:  # one is a file here and a directory there
            raise Unready("SourceRefused", f"{path} cannot be a file: {error.strerror}", phase="Failed") from None


def refusals(files: Mapping[str, str], at: str = "") -> Iterator[str]:
    """What a kustomization asks for that is not among the files. Pure."""
    kustomizations = [path for path in files if posixpath.basename(path) in _NAMES]
    if not any(posixpath.dirname(path) == at for path in kustomizations):
        yield f"there is no kustomization.yaml {f'in {at}' if at else 'among the files'}"
    for path in kustomizations:
        try:
            look_first(files[path])
            said = yaml.safe_load(files[path])
        except yaml.YAMLError as error:
            yield f"{path} is not YAML: {error}"
            continue
        if isinstance(said, dict):
            yield from _of_kustomization(path, said, files)


def _of_kustomization(path: str, said: dict[str, Any], files: Mapping[str, str]) -> Iterator[str]:
    yield from (f"{path}: {name} is not offered: make a Release of the chart" for name in _REFUSED if name in said)
    elsewhere = "is elsewhere: only files of the source are read"
    yield from (f"{path}: {one} {elsewhere}" for one in _places(said) if _REMOTE.search(one))
    for name in _LISTED:
        for one in said.get(name) or ():
            where = posixpath.normpath(posixpath.join(posixpath.dirname(path), str(one)))
            inside = where in (*files, ".") or any(each.startswith(f"{where}/") for each in files)
            if "\n" not in str(one) and not inside:
                yield f"{path}: {one} is not among the files"


def _places(said: Any) -> Iterator[str]:
    """Every text that may name a place."""
    if isinstance(said, dict):
        for name, value in said.items():
            if name not in _TEXT:
                yield from _places(value)
    elif isinstance(said, list):
        for one in said:
            yield from _places(one)
    elif isinstance(said, str):
        yield said


def _command(folder: str) -> list[str]:
    beside = Path(sys.executable).with_name("kubectl")
    kubectl = str(beside) if beside.is_file() else shutil.which("kubectl")
    if kubectl is None:
        raise Unready("KubectlMissing", "kubectl is not installed on the machine of the platform", phase="Failed")
    unshare = shutil.which("unshare") if os.geteuid() == 0 else None
    return [*leash(), *((unshare, "--net", "--") if unshare else ()), kubectl, "kustomize", folder]
