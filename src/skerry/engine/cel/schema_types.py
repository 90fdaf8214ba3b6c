"""An OpenAPI structural schema as a CEL type: objects become messages, so that the checker knows every field.

The library reads types from protobuf descriptors; a schema becomes one descriptor file. What descriptors cannot say (a
list of lists, int-or-string) becomes dynamic, which checks less and evaluates the same. Source of the mapping:
k8s.io/apiserver `pkg/cel/common/schemas.go` (SchemaDeclType).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf import descriptor_pb2 as pb

from skerry.engine.cel.contract import DYN, CelType, Structural
from skerry.engine.cel.declarations import OPAQUE
from skerry.engine.cel.names import escaped
from skerry.kube.records import record

_F = pb.FieldDescriptorProto
_VALUE, _LIST, _MAP = ".google.protobuf.Value", ".google.protobuf.ListValue", ".google.protobuf.Struct"
_SCALARS = {"string": _F.TYPE_STRING, "boolean": _F.TYPE_BOOL, "integer": _F.TYPE_INT64, "number": _F.TYPE_DOUBLE}
_SCALAR_NAMES = {"string": "string", "boolean": "bool", "integer": "int", "number": "double"}
_STRING_FORMATS = {"date-time": "timestamp", "date": "timestamp", "duration": "duration"}
_WELL_KNOWN = {"timestamp": ".google.protobuf.Timestamp", "duration": ".google.protobuf.Duration"}
_EMBEDDED = "x-kubernetes-embedded-resource"
_IDENTITY = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}}
_METADATA = {"type": "object", "properties": {"name": {"type": "string"}, "generateName": {"type": "string"}}}


@record
class Declared:
    """A type and the serialized descriptor file it is in."""

    type: CelType
    file: bytes


def declare(variable: str, of: Structural) -> Declared:
    """The type of a variable whose values meet a schema; whether they are optional is not in it."""
    package = f"{variable}Type".replace(".", "_")
    file = pb.FileDescriptorProto(
        name=f"{package}.proto",
        package=package,
        syntax="proto2",
        dependency=[f"google/protobuf/{name}.proto" for name in ("timestamp", "duration", "struct")],
    )
    schema = rooted(of.schema) if of.resource else of.schema
    described = _Messages(file, package).type_of(schema, "Root")
    return Declared(described, file.SerializeToString())


def opaque_types() -> list[bytes]:
    """Kubernetes' own types, which have no fields, as descriptor files: one a package."""
    packages: dict[str, pb.FileDescriptorProto] = {}
    for name in sorted(OPAQUE):
        package, _, message = name.rpartition(".")
        file = packages.setdefault(package, pb.FileDescriptorProto(name=f"{package}.proto", package=package))
        file.message_type.add(name=message)
    return [file.SerializeToString() for file in packages.values()]


def rooted(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """An object's schema with what every object has and expressions can always read."""
    properties = {**(schema.get("properties") or {}), **_IDENTITY, "metadata": _METADATA}
    return {**schema, "type": "object", "properties": properties}


def kind_of(schema: Mapping[str, Any]) -> str:
    """ "message", "map", "list", "timestamp", "duration", "bytes", a scalar's JSON type, or "dyn"."""
    of = schema.get("type")
    if schema.get("x-kubernetes-int-or-string"):
        return "dyn"
    if of == "object":
        if schema.get("properties") or schema.get(_EMBEDDED):
            return "message"
        additional = schema.get("additionalProperties")
        return "map" if isinstance(additional, Mapping) else "dyn" if _open(schema) else "message"
    if of == "array":
        return "list"
    if of == "string":
        return "bytes" if schema.get("format") == "byte" else _STRING_FORMATS.get(schema.get("format", ""), "string")
    return of if of in _SCALARS else "dyn"


def _open(schema: Mapping[str, Any]) -> bool:
    return bool(schema.get("x-kubernetes-preserve-unknown-fields") or schema.get("additionalProperties"))


class _Messages:
    """Builds the messages of one file."""

    def __init__(self, file: pb.FileDescriptorProto, package: str) -> None:
        self._file, self._package = file, package

    def type_of(self, schema: Mapping[str, Any], name: str) -> CelType:
        """The type of a variable."""
        kind = kind_of(schema)
        if kind == "message":
            return CelType(self._message(schema, self._file.message_type.add(), f".{self._package}", name)[1:])
        if kind == "list":
            return CelType("list", (self.type_of(schema.get("items") or {}, name),))
        if kind == "map":
            return CelType("map", (CelType("string"), self.type_of(schema["additionalProperties"], name)))
        if kind in ("timestamp", "duration", "bytes"):
            return CelType(kind)
        return CelType(_SCALAR_NAMES[kind]) if kind in _SCALAR_NAMES else DYN

    def _message(self, schema: Mapping[str, Any], message: pb.DescriptorProto, scope: str, name: str) -> str:
        """Fill in a message; its full name."""
        message.name = name
        message.options.deprecated_legacy_json_field_conflicts = True
        own = f"{scope}.{name}"
        number = 0
        schema = rooted(schema) if schema.get(_EMBEDDED) else schema
        for field, of in (schema.get("properties") or {}).items():
            written = escaped(field)
            if written is None:
                continue
            for spelled in {written, field} if field.isidentifier() else {written}:
                number += 1 if number != 18999 else 1001  # protobuf keeps 19000 to 19999 for itself
                # the JSON name is not used, but protobuf refuses messages whose fields' default ones collide
                made = message.field.add(name=spelled, json_name=spelled, number=number, label=_F.LABEL_OPTIONAL)
                self._field(message, own, made, of)
        return own

    def _field(
        self, message: pb.DescriptorProto, own: str, field: pb.FieldDescriptorProto, schema: Mapping[str, Any]
    ) -> None:
        kind = kind_of(schema)
        if kind == "list":
            items = schema.get("items") or {}
            if kind_of(items) in ("list", "map", "dyn"):
                field.type, field.type_name = _F.TYPE_MESSAGE, _LIST
                return
            field.label = _F.LABEL_REPEATED
            self._single(message, own, field, items, f"{field.name}_")
        elif kind == "map":
            self._map(message, own, field, schema["additionalProperties"])
        else:
            self._single(message, own, field, schema, f"{field.name}_")

    def _single(
        self,
        message: pb.DescriptorProto,
        own: str,
        field: pb.FieldDescriptorProto,
        schema: Mapping[str, Any],
        name: str,
    ) -> None:
        """`name`: of the message that is made, if one is; a map's values are named after the map."""
        kind = kind_of(schema)
        if kind in _SCALARS:
            field.type = _SCALARS[kind]
        elif kind == "bytes":
            field.type = _F.TYPE_BYTES
        elif kind == "message":
            nested = self._message(schema, message.nested_type.add(), own, name)
            field.type, field.type_name = _F.TYPE_MESSAGE, nested
        else:
            field.type, field.type_name = _F.TYPE_MESSAGE, _WELL_KNOWN.get(kind, _VALUE)

    def _map(
        self, message: pb.DescriptorProto, own: str, field: pb.FieldDescriptorProto, values: Mapping[str, Any]
    ) -> None:
        if kind_of(values) in ("list", "map"):
            field.type, field.type_name = _F.TYPE_MESSAGE, _MAP
            return
        entry = message.nested_type.add(name=_entry_name(field.name))
        entry.options.map_entry = True
        entry.field.add(name="key", number=1, label=_F.LABEL_OPTIONAL, type=_F.TYPE_STRING)
        value = entry.field.add(name="value", number=2, label=_F.LABEL_OPTIONAL)
        self._single(message, own, value, values, f"{field.name}_")
        field.label, field.type = _F.LABEL_REPEATED, _F.TYPE_MESSAGE
        field.type_name = f"{own}.{entry.name}"


def _entry_name(field: str) -> str:
    """protobuf wants map entries named after their field."""
    return "".join(part[:1].upper() + part[1:] for part in field.split("_")) + "Entry"
