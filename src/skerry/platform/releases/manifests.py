"""Manifests between YAML and objects, read as Kubernetes reads them: dates and times of day are text. Pure.

PyYAML reads YAML 1.1, with timestamps and with numbers to the base of sixty; the reader in Helm knows neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import yaml

from skerry.kube.objects import Obj
from skerry.kube.yaml_looking import look_first

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_TAG = "tag:yaml.org,2002:"
_LOST = tuple(f"{_TAG}{name}" for name in ("timestamp", "value", "int", "float"))
_INT = re.compile(r"^(?:[-+]?0b[01_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+)$")
_FLOAT = re.compile(
    r"^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
)


class BadManifests(ValueError):
    """They cannot be read; the text says where."""


class _Loader(_Base):  # type: ignore[misc]
    """The safe loader without what JSON does not have."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _LOST]
    for first, resolvers in _Base.yaml_implicit_resolvers.items()
}


_Loader.add_implicit_resolver(f"{_TAG}int", _INT, list("-+0123456789"))
_Loader.add_implicit_resolver(f"{_TAG}float", _FLOAT, list("-+0123456789."))


class _Text(_Dumper):  # type: ignore[misc]
    """Writes every object out: anchors would grow what is read next."""

    def ignore_aliases(self, data: Any) -> bool:
        """Never any."""
        del data
        return True


def read(text: str) -> list[Obj]:
    """All objects, in order; those of Lists as objects of their own. Raises BadManifests."""
    try:
        look_first(text)
        documents = list(yaml.load_all(text, Loader=_Loader))  # a safe loader
    except (yaml.YAMLError, ValueError) as error:
        raise BadManifests(f"the manifests are not YAML: {error}") from None
    found: list[Obj] = []
    for one in documents:
        if one is None:
            continue
        if not isinstance(one, dict) or not isinstance(one.get("metadata") or {}, dict):
            raise BadManifests(f"a manifest is no object: {str(one)[:80]}")
        found.extend(_items(one))
    return found


def write(objects: Iterable[Obj]) -> str:
    """As YAML documents."""
    return str(yaml.dump_all(objects, Dumper=_Text, sort_keys=False, allow_unicode=True, width=10_000))


def _items(obj: Obj) -> list[Obj]:
    kind = str(obj.get("kind", ""))
    if kind.endswith("List") and isinstance(obj.get("items"), list):
        return [one for one in obj["items"] if isinstance(one, dict)]
    return [obj]
