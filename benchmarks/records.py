"""`record`: what a class costs to make and an object of it, beside a frozen dataclass with slots."""

from __future__ import annotations

import timeit
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.results import Row
from skerry.kube.records import record

_REPEATS, _CLASSES, _OBJECTS = 5, 200, 100_000
_Decorate = Callable[[type], Any]


def measure() -> list[Row]:
    """The two rows, the best of some runs each."""
    slots = dataclass(frozen=True, slots=True)
    return [
        Row("record class made", _classes(record), "ms", _classes(slots), None),
        Row("record made", _objects(record), "µs", _objects(slots), None),
    ]


def _plain() -> type:
    return type("Plain", (), {"__annotations__": {"a": "int", "b": "str", "c": "bool"}, "__doc__": "Something."})


def _classes(decorate: _Decorate) -> float:
    """Milliseconds for one."""
    return min(timeit.repeat(lambda: decorate(_plain()), number=_CLASSES, repeat=_REPEATS)) / _CLASSES * 1e3


def _objects(decorate: _Decorate) -> float:
    """Microseconds for one."""
    made = decorate(_plain())
    return min(timeit.repeat(lambda: made(1, "b", True), number=_OBJECTS, repeat=_REPEATS)) / _OBJECTS * 1e6
