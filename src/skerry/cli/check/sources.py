"""Objects to check, and where each stands: files as people wrote them, what Helm and kustomize make of others."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from skerry.cli.errors import CommandFailed, one_line
from skerry.cli.kubectl import find_program
from skerry.kube.objects import Obj
from skerry.kube.records import record

_ENDINGS = (".yaml", ".yml", ".json")
_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_LARGEST = 50_000_000
"""Bytes of one file."""
_SECONDS = 120.0
_STEP = re.compile(r"\[([^\]]+)\]|([^.\[]+)")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_KUBERNETES = "v1.36.0"


@record
class Sourced:
    """An object, the file that it is in, and its YAML there, None where it is not as somebody wrote it."""

    obj: Obj
    file: str
    node: yaml.Node | None = None

    def line(self, path: str) -> int:
        """The line, from 1, of a field ("spec.ports[0].port"), or of what is nearest to it; 0 for none."""
        if self.node is None:
            return 0
        node = self.node
        for match in _STEP.finditer(path):
            found = _child(node, match[1] or match[2])
            if found is None:
                break
            node = found
        return int(node.start_mark.line) + 1


def _child(node: yaml.Node, step: str) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode):
        return node.value[int(step)] if step.isdecimal() and int(step) < len(node.value) else None
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == step), None)
    return None


def from_files(paths: Iterable[Path]) -> Iterator[Sourced]:
    """The objects in files, in all YAML and JSON files of directories, and on standard input for `-`. Files of
    directories that hold no objects are passed over. Raises CommandFailed."""
    for path in paths:
        if str(path) == "-":
            yield from _parsed(sys.stdin.read(), "-", must=True)
        elif path.is_dir():
            if any((path / name).is_file() for name in _KUSTOMIZATIONS):
                raise CommandFailed(f"{path} is for kustomize: give it with --kustomize")
            for file in sorted(one for one in path.rglob("*") if one.suffix in _ENDINGS and one.is_file()):
                yield from _parsed(_text(file), str(file), must=False)
        else:
            yield from _parsed(_text(path), str(path), must=True)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            raise CommandFailed(f"{path} is larger than {_LARGEST // 1_000_000} MB: are these manifests?")
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandFailed(f"cannot read {path}: {error}") from None


def from_chart(
    chart: str, name: str, namespace: str, values: Sequence[Path], settings: Sequence[str]
) -> Iterator[Sourced]:
    """What a chart comes to, its definitions and tests included. Raises CommandFailed."""
    words = ["template", name, chart, "--include-crds", "--kube-version", _KUBERNETES]
    words += ["--namespace", namespace] if namespace else []
    words += [word for file in values for word in ("--values", str(file))]
    words += [word for setting in settings for word in ("--set", setting)]
    yield from _parsed(_run("helm", words), chart, must=True, written=False)


def from_kustomize(directory: Path) -> Iterator[Sourced]:
    """What an overlay comes to. Raises CommandFailed."""
    yield from _parsed(_run("kubectl", ["kustomize", str(directory)]), str(directory), must=True, written=False)


def _run(program: str, words: Sequence[str]) -> str:
    try:
        done = subprocess.run(
            [find_program(program), *words], capture_output=True, text=True, check=False, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise CommandFailed(f"{program} {words[0]} took longer than {_SECONDS:g} s") from None
    if done.returncode:
        raise CommandFailed(f"{program} {words[0]}: {done.stderr.strip() or f'exit code {done.returncode}'}")
    return done.stdout


def _parsed(text: str, file: str, *, must: bool, written: bool = True) -> Iterator[Sourced]:
    """`must`: whether what is no object is an error; `written`: whether its lines mean something to somebody."""
    loader = _LOADER(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            obj = loader.construct_document(node)
            for each, at in _objects(obj, node):
                if isinstance(each, dict) and (must or ("kind" in each and "apiVersion" in each)):
                    yield Sourced(each, file, at if written else None)
                elif must and each is not None:
                    raise CommandFailed(f"{file}:{node.start_mark.line + 1}: this is no object of Kubernetes")
    except yaml.YAMLError as error:
        raise CommandFailed(f"{file}: {one_line(error)}") from None
    finally:
        loader.dispose()


def _objects(obj: Any, node: yaml.Node) -> Iterator[tuple[Any, yaml.Node]]:
    """Those of a List each with its own place."""
    items = _child(node, "items")
    if isinstance(obj, dict) and str(obj.get("kind", "")).endswith("List") and isinstance(items, yaml.SequenceNode):
        for each, at in zip(obj["items"], items.value, strict=True):
            yield from _objects(each, at)
    else:
        yield obj, node
