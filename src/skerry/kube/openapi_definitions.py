"""The raw OpenAPI definitions of Kubernetes 1.36, read from the installed package `kubernetes-validate`.

The document is 1.6 MB; decoded it would cost 10 MB, so only an index (name to byte range) is kept and single
definitions are decoded when somebody asks. The package itself is never imported (it loads jsonschema). Readers:
`engine.schema.shapes`, which compiles them for the hot path, and `checking.schema`.
"""

from __future__ import annotations

import importlib.util
import os
from functools import cache
from pathlib import Path

import orjson

from skerry.kube.objects import Obj

_DOCUMENT = "kubernetes-json-schema/v1.36.0-local/_definitions.json"
_HEAD, _TAIL = b'\n    "', b"\n    }"
"""How a definition begins and ends: the document is indented by two spaces, definitions are at the second level."""
_REF = "#/$defs/"
_EXPECTED = 700


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
    """Name to byte range. Plain searches: a regular expression takes ten times as long."""
    text = document_path().read_bytes()
    found = {}
    at = text.find(_HEAD)
    while at >= 0:
        start = at + len(_HEAD)
        end = text.index(_TAIL, start) + len(_TAIL)
        name, _, _ = text[start:end].partition(b'"')
        found[name.decode()] = (text.index(b"{", start), end)
        at = text.find(_HEAD, end)
    if len(found) < _EXPECTED:
        raise DefinitionsMissing(f"{document_path()} is not laid out as expected: {len(found)} definitions found")
    return found


@cache
def _descriptor() -> int:
    """The document, open for as long as the process lives: definitions are read one by one, hundreds at start."""
    return os.open(document_path(), os.O_RDONLY | os.O_CLOEXEC)


def names() -> list[str]:
    """All definition names, e.g. "io.k8s.api.core.v1.Pod"."""
    return list(_index())


def load(name: str) -> Obj:
    """One definition, freshly decoded, descriptions included. Raises KeyError."""
    start, end = _index()[name]
    definition: Obj = orjson.loads(os.pread(_descriptor(), end - start, start))
    return definition


def referenced(schema: Obj) -> str | None:
    """The name of the definition a schema refers to, None for an inline one."""
    target: str | None = schema.get("$ref")
    return target.removeprefix(_REF) if target else None
