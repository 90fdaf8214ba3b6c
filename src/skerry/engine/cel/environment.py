"""The library's compiler, set up as Kubernetes sets up CEL: its extensions, Kubernetes' functions, and variables.

Only here (and in `compiler`, which catches its errors) the library `cel-expr-python` is known. It is used for compiling
only: what it evaluates must cross into Python values, where 0.1.3 loses references (docs/decisions/0020).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from cel_expr_python import cel

from skerry.engine.cel import declarations
from skerry.engine.cel.contract import CelType, Structural, VariableType
from skerry.engine.cel.schema_types import Declared, declare, opaque_types
from skerry.kube.records import record

_EXTENSIONS = (("optional", "latest"), ("sets", "latest"), ("strings", 2), ("two-var-comprehensions", "latest"))
_SIMPLE: dict[str, str] = {
    "string": "STRING", "int": "INT", "uint": "UINT", "double": "DOUBLE", "bool": "BOOL", "bytes": "BYTES",
    "timestamp": "TIMESTAMP", "duration": "DURATION", "dyn": "DYN",
}  # fmt: skip
_YAML_NAMES = {"timestamp": "google.protobuf.Timestamp", "duration": "google.protobuf.Duration", "null": "null"}


@record
class Environment:
    """A compiler of the library; `pool` is kept alive because the library only borrows it."""

    env: Any
    pool: Any

    def compile(self, source: str) -> bytes:
        """The checked expression, serialized. Raises RuntimeError with the library's message."""
        serialized: bytes = self.env.compile(source).serialize()
        return serialized


def environment(variables: Mapping[str, VariableType], files: tuple[bytes, ...] = ()) -> Environment:
    """The compiler for expressions over these variables. `files`: descriptors of further types they may name."""
    if files or any(isinstance(of, Structural) and not of.name for of in variables.values()):
        return _new(variables, files)
    # policies share few sets of variables; those of a custom resource's schema are used once and not kept
    key = tuple((name, of if isinstance(of, CelType) else of.name) for name, of in variables.items())
    if key not in _kept:
        while len(_kept) >= _MOST_KEPT:
            _kept.pop(next(iter(_kept)))
        _kept[key] = _new(variables)
    return _kept[key]


_MOST_KEPT = 64
_kept: dict[tuple[tuple[str, CelType | str], ...], Environment] = {}


def _new(variables: Mapping[str, VariableType], files: tuple[bytes, ...] = ()) -> Environment:
    types: list[tuple[str, CelType]] = []
    declared: dict[tuple[int, bool], Declared] = {}
    for name, of in variables.items():
        if isinstance(of, CelType):
            types.append((name, of))
            continue
        key = (id(of.schema), of.resource)  # variables of one schema are of one type: they can be compared
        if key not in declared:
            declared[key] = declare(name, of)
        described = declared[key].type
        types.append((name, CelType("optional_type", (described,)) if of.optional else described))
    return _made(types, [*files, *(one.file for one in declared.values())])


def _made(types: list[tuple[str, CelType]], files: list[bytes]) -> Environment:
    config = {
        "extensions": [{"name": name, "version": version} for name, version in _EXTENSIONS],
        "variables": [{"name": name, **_described(of)} for name, of in types],
    }
    pool = _pool(files)
    made = cel.NewEnv(
        descriptor_pool=pool, config=cel.NewEnvConfigFromYaml(json.dumps(config)), extensions=[_kubernetes()]
    )
    return Environment(made, pool)


def _described(of: CelType) -> dict[str, Any]:
    params = [_described(param) for param in of.params]
    return {"type_name": _YAML_NAMES.get(of.name, of.name), **({"params": params} if params else {})}


def _pool(files: list[bytes]) -> Any:
    from google.protobuf import descriptor_pool, duration_pb2, struct_pb2, timestamp_pb2

    pool = descriptor_pool.DescriptorPool()
    for module in (duration_pb2, struct_pb2, timestamp_pb2):
        pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
    for file in (*opaque_types(), *files):
        pool.AddSerializedFile(file)
    return pool


@cache
def _kubernetes() -> Any:
    """Kubernetes' functions as an extension of the library; the checker's side only."""
    names = [*declarations.FUNCTIONS, *(name for name in declarations.METHODS if name not in declarations.FUNCTIONS)]
    return cel.CelExtension("kubernetes", [cel.FunctionDecl(name, _overloads(name)) for name in names])


def _overloads(name: str) -> list[Any]:
    tables = ((declarations.FUNCTIONS, False), (declarations.METHODS, True))
    return [
        _overload(f"kubernetes_{name}_{'member_' if member else ''}{at}", text, member)
        for table, member in tables
        for at, text in enumerate(table.get(name, ()))
    ]


def _overload(identity: str, text: str, member: bool) -> Any:
    parameters, result = text.split("->")
    types = [_type(word) for word in parameters.split()]
    return cel.Overload(identity, return_type=_type(result.strip()), parameters=types, is_member=member)


def _type(word: str) -> Any:
    if word == "A":
        return cel.Type("~A")
    if word in _SIMPLE:
        return getattr(cel.Type, _SIMPLE[word])
    name, bracket, inner = word.partition("<")
    inner = inner.removesuffix(">")
    if not bracket:
        return cel.Type(word)
    if name == "list":
        return cel.Type("list<~A>") if inner == "A" else cel.Type.List(_type(inner))
    if name == "map":
        key, _, value = inner.partition(",")
        return cel.Type.Map(_type(key), _type(value))
    return cel.Type.AbstractType(name, [_type(inner)])
