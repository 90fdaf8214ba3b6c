"""Files of variables that a container's environment refers to (`fileKeyRef`): `NAME='value'`, as a shell reads it.

Source of the syntax: Kubernetes' `pkg/kubelet/util/env`. Blank lines and lines that begin with `#` are skipped; a value
is in single quotes, taken literally, and may go over several lines; a comment may follow it. Anything else is an error.
Pure. Raises ConfigError.
"""

from __future__ import annotations

import re

from skerry.engine.node.errors import ConfigError

_SKIPPED = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|$)")
_NAME = re.compile(r"[ \t]*([^\s=#'\"][^\s=]*)=")
_REST = re.compile(r"[ \t]*(?:[ \t]#[^\n]*)?(?:\n|$)")


def value_of(text: str, key: str) -> str | None:
    """What the file says of `key`, None when nothing. What comes after the key is not looked at."""
    position = 0
    while position < len(text):
        if skipped := _SKIPPED.match(text, position):
            position = skipped.end()
            continue
        name = _NAME.match(text, position)
        if name is None:
            raise _invalid(text, position, "NAME='value' is expected, without spaces around '='")
        value, position = _quoted(text, name.end())
        if name.group(1) == key:
            return value
    return None


def _quoted(text: str, start: int) -> tuple[str, int]:
    """The value that begins at `start`, and where the next line begins."""
    if text[start : start + 1] != "'":
        raise _invalid(text, start, "value must be enclosed in single quotes")
    end = text.find("'", start + 1)
    if end < 0:
        raise _invalid(text, start, "unclosed single quote")
    rest = _REST.match(text, end + 1)
    if rest is None:
        raise _invalid(text, end, "unexpected content after closing quote")
    return text[start + 1 : end], rest.end()


def _invalid(text: str, position: int, why: str) -> ConfigError:
    line = text.count("\n", 0, position) + 1
    return ConfigError(f"invalid environment variable format at line {line}: {why}")
