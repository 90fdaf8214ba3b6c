"""What of the containerd messages is easily got wrong."""

from __future__ import annotations

from skerry.engine.node.containerd import api_pb2


def test_wire_numbers_that_are_not_consecutive() -> None:
    """Numbers of containerd's own interface where leaving fields out would tempt one to renumber."""
    assert api_pb2.Envelope.DESCRIPTOR.fields_by_name["event"].number == 4
    assert api_pb2.Container.DESCRIPTOR.fields_by_name["spec"].number == 5
