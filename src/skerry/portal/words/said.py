"""A sentence for people: a text that is translated where it is shown, and what goes into it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Literal

from skerry.kube.records import record

Tone = Literal["good", "busy", "bad", "quiet"]
"""How it is shown: as it should be; on its way; something is to be done; it rests."""


@record
class Said:
    """One sentence, and what to do about it when something is."""

    text: str
    values: Mapping[str, object] = field(default_factory=dict)
    tone: Tone = "quiet"
    advice: str = ""
    """Another text, which takes the same values."""

    def shown(self, translate: Callable[[str], str]) -> str:
        """In somebody's language."""
        return _filled(translate(self.text), self.values)

    def advised(self, translate: Callable[[str], str]) -> str:
        """What to do, "" when there is nothing."""
        return _filled(translate(self.advice), self.values) if self.advice else ""


def _filled(text: str, values: Mapping[str, object]) -> str:
    return text % values if values else text
