"""A look at YAML that somebody else wrote, before a loader builds anything of it.

PyYAML's loaders call themselves for what is inside of something: a text of opening brackets ends the process and raises
nothing. And a few lines of aliases can stand for gigabytes. The parser below them does neither, so it looks first.
"""

from __future__ import annotations

from typing import Any

import yaml

_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST = 100
_MOST_GROWN = 100_000
"""Nodes that aliases of one document may stand for, all together."""


def look_first(text: str | bytes, *, aliases: bool = True, deepest: int = _DEEPEST) -> None:
    """Of all documents. Raises yaml.YAMLError for what cannot be parsed, is too deep or would grow too large; for any
    alias when there are to be none."""
    look = _Look(deepest, aliases=aliases)
    for event in yaml.parse(text, Loader=_LOADER):
        look.at(event)


class _Look:
    """At one text. `_open`: of collections that have not ended, their anchor and how many nodes came before them."""

    def __init__(self, deepest: int, *, aliases: bool) -> None:
        self._deepest, self._aliases = deepest, aliases
        self._open: list[tuple[str | None, int]] = []
        self._nodes = self._grown = 0
        self._sizes: dict[str, int] = {}

    def at(self, event: Any) -> None:
        """The next event. Raises yaml.MarkedYAMLError."""
        if isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._open.append((event.anchor, self._nodes))
            self._nodes += 1
            if len(self._open) > self._deepest:
                raise _refused(f"more than {self._deepest} things inside of each other", event)
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = self._open.pop()
            self._note(anchor, self._nodes - before)
        elif isinstance(event, yaml.ScalarEvent):
            self._nodes += 1
            self._note(event.anchor, 1)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._sizes, self._grown = {}, 0

    def _note(self, anchor: str | None, size: int) -> None:
        if anchor is not None:
            self._sizes[anchor] = size

    def _alias(self, event: Any) -> None:
        if not self._aliases:
            raise _refused("anchors and aliases (& and *) are not taken here", event)
        if any(anchor == event.anchor for anchor, _ in self._open):
            raise _refused(f"*{event.anchor} stands for something that it is in itself", event)
        size = self._sizes.get(event.anchor, 1)
        self._nodes, self._grown = self._nodes + size, self._grown + size
        if self._grown > _MOST_GROWN:
            raise _refused(f"aliases stand for more than {_MOST_GROWN} things", event)


def _refused(problem: str, event: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)
