"""The fields of a chart: from its values.schema.json and the defaults in its values.yaml.

What people fill in well gets an input of its own (texts, numbers, choices, ticks, lists of words, names with values);
anything else is written as YAML, as is what is beyond `_MOST`: a few lines of `$ref` can stand for millions of fields.
`x-skerry-advanced` puts a field behind "More"; a `format` of "password" hides it.
Source: json-schema.org, "Understanding JSON Schema"; helm.sh, "Schema Files".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from skerry.kube.records import record

Kind = Literal["text", "secret", "area", "number", "tick", "choice", "list", "pairs", "yaml", "group"]
Path = tuple[str, ...]
_DEEPEST = 6
_MOST = 500
"""Fields, groups counted."""
_SCALARS = frozenset({"string", "number", "integer", "boolean"})
ADVANCED = "x-skerry-advanced"


@record
class Field:
    """One thing to fill in, or a group of such."""

    path: Path
    kind: Kind
    title: str
    hint: str
    default: Any
    """What holds when nothing is filled in; None when nothing does."""
    schema: Mapping[str, Any]
    advanced: bool
    required: bool
    parts: Sequence[Field] = ()
    """Of a group."""

    @property
    def name(self) -> str:
        """Of the input."""
        return name_of(self.path)

    @property
    def id(self) -> str:
        """Of the input, in the page."""
        return id_of(self.path)

    @property
    def options(self) -> Sequence[Any]:
        """Of a choice."""
        return list(self.schema.get("enum") or ())

    @property
    def whole(self) -> bool:
        """Whether a number may have no decimals."""
        return _type_of(self.schema) == "integer"


def name_of(path: Path) -> str:
    """An input's name: it cannot be that of another path."""
    return "v/" + "/".join(part.replace("~", "~0").replace("/", "~1") for part in path)


def id_of(path: Path) -> str:
    """An id without anything that selectors would have to escape."""
    return "f-" + "-".join("".join(c if c.isalnum() and c.isascii() else f"_{ord(c):x}_" for c in one) for one in path)


def fields_of(schema: Mapping[str, Any], defaults: Mapping[str, Any]) -> Sequence[Field]:
    """Those of the whole chart, in the order of the schema."""
    return list(_Reader(schema).parts(schema, defaults, ()))


def leaves(fields: Sequence[Field]) -> Iterator[Field]:
    """Everything that is an input."""
    for one in fields:
        if one.kind == "group":
            yield from leaves(one.parts)
        else:
            yield one


class _Reader:
    """Of one schema, up to `_MOST` fields."""

    def __init__(self, whole: Mapping[str, Any]) -> None:
        self._whole, self._left = whole, _MOST

    def parts(self, schema: Mapping[str, Any], defaults: object, path: Path) -> Iterator[Field]:
        """What a group is made of."""
        required = schema.get("required")
        known: Mapping[str, Any] = defaults if isinstance(defaults, dict) else {}
        properties = schema.get("properties")
        for name, one in (properties if isinstance(properties, dict) else {}).items():
            if not self._left:
                return
            node = _resolved(one, self._whole)
            needed = name in required if isinstance(required, list) else False
            yield self._field((*path, name), node, known.get(name, node.get("default")), required=needed)

    def _field(self, path: Path, node: Mapping[str, Any], default: object, *, required: bool) -> Field:
        self._left -= 1
        kind = _kind_of(node) if len(path) <= _DEEPEST and self._left else "yaml"
        parts = list(self.parts(node, default, path)) if kind == "group" else []
        title, hint = str(node.get("title") or _in_words(path[-1])), str(node.get("description") or "")
        return Field(path, kind, title, hint, default, node, bool(node.get(ADVANCED)), required, parts)


def _kind_of(node: Mapping[str, Any]) -> Kind:
    if isinstance(node.get("enum"), list) and all(_is_scalar(one) for one in node["enum"]):
        return "choice"
    match _type_of(node):
        case "boolean":
            return "tick"
        case "integer" | "number":
            return "number"
        case "string":
            return _text_kind(node)
        case "array" if _items_type(node) == "string":
            return "list"
        case "object" if isinstance(node.get("properties"), dict) and node["properties"]:
            return "group"
        case "object" if _has_scalar_values(node):
            return "pairs"
    return "yaml"


def _text_kind(node: Mapping[str, Any]) -> Kind:
    if node.get("format") == "password" or node.get("writeOnly"):
        return "secret"
    return "area" if node.get("contentMediaType") or node.get("format") in ("textarea", "multiline") else "text"


def _type_of(node: Mapping[str, Any]) -> str:
    """The one that is not null, "" when there are several; what may be a text or a number is written as text."""
    written = node.get("type")
    types = [one for one in (written if isinstance(written, list) else [written]) if one != "null"]
    if "string" in types and all(one in ("string", "integer", "number") for one in types):
        return "string"
    return str(types[0]) if len(types) == 1 and types[0] else ""


def _items_type(node: Mapping[str, Any]) -> str:
    items = node.get("items")
    return _type_of(items) if isinstance(items, dict) else ""


def _has_scalar_values(node: Mapping[str, Any]) -> bool:
    more = node.get("additionalProperties")
    if not isinstance(more, dict):
        return False
    types = more.get("type")
    return set(types if isinstance(types, list) else [types]) <= _SCALARS


def _is_scalar(value: object) -> bool:
    return value is None or isinstance(value, (str, int, float, bool))


def _resolved(node: object, whole: Mapping[str, Any]) -> Mapping[str, Any]:
    """With what `$ref` names within the same schema; others are left: their fields are written as YAML."""
    seen = 0
    while isinstance(node, dict) and str(node.get("$ref", "")).startswith("#/") and seen < _DEEPEST:
        found: object = whole
        for part in node["$ref"][2:].split("/"):
            found = found.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
        rest = {key: value for key, value in node.items() if key != "$ref"}
        node, seen = ({**found, **rest} if isinstance(found, dict) else rest), seen + 1
    return node if isinstance(node, dict) else {}


def _in_words(name: str) -> str:
    """ "nodePort" as "Node port"."""
    spaced = "".join(f" {c.lower()}" if c.isupper() else c for c in name).replace("_", " ").replace("-", " ").strip()
    return spaced[:1].upper() + spaced[1:]
