"""The variables expressions of webhooks and policies may read, and compiling such an expression once.

Source: `apiserver/pkg/admission/plugin/cel/compile.go`. `object` and `oldObject` are dynamic here, as there; the
request is typed. Neighbours: `policies` and `webhooks` check with it, `engine.api.admission` evaluates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from skerry.engine.cel.contract import (
    AUTHORIZER,
    DYN,
    RESOURCE_CHECK,
    CelType,
    CompileError,
    Program,
    Structural,
    VariableType,
    compile_expression,
)
from skerry.engine.cel.names import is_identifier
from skerry.engine.schema.causes import invalid
from skerry.kube.errors import Cause
from skerry.kube.records import record


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_KIND = _object(group=_TEXT, version=_TEXT, kind=_TEXT)
_RESOURCE = _object(group=_TEXT, version=_TEXT, resource=_TEXT)
_USER = _object(
    username=_TEXT, uid=_TEXT, groups=_TEXTS, extra={"type": "object", "additionalProperties": _TEXTS}
)  # fmt: skip
REQUEST = Structural(
    _object(
        kind=_KIND,
        resource=_RESOURCE,
        subResource=_TEXT,
        requestKind=_KIND,
        requestResource=_RESOURCE,
        requestSubResource=_TEXT,
        name=_TEXT,
        namespace=_TEXT,
        operation=_TEXT,
        userInfo=_USER,
        dryRun={"type": "boolean"},
        options={},
    ),
    name="request",
)


@record
class Variables:
    """What an expression may read beside `object`, `oldObject` and `request`. `computed`: "variables.x", by type."""

    params: bool = False
    authorizer: bool = False
    namespace: bool = False
    computed: tuple[tuple[str, CelType], ...] = ()

    def declared(self) -> Mapping[str, VariableType]:
        """By name."""
        found: dict[str, VariableType] = {"object": DYN, "oldObject": DYN, "request": REQUEST}
        if self.namespace:
            found["namespaceObject"] = DYN
        if self.params:
            found["params"] = DYN
        if self.authorizer:
            found["authorizer"], found["authorizer.requestResource"] = AUTHORIZER, RESOURCE_CHECK
        return {**found, **dict(self.computed)}

    def dynamic(self, name: str) -> Variables:
        """With one more `variables.name` of whatever type."""
        return self.plus(name, DYN) if is_identifier(name) else self

    def plus(self, name: str, of: CelType) -> Variables:
        """With one more `variables.name`; a message type of a request's part is dynamic elsewhere."""
        kept = DYN if of.name.startswith("requestType") else of
        return Variables(self.params, self.authorizer, self.namespace, (*self.computed, (f"variables.{name}", kept)))


WEBHOOK = Variables(authorizer=True)
"""Of a webhook's match conditions."""


@lru_cache(maxsize=1024)
def compiled(source: str, variables: Variables) -> Program:
    """The program of an expression. Raises CompileError."""
    return compile_expression(source, variables.declared())


def check_expression(source: str, variables: Variables, results: tuple[CelType, ...], field: str) -> Iterator[Cause]:
    """The complaint about an expression that does not compile or gives another type; none when all is well."""
    try:
        result = compiled(source, variables).result
    except CompileError as error:
        yield invalid(field, source, f"compilation failed: {error}")
        return
    if result not in (*results, DYN):
        wanted = str(results[0]) if len(results) == 1 else f"one of [{' '.join(map(str, results))}]"
        yield invalid(field, source, f"must evaluate to {wanted}")
