"""What others changed in what a release applied: what was written beside what is there. Pure.

Only fields that were written count: defaults and what controllers add are nobody's drift. Lists of named things are
compared by name, as server-side apply keeps them.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from typing import Any

from skerry.kube.objects import Obj, annotations_of, name_of
from skerry.kube.quantities import parse_quantity
from skerry.platform.releases.stopping import STOPPED

_NAMES = ("name", "mountPath", "containerPort", "port", "key", "ip", "host")
"""By what things in a list are told from each other, the first that all have."""
_ASLEEP = "skerry.dev/awake"
"""Annotation of what a hibernated project keeps at rest: that is no drift."""
_SCALES = ("replicas", "suspend")
_SCALED = tuple(f"spec.{name}" for name in _SCALES)
_MOST = 20
_IGNORED = ("status", "apiVersion", "kind")


def drift_of(written: Obj, there: Obj | None) -> list[str]:
    """`kind/name: field` of what differs; at most a screenful."""
    title = f"{written.get('kind', '')}/{name_of(written)}"
    if there is None:
        return [f"{title}: deleted"]
    wanted = {name: value for name, value in _with_data(written).items() if name not in _IGNORED}
    wanted["metadata"] = {name: (written.get("metadata") or {}).get(name) for name in ("labels", "annotations")}
    paths = (path for path in _differences(wanted, there, "") if not (rests(there) and path in _SCALED))
    return [f"{title}: {path}" for path, _ in zip(paths, range(_MOST), strict=False)]


def rests(there: Obj) -> bool:
    """Whether somebody has it scaled to nothing, who will scale it back."""
    return _ASLEEP in annotations_of(there) or STOPPED in annotations_of(there)


def at_rest(written: Obj) -> Obj:
    """What is to be applied to what rests: how much of it runs is left alone."""
    spec = written.get("spec")
    if not isinstance(spec, dict):
        return written
    return {**written, "spec": {name: value for name, value in spec.items() if name not in _SCALES}}


def _with_data(written: Obj) -> Obj:
    """A Secret's stringData is stored as data."""
    text = written.get("stringData")
    if not isinstance(text, dict):
        return written
    encoded = {name: base64.b64encode(str(value).encode()).decode() for name, value in text.items()}
    rest = {name: value for name, value in written.items() if name != "stringData"}
    return {**rest, "data": {**(written.get("data") or {}), **encoded}}


def _differences(wanted: Any, there: Any, path: str) -> Iterator[str]:
    if wanted is None or wanted == there or (not wanted and there is None):
        return
    if isinstance(wanted, dict) and isinstance(there, dict):
        for name, value in wanted.items():
            yield from _differences(value, there.get(name), f"{path}.{name}" if path else str(name))
    elif isinstance(wanted, list) and isinstance(there, list):
        yield from _of_lists(wanted, there, path)
    elif not _same(wanted, there):
        yield path


def _of_lists(wanted: Sequence[Any], there: Sequence[Any], path: str) -> Iterator[str]:
    name = next((one for one in _NAMES if wanted and all(_has(item, one) for item in (*wanted, *there))), None)
    if name is None:
        if len(wanted) != len(there):
            yield path
            return
        for number, (one, other) in enumerate(zip(wanted, there, strict=True)):
            yield from _differences(one, other, f"{path}[{number}]")
        return
    known = {item[name]: item for item in there}
    for item in wanted:
        yield from _differences(item, known.get(item[name]), f"{path}[{item[name]}]")


def _has(item: Any, name: str) -> bool:
    return isinstance(item, dict) and isinstance(item.get(name), str | int)


def _same(wanted: Any, there: Any) -> bool:
    """Equal, or the same quantity, or the same number written as text."""
    if isinstance(wanted, bool) or isinstance(there, bool):
        return bool(wanted == there)
    if isinstance(wanted, str | int | float) and isinstance(there, str | int | float):
        try:
            return parse_quantity(str(wanted)) == parse_quantity(str(there))
        except ValueError:
            return str(wanted) == str(there)
    return False
