"""Objects and patches that expressions build: `Object{spec: Object.spec{replicas: 3}}`, `JSONPatch{op: "add", ...}`.

In Kubernetes any `Object.a.b` is a type whose fields are dynamic. The library wants types declared: those an expression
names are found in its text and declared with the fields it sets. Dots in their names become underscores, so that
positions in error messages stay right. Source: apiserver `pkg/cel/mutation`.
"""

from __future__ import annotations

import re

from google.protobuf import descriptor_pb2 as pb

from skerry.kube.records import record

_F = pb.FieldDescriptorProto
_TOKEN = re.compile(
    r"""(?P<text>[rRbB]{0,2}(?:\"{3}.*?\"{3}|'{3}.*?'{3}|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'))"""
    r"""|(?P<object>(?<![\w.])Object(?:\.[A-Za-z_]\w*)*(?=\s*\{))"""
    r"""|(?P<field>(?<!\w)[A-Za-z_]\w*)(?=\s*:)""",
    re.DOTALL,
)


@record
class Constructing:
    """An expression as the library can read it, and the descriptors of the types it names."""

    source: str
    files: tuple[bytes, ...]


def constructing(source: str) -> Constructing:
    """The expression with its types declared."""
    types, fields = {"Object"}, set[str]()

    def rename(match: re.Match[str]) -> str:
        if match["object"] is None:
            fields.update([match["field"]] if match["field"] else [])
            return match[0]
        name = match["object"].replace(".", "_")
        types.add(name)
        return name

    rewritten = _TOKEN.sub(rename, source)
    return Constructing(rewritten, (_declared(types, fields),))


def _declared(types: set[str], fields: set[str]) -> bytes:
    file = pb.FileDescriptorProto(name="objects.proto", syntax="proto2", dependency=["google/protobuf/struct.proto"])
    for name in sorted(types):
        message = file.message_type.add(name=name)
        message.options.deprecated_legacy_json_field_conflicts = True
        for number, field in enumerate(sorted(fields), 1):
            _add_value(message, field, number)
    patch = file.message_type.add(name="JSONPatch")
    for number, field in enumerate(("op", "path", "from"), 1):
        patch.field.add(name=field, number=number, label=_F.LABEL_OPTIONAL, type=_F.TYPE_STRING)
    _add_value(patch, "value", 4)
    return file.SerializeToString()


def _add_value(message: pb.DescriptorProto, field: str, number: int) -> None:
    message.field.add(
        name=field,
        json_name=field,
        number=number,
        label=_F.LABEL_OPTIONAL,
        type=_F.TYPE_MESSAGE,
        type_name=".google.protobuf.Value",
    )
