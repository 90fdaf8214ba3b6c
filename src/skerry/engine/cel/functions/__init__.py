"""CEL's standard functions and Kubernetes' libraries: one file per library, each with its `FUNCTIONS` and `METHODS`.

`FUNCTIONS` are called by name ("quantity", "sets.contains"), `METHODS` on a value, by name and the value's type.
What the type checker knows of Kubernetes' own is in `declarations`. A function may raise TypeError or ValueError
for arguments it is not for: the interpreter makes "no such overload" of it. Source: k8s.io/apiserver `pkg/cel/library`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from skerry.engine.cel.functions import (
    authorizer,
    conversions,
    formats,
    formatting,
    json_patches,
    lists,
    networks,
    optionals,
    quantities,
    regex,
    semvers,
    sets,
    strings,
    timestamps,
    urls,
)

_LIBRARIES = (
    authorizer, conversions, formats, formatting, json_patches, lists, networks, optionals, quantities, regex, semvers,
    sets, strings, timestamps, urls,
)  # fmt: skip

FUNCTIONS: dict[str, Callable[..., Any]] = {}
METHODS: dict[str, dict[type, Callable[..., Any]]] = {}

for _library in _LIBRARIES:
    FUNCTIONS.update(getattr(_library, "FUNCTIONS", {}))
    for _kind, _methods in getattr(_library, "METHODS", {}).items():
        for _name, _function in _methods.items():
            METHODS.setdefault(_name, {})[_kind] = _function
