"""The committed protobuf messages are what their `.proto` files say, under their names inside the package."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2
from scripts import protobuf_modules


def _without_json_names(message: descriptor_pb2.DescriptorProto) -> None:
    """They are derived from the fields' names; protoc adds them only to descriptor sets."""
    for field in message.field:
        field.ClearField("json_name")
    for nested in message.nested_type:
        _without_json_names(nested)


@pytest.mark.parametrize("proto", protobuf_modules.PROTOS, ids=lambda path: path.stem)
def test_committed_module_matches_proto(proto: Path) -> None:
    module = import_module(".".join((*proto.parent.parts, f"{proto.stem}_pb2")))
    committed = descriptor_pb2.FileDescriptorProto()
    module.DESCRIPTOR.CopyToProto(committed)
    (fresh,) = descriptor_pb2.FileDescriptorSet.FromString(protobuf_modules.descriptor_set(proto)).file
    for message in (*committed.message_type, *fresh.message_type):
        _without_json_names(message)
    assert committed == fresh
    assert committed.name == str(proto)


def test_every_proto_is_listed() -> None:
    root = protobuf_modules.SOURCE_ROOT
    assert {path.relative_to(root) for path in root.rglob("*.proto")} == set(protobuf_modules.PROTOS)
