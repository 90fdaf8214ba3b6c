"""How property names that are no CEL identifiers are written in expressions: `__dot__`, `__dash__`, `__namespace__` ...

Source: k8s.io/apiserver `pkg/cel/escaping.go` and the documentation of validation rules.
"""

from __future__ import annotations

import re

RESERVED = frozenset({
    "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let",
    "loop", "package", "namespace", "return", "var", "void", "while",
})  # fmt: skip
_ESCAPES = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}
_TO_ESCAPE = re.compile(r"__|[./-]")
_ESCAPED = re.compile(r"__(underscores|dot|dash|slash)__")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_BACK = {"underscores": "__", "dot": ".", "dash": "-", "slash": "/"}


def is_identifier(name: str) -> bool:
    """Whether it can name a variable."""
    return bool(_IDENTIFIER.fullmatch(name)) and name not in RESERVED


def escaped(name: str) -> str | None:
    """How expressions write a property name; None when they cannot."""
    if name in RESERVED:
        return f"__{name}__"
    written = _TO_ESCAPE.sub(lambda match: _ESCAPES[match[0]], name)
    return written if _IDENTIFIER.fullmatch(written) else None


def unescaped(name: str) -> str:
    """The property an expression's name means."""
    if "__" not in name:
        return name
    if name.startswith("__") and name.endswith("__") and name[2:-2] in RESERVED:
        return name[2:-2]
    return _ESCAPED.sub(lambda match: _BACK[match[1]], name)
