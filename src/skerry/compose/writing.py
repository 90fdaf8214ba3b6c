"""Puts a translation into a directory: manifests for `kubectl apply -k`, or a chart (`chart`). Secrets are apart, in a
file that only its owner may read and git is told to leave alone."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from skerry.compose.translate import Translation
from skerry.kube.objects import Obj
from skerry.kube.yaml_writing import write_yaml

SECRETS = "secrets.yaml"


def dump(objects: Iterable[Any]) -> str:
    """Documents of YAML."""
    return write_yaml(*objects, width=120)


def write_manifests(made: Translation, directory: Path) -> list[Path]:
    """The files that were written. Raises OSError; FileExistsError when the directory has something in it."""
    prepare(directory)
    files = {f"{name}.yaml": dump(objects) for name, objects in made.files.items() if objects}
    resources = list(files)
    written = [_write(directory / name, text) for name, text in files.items()]
    if made.secrets:
        written.append(write_secrets(directory / SECRETS, dump(made.secrets)))
        written.append(_write(directory / ".gitignore", f"{SECRETS}\n"))
        resources.insert(0, SECRETS)
    kustomization: Obj = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": resources,
    }
    return [*written, _write(directory / "kustomization.yaml", dump([kustomization]))]


def prepare(directory: Path) -> None:
    """Make the directory. Raises FileExistsError when it is not empty."""
    directory.mkdir(parents=True, exist_ok=True)
    if any(directory.iterdir()):
        raise FileExistsError(f"{directory} is not empty")


def write_secrets(path: Path, text: str) -> Path:
    """For the owner only, from the first byte on."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    return path


def _write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path
