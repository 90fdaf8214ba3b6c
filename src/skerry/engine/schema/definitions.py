"""The raw OpenAPI definitions of Kubernetes 1.36, read from the installed package `kubernetes-validate`.

The document is 1.6 MB; decoded it would cost 10 MB, so only an index (name to byte range) is kept and single
definitions are decoded when somebody asks. The package itself is never imported (it loads jsonschema). Neighbours:
`shapes` compiles definitions for the hot path, `openapi` serves them.
"""

from __future__ import annotations

import importlib.util
import re
from functools import cache
from pathlib import Path

import orjson

from skerry.kube.objects import Obj

_DOCUMENT = "kubernetes-json-schema/v1.36.0-local/_definitions.json"
_HEAD = re.compile(rb'^    "([^"]+)": \{$', re.MULTILINE)
_TAIL = b"\n    }"
_REF = "#/$defs/"


class DefinitionsMissing(RuntimeError):
    """The package `kubernetes-validate` is not installed, or lacks or lays out Kubernetes 1.36 differently."""


@cache
def document_path() -> Path:
    """Where the definitions are. Raises DefinitionsMissing."""
    spec = importlib.util.find_spec("kubernetes_validate")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(place) / _DOCUMENT
        if path.is_file():
            return path
    raise DefinitionsMissing("the Python package kubernetes-validate with Kubernetes 1.36 is needed and not installed")


@cache
def _index() -> dict[str, tuple[int, int]]:
    text = document_path().read_bytes()
    found = {}
    for head in _HEAD.finditer(text):
        start = head.end() - 1
        found[head[1].decode()] = (start, text.index(_TAIL, start) + len(_TAIL))
    if len(found) < 700:
        raise DefinitionsMissing(f"{document_path()} is not laid out as expected: {len(found)} definitions found")
    return found


def names() -> list[str]:
    """All definition names, e.g. "io.k8s.api.core.v1.Pod"."""
    return list(_index())


def load(name: str) -> Obj:
    """One definition, freshly decoded, descriptions included. Raises KeyError."""
    start, end = _index()[name]
    with document_path().open("rb") as file:
        file.seek(start)
        definition: Obj = orjson.loads(file.read(end - start))
    return definition


def referenced(schema: Obj) -> str | None:
    """The name of the definition a schema refers to, None for an inline one."""
    target: str | None = schema.get("$ref")
    return target.removeprefix(_REF) if target else None
