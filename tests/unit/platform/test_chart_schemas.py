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
        {"properties": {"$ref": {"type": "string"}, "<b>": {"const": "$ref"}}, "$id": "https://charts.example/app"},
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
    bomb = _packed(**{"charts__big-1.0.0.tgz": _packed(zeros=bytes(70 << 20))})
    assert reach_out(bomb), "unpacks to more than is looked at"


@pytest.mark.parametrize(
    "written",
    [
        b'{"a": {"$ref"\n:\t"http://169.254.169.254/latest"}}',
        b'{"\\u0024ref": "file:///etc/passwd"}',
        b'{"$r\\u0065f": "\\u0066ile:///etc/passwd"}',
    ],
)
def test_however_it_is_written(written: bytes) -> None:
    assert reach_out(_packed(**{"values.schema.json": written}))


def _member(name: str, content: bytes, kind: bytes = tarfile.REGTYPE) -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(content)
    made = info.tobuf(tarfile.USTAR_FORMAT) + content
    return made + bytes(-len(made) % 512)


def test_a_schema_that_has_another_name_for_python_than_for_go() -> None:
    """Of two names that headers give the next member, Go takes GNU's, Python that of the first header."""
    headers = (
        _member("pax", b"23 path=web/README.txt\n", tarfile.XHDTYPE),
        _member("././@LongLink", b"web/values.schema.json\0", tarfile.GNUTYPE_LONGNAME),
    )
    schema = _member("web/x", b'{"$ref": "file:///etc/passwd"}')
    whole = gzip.compress(b"".join((*headers, schema, bytes(1024))))
    with tarfile.open(fileobj=io.BytesIO(whole)) as read:
        assert read.getnames() == ["web/README.txt"]
    assert reach_out(whole)


def test_what_only_looks_like_an_archive() -> None:
    assert not reach_out(gzip.compress(b"\x1f\x8b\x08 is how gzip begins" + _with({"type": "object"})))
    assert reach_out(gzip.compress(b"\x1f\x8b\x08" * 1000)), "more than are looked at"
    many = _with({"type": "object"})
    for _ in range(7):
        many = gzip.compress(many)
    assert reach_out(many), "too deep"
