"""The committed containerd messages are what `api.proto` says, under their name inside the package."""

from __future__ import annotations

from google.protobuf import descriptor_pb2

from skerry.engine.node.containerd import api_pb2, generate


def _drop_json_names(message: descriptor_pb2.DescriptorProto) -> None:
    """Derived from the fields' names; protoc adds them only to descriptor sets."""
    for field in message.field:
        field.ClearField("json_name")
    for nested in message.nested_type:
        _drop_json_names(nested)


def test_committed_module_matches_proto() -> None:
    committed = descriptor_pb2.FileDescriptorProto()
    api_pb2.DESCRIPTOR.CopyToProto(committed)
    (fresh,) = descriptor_pb2.FileDescriptorSet.FromString(generate.descriptor_set()).file
    for message in (*committed.message_type, *fresh.message_type):
        _drop_json_names(message)
    assert committed == fresh


def test_module_names_itself_as_imported() -> None:
    assert api_pb2.DESCRIPTOR.name == "skerry/engine/node/containerd/api.proto"


def test_wire_numbers_that_are_not_consecutive() -> None:
    """Numbers of containerd's own interface where leaving fields out would tempt one to renumber."""
    assert api_pb2.Envelope.DESCRIPTOR.fields_by_name["event"].number == 4
    assert api_pb2.Container.DESCRIPTOR.fields_by_name["spec"].number == 5
