"""Whether the schemas of a chart refer to anything beside themselves.

Helm follows such references when it holds values against a schema, with the rights of whoever runs it: to addresses in
our network, to files of the machine, and it quotes what it finds. So Helm is told to leave schemas out (`WITHOUT`) that
name anything else. What cannot be read as Helm would read it counts as such.
Source: json-schema.org, "Structuring a complex schema"; helm.sh, "Schema Files".
"""

from __future__ import annotations

import io
import tarfile
import zlib
from pathlib import PurePosixPath
from typing import Any

import orjson

WITHOUT = "--skip-schema-validation"
"""What Helm is told."""
_SCHEMA = "values.schema.json"
_LARGEST = 64 << 20
"""Bytes, unpacked, charts within the chart included."""
_DEEPEST = 5
"""Charts within charts."""
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_DRAFTS = ("http://json-schema.org/", "https://json-schema.org/")
"""Helm has these itself."""


def reach_out(archive: bytes) -> bool:
    """`archive`: a chart as it is kept, a gzipped tar. Takes a moment: not for the event loop."""
    try:
        return _Looking().into(archive, _DEEPEST)
    except (tarfile.TarError, zlib.error, ValueError, OSError, EOFError):
        return True


class _Looking:
    """Into one chart. `_left`: bytes that may still be unpacked."""

    def __init__(self) -> None:
        self._left = _LARGEST

    def into(self, archive: bytes, deepest: int) -> bool:
        """Raises ValueError and errors of tar and gzip."""
        with tarfile.open(fileobj=io.BytesIO(self._unpacked(archive)), mode="r:") as packed:
            return any(self._member(packed, one, deepest) for one in packed)

    def _member(self, packed: tarfile.TarFile, member: tarfile.TarInfo, deepest: int) -> bool:
        if packed.pax_headers:
            raise ValueError("names for all that follows, which Go does not heed")
        path, content = PurePosixPath(member.name), packed.extractfile(member) if member.isreg() else None
        if content is None:
            return False
        if path.name == _SCHEMA:
            return _leads_elsewhere(orjson.loads(content.read()))
        if path.suffix == ".tgz" and path.parent.name == "charts":
            return deepest == 0 or self.into(content.read(), deepest - 1)
        return False

    def _unpacked(self, archive: bytes) -> bytes:
        unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)
        data = unpacking.decompress(archive, self._left)
        self._left -= len(data)
        if not unpacking.eof or unpacking.unused_data or self._left <= 0:
            raise ValueError("cut off, too large, or more than one")
        return data


def _leads_elsewhere(schema: Any) -> bool:
    """Without calling itself: schemas are anybody's."""
    found = [schema]
    while found:
        one = found.pop()
        if isinstance(one, dict):
            if any(not str(one[name]).startswith("#") for name in _REFERENCES if isinstance(one.get(name), str)):
                return True
            if isinstance(draft := one.get("$schema"), str) and not draft.startswith(_DRAFTS):
                return True
            found.extend(one.values())
        elif isinstance(one, list):
            found.extend(one)
    return False
