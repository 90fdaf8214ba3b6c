"""The committed messages are what `checked.proto` says."""

from __future__ import annotations

from google.protobuf import descriptor_pb2

from skerry.engine.cel import checked_pb2, generate


def _without_json_names(message: descriptor_pb2.DescriptorProto) -> None:
    """They are derived; protoc adds them only to descriptor sets."""
    for field in message.field:
        field.ClearField("json_name")
    for nested in message.nested_type:
        _without_json_names(nested)


def test_committed_module_matches_proto() -> None:
    committed = descriptor_pb2.FileDescriptorProto()
    checked_pb2.DESCRIPTOR.CopyToProto(committed)
    (fresh,) = descriptor_pb2.FileDescriptorSet.FromString(generate.descriptor_set()).file
    for message in (*committed.message_type, *fresh.message_type):
        _without_json_names(message)
    assert committed == fresh
