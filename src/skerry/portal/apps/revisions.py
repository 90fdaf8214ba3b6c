"""Helm's own notes on a release: what each revision was given and what it wrote. Pure reading, bounded.

A revision is a Secret `sh.helm.release.v1.<name>.v<n>` whose `release` is base64 of gzipped JSON (base64 once more by
the API). Who may not read Secrets cannot see them. Source: Helm, `pkg/storage/driver/util.go`.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from difflib import unified_diff
from typing import Any

import orjson

from skerry.kube.objects import Obj
from skerry.kube.records import record
from skerry.kube.yaml_writing import write_yaml

_LARGEST = 20 * 1024**2
"""Bytes of a revision, unpacked."""
_MOST_COMPARED, _MOST_SHOWN = 2000, 5000
"""Lines."""


class RevisionUnreadable(Exception):
    """What is wrong with it, for the person."""


def secret_name(helm_name: str, revision: int) -> str:
    """Of a revision."""
    return f"sh.helm.release.v1.{helm_name}.v{revision}"


def values_in(secret: Obj) -> dict[str, Any]:
    """What a revision was given beside the chart's defaults. Raises RevisionUnreadable."""
    values: dict[str, Any] = _read(secret).get("config") or {}
    return values


def manifest_in(secret: Obj) -> str:
    """What a revision wrote. Raises RevisionUnreadable."""
    return str(_read(secret).get("manifest") or "")


def _read(secret: Obj) -> dict[str, Any]:
    try:
        data = base64.b64decode(base64.b64decode((secret.get("data") or {})["release"]))
        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
        text = unpacker.decompress(data, _LARGEST)
        if unpacker.unconsumed_tail:
            raise RevisionUnreadable("this revision is too large to be shown")
        read: dict[str, Any] = orjson.loads(text)
    except (KeyError, binascii.Error, zlib.error, orjson.JSONDecodeError) as error:
        raise RevisionUnreadable("Helm's notes on this revision cannot be read") from error
    return read


@record
class Line:
    """Of a difference. `kind`: same, added, removed, or where it is."""

    kind: str
    text: str


def difference(before: str, after: str, context: int = 3) -> list[Line]:
    """Two texts line by line, as `diff -u` has it without its head; [] when they are the same. Of texts that are longer
    than `_MOST_COMPARED` lines, where comparing may take minutes, what both begin and end with is left out."""
    old, new = before.splitlines(), after.splitlines()
    if max(len(old), len(new)) > _MOST_COMPARED:
        return _long_difference(old, new)
    lines = list(unified_diff(old, new, lineterm="", n=context))[2:]
    kinds = {"+": "added", "-": "removed", "@": "where"}
    return [Line(kinds.get(line[:1], "same"), line if line[:1] == "@" else line[1:]) for line in lines]


def _long_difference(old: list[str], new: list[str]) -> list[Line]:
    if old == new:
        return []
    shorter = min(len(old), len(new))
    start = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    end = next((at for at in range(shorter - start) if old[-1 - at] != new[-1 - at]), shorter - start)
    gone = [Line("removed", one) for one in old[start : len(old) - end]]
    come = [Line("added", one) for one in new[start : len(new) - end]]
    return [Line("where", f"@@ {start + 1} @@"), *gone, *come][:_MOST_SHOWN]


def as_yaml(values: Any) -> str:
    """As people write values; "" for none."""
    return write_yaml(values) if values else ""
