"""YAML that somebody else wrote: Chart.yaml, index.yaml.

PyYAML's loaders call themselves for what is inside of something: a file of opening brackets would end the process,
not raise. Built from the parser's events instead, which nothing calls itself for, it is also three times as quick.
Scalars are text, so that version 1.10 is not 1.1; unquoted `true`, `false` and `null` are what they are in JSON.
"""

from __future__ import annotations

from typing import Any

import yaml

_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST = 100
"""libyaml takes time by the square of what is open."""
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}


def read_yaml(text: bytes) -> Any:
    """The first document. Raises ValueError with a short text."""
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            if isinstance(event, yaml.DocumentEndEvent):
                break
            builder.take(event)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())[:200]) from None
    return builder.whole


class _Builder:
    """What is open, the innermost last; of a mapping also the key whose value comes next."""

    def __init__(self) -> None:
        self.whole: Any = None
        self._open: list[Any] = []
        self._keys: list[str | None] = []
        self._anchors: dict[str, Any] = {}

    def take(self, event: Any) -> None:
        """The next event. Raises ValueError."""
        kind = type(event)
        if kind is yaml.ScalarEvent:
            self._put(event, _scalar(event))
        elif kind is yaml.MappingStartEvent:
            self._begin(event, {})
        elif kind is yaml.SequenceStartEvent:
            self._begin(event, [])
        elif kind in (yaml.MappingEndEvent, yaml.SequenceEndEvent):
            self._open.pop()
            self._keys.pop()
        elif kind is yaml.AliasEvent:
            if event.anchor not in self._anchors:
                raise ValueError(f"nothing is called &{event.anchor}")
            self._place(self._anchors[event.anchor])

    def _begin(self, event: Any, container: Any) -> None:
        self._put(event, container)
        if len(self._open) >= _DEEPEST:
            raise ValueError(f"more than {_DEEPEST} things inside of each other")
        self._open.append(container)
        self._keys.append(None)

    def _put(self, event: Any, value: Any) -> None:
        if event.anchor:
            self._anchors[event.anchor] = value
        self._place(value)

    def _place(self, value: Any) -> None:
        if not self._open:
            self.whole = value
            return
        inside = self._open[-1]
        if isinstance(inside, list):
            inside.append(value)
        elif self._keys[-1] is None:
            if isinstance(value, dict | list):
                raise ValueError("a key is not text")
            self._keys[-1] = "" if value is None else str(value)
        else:
            inside[self._keys[-1]] = value
            self._keys[-1] = None


def _scalar(event: Any) -> Any:
    text = event.value
    return _WORDS[text] if event.implicit[0] and not event.style and text in _WORDS else text
