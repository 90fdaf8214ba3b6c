"""Field selectors."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.engine.schema.fields import parse_fields
from skerry.kube.errors import BadRequest

from .objects import CORE

PODS, NODES = CORE["pods"], CORE["nodes"]
POD = {
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {"nodeName": "n1", "restartPolicy": "Always"},
    "status": {"phase": "Running"},
}


@pytest.mark.parametrize(
    "text",
    [
        "",
        ",",
        "metadata.name=web",
        "metadata.name==web",
        "metadata.name!=db",
        "spec.nodeName=n1,status.phase!=Failed",
        "status.podIP=",
        "status.podIP!=1.2.3.4",
        "spec.hostNetwork=false",
    ],
)
def test_selects(text: str) -> None:
    assert parse_fields(PODS, text).matches(POD)


@pytest.mark.parametrize("text", ["metadata.name=db", "metadata.name!=web", "metadata.name=web,status.phase=Failed"])
def test_does_not_select(text: str) -> None:
    assert not parse_fields(PODS, text).matches(POD)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("spec.foo=x", "field label not supported: spec.foo"),
        ("metadata.uid=x", "field label not supported: metadata.uid"),
        ("=x", "field label not supported: "),
        ("metadata.name", "invalid selector: 'metadata.name'; can't understand 'metadata.name'"),
        ("metadata.name=a=b", "unescaped"),
        ("metadata.name=a\\b", "escape"),
        ("metadata.name=a\\", "escape"),
        ("metadata.name>a", "can't understand"),
    ],
)
def test_refused(text: str, message: str) -> None:
    with pytest.raises(BadRequest) as caught:
        parse_fields(PODS, text)
    assert message in caught.value.message


def test_namespace_is_no_field_of_cluster_scoped_kinds() -> None:
    with pytest.raises(BadRequest, match=r"metadata\.namespace"):
        parse_fields(NODES, "metadata.namespace=x")


def test_the_fixed_name_is_known() -> None:
    assert parse_fields(PODS, "spec.nodeName=n,metadata.name=web").required("metadata.name") == "web"
    assert parse_fields(PODS, "metadata.name!=web").required("metadata.name") is None


@given(st.text())
def test_any_value_can_be_escaped(value: str) -> None:
    escaped = value.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=")
    obj = {"metadata": {"name": value}}
    assert parse_fields(PODS, f"metadata.name={escaped}").matches(obj)
    assert not parse_fields(PODS, f"metadata.name!={escaped}").matches(obj)


@given(st.text() | st.text(alphabet="metadata.name=!,\\ "))
def test_garbage_is_refused_or_understood(text: str) -> None:
    with contextlib.suppress(BadRequest):
        parse_fields(PODS, text).matches(POD)
