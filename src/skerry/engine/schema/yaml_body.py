"""YAML bodies, read as the JSON they stand for. Source of the behaviour: sigs.k8s.io/yaml.

Aliases are allowed, but not to grow a small body into a huge object, nor into a cycle. Raises only BadRequest.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import orjson
import yaml

from skerry.engine.schema.depth import check_depth
from skerry.kube.errors import BadRequest

MAX_NODES = 200_000
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]
    """The safe loader without timestamps, which JSON does not have."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in _Base.yaml_implicit_resolvers.items()
}


def parse_yaml(body: bytes) -> tuple[Any, list[str]]:
    """The value, and a complaint for every key given twice in one mapping. Raises BadRequest."""
    loader = _Loader(body)
    try:
        node = loader.get_single_node()
        if node is None:
            return None, []
        duplicates: list[str] = []
        _count(node, {}, duplicates)
        value = _jsonable(loader.construct_document(node))
        orjson.dumps(value)  # what JSON cannot carry (huge integers, lone surrogates) is refused here, not later
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError, TypeError) as error:
        first_line = str(error).replace("\n", " ")
        raise BadRequest(f"error converting YAML to JSON: yaml: {first_line}") from None
    finally:
        loader.dispose()
    check_depth(value)
    return value, duplicates


def _count(node: yaml.Node, sizes: dict[int, int], duplicates: list[str]) -> int:
    """How many nodes `node` stands for with its aliases expanded. Raises ValueError for a cycle or too many."""
    known = sizes.get(id(node))
    if known is not None:
        if known < 0:
            raise ValueError("anchor contains itself")
        return known
    sizes[id(node)] = -1
    size = 1
    for child in _children(node):
        size += _count(child, sizes, duplicates)
    if size > MAX_NODES:
        raise ValueError("document contains excessive aliasing")
    if isinstance(node, yaml.MappingNode):
        duplicates.extend(_repeated(node))
    sizes[id(node)] = size
    return size


def _repeated(node: yaml.MappingNode) -> Iterator[str]:
    seen: set[str] = set()
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode) and key.value != "<<":
            if key.value in seen:
                yield f'line {key.start_mark.line + 1}: key "{key.value}" already set in map'
            seen.add(key.value)


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _jsonable(value: Any) -> Any:
    """Keys become strings; what JSON lacks is refused."""
    if isinstance(value, dict):
        return {_key(key): _jsonable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_jsonable(item) for item in value]
    if value is None or isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise ValueError(f"cannot express {type(value).__name__} in JSON")


def _key(key: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, str | int | float):
        return str(key)
    raise ValueError(f"unsupported map key of type {type(key).__name__}")
