"""Compose files of tests, read by Compose itself and translated."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

from skerry.cli.kubectl import find_program
from skerry.compose.application import Application, Choices
from skerry.compose.loading import Wanted, load
from skerry.compose.translate import Translation, translate
from skerry.kube.objects import Obj, name_of

PIA = Path(__file__).parent / "pia" / "docker-compose.yml"


def read(folder: Path, text: str, **choices: Any) -> Translation:
    """What a file comes to."""
    file = folder / "compose.yaml"
    file.write_text(dedent(text))
    return read_file(file, **choices)


def read_file(file: Path, *profiles: str, **choices: Any) -> Translation:
    document = load(Wanted(find_program("docker-compose"), [file], profiles))
    return translate(Application(document, Choices(**choices)))


def one(made: Translation, kind: str, name: str) -> Obj:
    (found,) = [obj for obj in made.objects() if obj["kind"] == kind and name_of(obj) == name]
    return found


def names(made: Translation, kind: str) -> list[str]:
    return sorted(name_of(obj) for obj in made.objects() if obj["kind"] == kind)


def pod(made: Translation, name: str, kind: str = "Deployment") -> Obj:
    spec: Obj = one(made, kind, name)["spec"]["template"]["spec"]
    return spec


def container(made: Translation, name: str, kind: str = "Deployment") -> Obj:
    (only,) = pod(made, name, kind)["containers"]
    found: Obj = only
    return found


def notes(made: Translation) -> str:
    return "\n".join(f"{note.kind} {note}" for note in made.notes)
