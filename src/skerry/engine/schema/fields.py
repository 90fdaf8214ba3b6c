"""Field selectors: `metadata.name=web,status.phase!=Running`.

Source: k8s.io/apimachinery `pkg/fields` and each kind's label conversion. Only metadata.name, metadata.namespace and
the kind's `selectable` fields may be asked for. A missing field reads as "".
Backslash escapes `\\`, `,` and `=` in values.
"""

from __future__ import annotations

from typing import Any

from skerry.engine.schema.contract import Kind
from skerry.kube.errors import BadRequest
from skerry.kube.objects import Obj
from skerry.kube.records import record

_ZERO: dict[tuple[str, ...], str] = {
    ("spec", "hostNetwork"): "false", ("spec", "unschedulable"): "false", ("status", "replicas"): "0",
    ("status", "successful"): "0",
}  # fmt: skip
"""What Go prints for fields that are not there but have no third state."""


@record
class FieldRequirement:
    """One term: the field's path, the value, and whether it must be equal or differ."""

    path: tuple[str, ...]
    value: str
    equal: bool = True

    def matches(self, obj: Obj) -> bool:
        """Whether the object meets it."""
        return (field_text(obj, self.path) == self.value) is self.equal


@record
class FieldSelector:
    """Terms that must all hold; none matches everything."""

    requirements: tuple[FieldRequirement, ...] = ()

    def matches(self, obj: Obj) -> bool:
        """Whether the object is selected."""
        return all(requirement.matches(obj) for requirement in self.requirements)

    def required(self, field: str) -> str | None:
        """The value a field must have ("metadata.name" lets a list become a get), None when it is not fixed."""
        path = tuple(field.split("."))
        for requirement in self.requirements:
            if requirement.equal and requirement.path == path:
                return requirement.value
        return None


def field_text(obj: Obj, path: tuple[str, ...]) -> str:
    """A field as field selectors see it: "" when missing, booleans as Go prints them."""
    value: Any = obj
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    if value is None:
        return _ZERO.get(path, "")
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def parse_fields(kind: Kind, text: str) -> FieldSelector:
    """The selector in a query string, its fields checked against the kind. Raises BadRequest."""
    return FieldSelector(tuple(_term(kind, term) for term in _split(text) if term))


def _split(text: str) -> list[str]:
    """At commas that are not escaped."""
    terms, start, at = [], 0, 0
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == ",":
            terms.append(text[start:at])
            start = at + 1
        at += 1
    return [*terms, text[start:]]


def _term(kind: Kind, term: str) -> FieldRequirement:
    for at in range(len(term)):
        for operator in ("!=", "==", "="):
            if term.startswith(operator, at):
                name, value = term[:at], _unescape(term[at + len(operator) :])
                _check(kind, name)
                return FieldRequirement(tuple(name.split(".")), value, operator != "!=")
    raise BadRequest(f"invalid selector: '{term}'; can't understand '{term}'")


def _unescape(value: str) -> str:
    out, at = [], 0
    while at < len(value):
        char = value[at]
        if char == "\\":
            at += 1
            char = value[at : at + 1]
            if char not in ("\\", ",", "="):
                raise BadRequest(f"invalid field selector: invalid escape sequence: \\{char}")
        elif char in ",=":
            raise BadRequest(f"invalid field selector: unescaped character in value: {char}")
        out.append(char)
        at += 1
    return "".join(out)


def _check(kind: Kind, name: str) -> None:
    known = ("metadata.name", "metadata.namespace") if kind.resource.namespaced else ("metadata.name",)
    if name not in known and name not in kind.selectable:
        raise BadRequest(f"field label not supported: {name}")
