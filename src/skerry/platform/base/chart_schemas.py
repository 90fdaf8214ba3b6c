"""Whether the schemas of a chart refer to anything beside themselves.

Helm follows such references when it holds values against a schema, with the rights of whoever runs it: to addresses in
our network, to files of the machine, and it quotes what it finds. So Helm is told to leave schemas out (`WITHOUT`) that
name anything else. What is looked at are bytes, not members of an archive: Go and Python do not agree on what these are
called when a tar says it twice. So what looks like such a reference counts wherever it stands, in charts within, too.
Source: json-schema.org, "Structuring a complex schema"; helm.sh, "Schema Files".
"""

from __future__ import annotations

import json
import re
import zlib

WITHOUT = "--skip-schema-validation"
"""What Helm is told."""
_LARGEST = 64 << 20
"""Bytes, unpacked, charts within the chart included."""
_DEEPEST = 5
"""Charts within charts."""
_MOST = 500
"""Of what may be an archive, in one."""
_PACKED = re.compile(rb"\x1f\x8b\x08")
_TEXT = rb'"((?:[^"\\]|\\.)*)"'
_NAMED = re.compile(rb'"(\$(?:ref|dynamicRef|recursiveRef|schema))"\s*:\s*' + _TEXT)
_SPELT = re.compile(rb'"((?:[^"\\]|\\.){0,80}\\u00[0-9a-fA-F]{2}(?:[^"\\]|\\.){0,80})"\s*:\s*' + _TEXT)
"""A name may be written by its letters' numbers."""
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_DRAFTS = ("http://json-schema.org/", "https://json-schema.org/")
"""Helm has these itself."""


def reach_out(archive: bytes) -> bool:
    """`archive`: a chart as it is kept, gzipped. Takes a moment: not for the event loop."""
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        data = unpacking.decompress(archive, _LARGEST)
    except zlib.error:
        return True
    if not unpacking.eof or unpacking.unused_data:
        return True  # cut off, too large, or more than one, of which Go reads all
    return _in_unpacked(data, [_LARGEST - len(data)], _DEEPEST)


def _in_unpacked(data: bytes, left: list[int], deepest: int) -> bool:
    """`left`: bytes that may still be unpacked."""
    if any(_is_elsewhere(found[1], found[2]) for each in (_NAMED, _SPELT) for found in each.finditer(data)):
        return True
    whole = memoryview(data)
    for number, found in enumerate(_PACKED.finditer(data)):
        inner = _unpacked(whole[found.start() :], left[0])
        left[0] -= len(inner)
        is_too_much = left[0] <= 0 or number >= _MOST or (inner != b"" and deepest == 0)
        if is_too_much or _in_unpacked(inner, left, deepest - 1):
            return True
    return False


def _unpacked(packed: memoryview, most: int) -> bytes:
    """As far as it is an archive: three bytes alone are not."""
    unpacking, data = zlib.decompressobj(zlib.MAX_WBITS | 16), bytearray()
    try:
        for start in range(0, len(packed), 1 << 16):
            data += unpacking.decompress(packed[start : start + (1 << 16)], most - len(data) + 1)
            if unpacking.eof or unpacking.unconsumed_tail or len(data) > most:
                break
    except zlib.error:
        pass
    return bytes(data)


def _is_elsewhere(name: bytes, place: bytes) -> bool:
    said, where = _read(name), _read(place)
    if said == "$schema":
        return not where.startswith(_DRAFTS)
    return said in _REFERENCES and not where.startswith("#")


def _read(text: bytes) -> str:
    try:
        return str(json.loads(b'"' + text + b'"'))
    except ValueError:
        return text.decode("utf-8", "replace")
