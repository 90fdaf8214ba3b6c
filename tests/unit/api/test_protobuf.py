"""Protobuf bodies: what the Go types say about numbers, inlining and zero values."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.engine.api.protobuf.decode import decode
from skerry.kube.errors import BadRequest
from skerry.kube.objects import Obj


def field(number: int, content: bytes | int | str) -> bytes:
    if isinstance(content, int):
        return varint(number << 3) + varint(content & 0xFFFF_FFFF_FFFF_FFFF)
    raw = content.encode() if isinstance(content, str) else content
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))


def body(api_version: str, kind: str, message: bytes) -> bytes:
    return b"k8s\x00" + field(1, field(1, api_version) + field(2, kind)) + field(2, message)


METADATA = field(1, field(1, "a") + field(2, "") + field(3, "") + field(8, b""))


def spec_of(pod_spec: bytes) -> Obj:
    spec: Obj = decode(body("v1", "Pod", METADATA + field(2, pod_spec)))["spec"]
    return spec


def test_names_and_maps() -> None:
    message = METADATA + field(2, field(1, "k") + field(2, "v")) + field(2, field(1, "empty"))
    assert decode(body("v1", "ConfigMap", message)) == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a"},
        "data": {"k": "v", "empty": ""},
    }


def test_zeros_stay_where_go_keeps_them() -> None:
    """`replicas` is a pointer, `minReadySeconds` is not."""
    spec = field(1, 0) + field(5, 0)
    assert decode(body("apps/v1", "Deployment", METADATA + field(2, spec)))["spec"] == {"replicas": 0}


def test_inlined_messages() -> None:
    volume = field(1, "v") + field(2, field(2, b""))
    probe = field(1, field(2, field(1, "/") + field(2, field(1, 1) + field(3, "http"))))
    container = field(1, "c") + field(10, probe)
    assert spec_of(field(1, volume) + field(2, container)) == {
        "volumes": [{"name": "v", "emptyDir": {}}],
        "containers": [{"name": "c", "livenessProbe": {"httpGet": {"path": "/", "port": "http"}}}],
    }


def test_quantities_times_and_negative_numbers() -> None:
    limits = field(8, field(1, field(1, "cpu") + field(2, field(1, "1500m"))))
    assert spec_of(field(2, field(1, "c") + limits))["containers"][0]["resources"] == {"limits": {"cpu": "1500m"}}
    lease = field(2, field(2, -5) + field(3, field(1, 1_700_000_000) + field(2, 123_000)))
    assert decode(body("coordination.k8s.io/v1", "Lease", METADATA + lease))["spec"] == {
        "leaseDurationSeconds": -5,
        "acquireTime": "2023-11-14T22:13:20.000123Z",
    }


def test_bytes_are_base64() -> None:
    secret = METADATA + field(2, field(1, "p") + field(2, b"\x00\xff"))
    assert decode(body("v1", "Secret", secret))["data"] == {"p": "AP8="}


@pytest.mark.parametrize(
    "raw",
    [b"", b"k8s", b"{}", b"k8s\x00\x0a", b"k8s\x00\x0a\xff", body("v1", "Nothing", b""), body("v1", "Pod", b"\x0b"),
     body("v1", "Pod", field(1, 7)), body("v1", "Pod", field(1, field(1, b"\xff")))],
)  # fmt: skip
def test_what_is_no_object_is_refused(raw: bytes) -> None:
    with pytest.raises(BadRequest):
        decode(raw)


@given(st.binary(max_size=200))
def test_nothing_else_than_a_refusal(raw: bytes) -> None:
    for kind in ("Pod", "DeleteOptions"):
        with contextlib.suppress(BadRequest):
            decode(body("v1", kind, raw))


def schema_of(schema: bytes) -> Obj:
    """A definition with one version whose schema this is."""
    version = field(1, "v1") + field(2, 1) + field(3, 1) + field(4, field(1, schema))
    spec = field(1, "example.dev") + field(3, field(1, "things")) + field(4, "Namespaced") + field(7, version)
    decoded = decode(body("apiextensions.k8s.io/v1", "CustomResourceDefinition", METADATA + field(2, spec)))
    found: Obj = decoded["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return found


def test_schemas_of_custom_resources() -> None:
    """The four types of k8s.io/apiextensions-apiserver that write their JSON themselves."""
    number = field(5, "number") + varint(9 << 3 | 1) + struct.pack("<d", 10.0)
    properties = field(29, field(1, "size") + field(2, number))
    items = field(24, field(1, field(5, "string")))
    closed, opened = field(30, field(1, 0)), field(33, field(1, 1) + field(2, field(5, "string")))
    defaults = field(8, field(1, '{"a":null}')) + field(20, field(1, "1")) + field(20, field(1, '"x"'))
    dependencies = field(32, field(1, "a") + field(2, field(2, "b") + field(2, "c")))
    assert schema_of(field(5, "object") + properties + items + closed + opened + defaults + dependencies) == {
        "type": "object",
        "properties": {"size": {"type": "number", "maximum": 10}},
        "items": {"type": "string"},
        "additionalProperties": False,
        "additionalItems": {"type": "string"},
        "default": {"a": None},
        "enum": [1, "x"],
        "dependencies": {"a": ["b", "c"]},
    }
