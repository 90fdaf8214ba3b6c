"""Mutations of a MutatingAdmissionPolicy: an apply configuration or a JSON patch, built by an expression."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from skerry.engine.cel.contract import DYN, CelType, CompileError, Program, compile_expression, list_of
from skerry.engine.schema.causes import invalid, not_supported, required
from skerry.engine.schema.kinds.admissionregistration.expressions import Variables
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

_FIELDS = {"ApplyConfiguration": "applyConfiguration", "JSONPatch": "jsonPatch"}
_RESULTS = {
    "ApplyConfiguration": (CelType("Object"),),
    "JSONPatch": (list_of(CelType("JSONPatch")), list_of(DYN)),
}


@lru_cache(maxsize=256)
def compiled_mutation(source: str, variables: Variables) -> Program:
    """The program of a mutation's expression. Raises CompileError."""
    return compile_expression(source, variables.declared(), constructs=True)


def check_mutation(mutation: Obj, variables: Variables, field: str) -> Iterator[Cause]:
    """One of `mutations`."""
    kind = mutation.get("patchType") or ""
    if not kind:
        yield required(f"{field}.patchType")
        return
    if kind not in _FIELDS:
        yield not_supported(f"{field}.patchType", kind, _FIELDS)
        return
    for other, key in _FIELDS.items():
        if other != kind and mutation.get(key) is not None:
            yield invalid(f"{field}.{key}", mutation[key], f"{key} may not be specified when patchType is {kind}")
    key = _FIELDS[kind]
    source = (mutation.get(key) or {}).get("expression") or ""
    if not source.strip():
        yield required(f"{field}.{key}.expression", "expression is not specified")
        return
    yield from _check_expression(source, variables, kind, f"{field}.{key}.expression")


def _check_expression(source: str, variables: Variables, kind: str, field: str) -> Iterator[Cause]:
    try:
        result = compiled_mutation(source, variables).result
    except CompileError as error:
        yield invalid(field, source, f"compilation failed: {error}")
        return
    if result not in (*_RESULTS[kind], DYN):
        yield invalid(field, source, f"must evaluate to {_RESULTS[kind][0]}")
