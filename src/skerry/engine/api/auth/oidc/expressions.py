"""The CEL expressions of a configuration: over `claims`, or over the `user` that came of them.

Source: Kubernetes' `apiserver/pkg/authentication/cel`.
"""

from __future__ import annotations

from skerry.engine.api.auth.oidc.fields import Fields
from skerry.engine.cel.contract import (
    BOOL,
    DYN,
    STRING,
    CelType,
    CompileError,
    Program,
    Structural,
    VariableType,
    compile_expression,
)

__all__ = ["Program", "over_claims", "over_user"]

_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_USER = {
    "type": "object",
    "properties": {
        "username": _TEXT,
        "uid": _TEXT,
        "groups": _TEXTS,
        "extra": {"type": "object", "additionalProperties": _TEXTS},
    },
}


def over_claims(fields: Fields, name: str, *, boolean: bool = False) -> Program | None:
    """The expression in a field; None without one, or with a complaint. `boolean`: it has to say yes or no."""
    return _compiled(fields, name, {"claims": CelType("map", (STRING, DYN))}, boolean=boolean)


def over_user(fields: Fields, name: str) -> Program | None:
    """The same for a rule about the user."""
    return _compiled(fields, name, {"user": Structural(_USER)}, boolean=True)


def _compiled(fields: Fields, name: str, variables: dict[str, VariableType], *, boolean: bool) -> Program | None:
    source = fields.text(name)
    if not source:
        return None
    try:
        program = compile_expression(source, variables)
    except CompileError as error:
        fields.complain(name, f'Invalid value: "{source}": compilation failed: {error}')
        return None
    if boolean and program.result not in (BOOL, DYN):
        fields.complain(name, f'Invalid value: "{source}": must evaluate to bool')
        return None
    return program
