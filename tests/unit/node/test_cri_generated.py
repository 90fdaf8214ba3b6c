"""The committed CRI messages are what `cri.proto` says, and import under their name inside the package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from google.protobuf import descriptor_pb2

from skerry.engine.node.cri import cri_pb2, generate
from skerry.engine.node.probes import health_pb2


def _compiled(proto: Path) -> descriptor_pb2.FileDescriptorProto:
    files = descriptor_pb2.FileDescriptorSet.FromString(generate.descriptor_set(proto)).file
    assert len(files) == 1
    return files[0]


def _drop_json_names(message: descriptor_pb2.DescriptorProto) -> None:
    """Derived from the fields' names; protoc adds them only to descriptor sets."""
    for field in message.field:
        field.ClearField("json_name")
    for nested in message.nested_type:
        _drop_json_names(nested)


@pytest.mark.parametrize(("module", "proto"), [(cri_pb2, generate.CRI), (health_pb2, generate.HEALTH)])
def test_committed_module_matches_proto(module: ModuleType, proto: Path) -> None:
    committed = descriptor_pb2.FileDescriptorProto()
    module.DESCRIPTOR.CopyToProto(committed)
    fresh = _compiled(proto)
    for message in (*committed.message_type, *fresh.message_type):
        _drop_json_names(message)
    assert committed == fresh


def test_module_names_itself_as_imported() -> None:
    assert cri_pb2.DESCRIPTOR.name == "skerry/engine/node/cri/cri.proto"
    assert cri_pb2.DESCRIPTOR.package == "runtime.v1"


def test_wire_numbers_that_are_not_consecutive() -> None:
    """Numbers of the published interface where leaving fields out would tempt one to renumber."""
    context = cri_pb2.LinuxContainerSecurityContext.DESCRIPTOR.fields_by_name
    assert {name: context[name].number for name in ("no_new_privs", "run_as_group", "seccomp", "apparmor")} == {
        "no_new_privs": 11,
        "run_as_group": 12,
        "seccomp": 15,
        "apparmor": 16,
    }
    assert cri_pb2.PodSandboxConfig.DESCRIPTOR.fields_by_name["labels"].number == 6
    assert cri_pb2.ContainerConfig.DESCRIPTOR.fields_by_name["linux"].number == 15


def test_messages_import_without_the_full_grpc() -> None:
    """grpcio costs 6 MB and is no dependency of the program."""
    code = "import skerry.engine.node.cri.client, sys; sys.exit('grpc' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
