"""What of the CRI messages is easily got wrong."""

from __future__ import annotations

import subprocess
import sys

from skerry.engine.node.cri import cri_pb2


def test_package() -> None:
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
