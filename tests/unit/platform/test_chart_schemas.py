"""Charts whose schemas would have Helm look elsewhere are known, however they are packed."""

from __future__ import annotations

import gzip
import io
import tarfile
from typing import Any

import orjson
import pytest

from skerry.platform.base.chart_schemas import reach_out


def _packed(**files: bytes) -> bytes:
    """`files`: content by name, "__" for a slash."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(f"web/{name.replace('__', '/')}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return gzip.compress(made.getvalue())


def _with(schema: Any) -> bytes:
    return _packed(**{"Chart.yaml": b"name: web\n", "values.schema.json": orjson.dumps(schema)})


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object"},
        {"$schema": "http://json-schema.org/draft-07/schema#", "properties": {"a": {"$ref": "#/$defs/a"}}},
        {"properties": {"$ref": {"type": "string"}}},
    ],
)
def test_own_schemas_stay(schema: Any) -> None:
    assert not reach_out(_with(schema))
    assert not reach_out(_packed(**{"Chart.yaml": b"name: web\n"}))


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": [{"$ref": "file:///etc/passwd"}]}},
        {"allOf": [{"$ref": "http://127.0.0.1/"}]},
        {"$ref": "other.json", "$id": "http://127.0.0.1/"},
        {"$schema": "http://127.0.0.1/meta"},
        {"$dynamicRef": "http://127.0.0.1/"},
    ],
)
def test_what_leads_elsewhere_is_known(schema: Any) -> None:
    assert reach_out(_with(schema))
    inner = _with(schema)
    assert reach_out(_packed(**{"values.schema.json": b"{}", "charts__inner-1.0.0.tgz": inner}))
    assert reach_out(
        _packed(charts__inner__values_schema=b"", **{"charts__inner__values.schema.json": orjson.dumps(schema)})
    )


def test_what_cannot_be_read_as_helm_reads_it() -> None:
    own = _with({"type": "object"})
    assert reach_out(b"no gzip")
    assert reach_out(own[:-9]), "cut off"
    assert reach_out(own + own), "Go reads both"
    assert reach_out(_packed(**{"values.schema.json": b'{"$ref": '}))
    assert reach_out(_packed(**{"values.schema.json": b"[" * 5000 + b"]" * 5000}))
    bomb = _packed(**{"charts__big-1.0.0.tgz": _packed(zeros=bytes(70 << 20))})
    assert reach_out(bomb), "unpacks to more than is looked at"
