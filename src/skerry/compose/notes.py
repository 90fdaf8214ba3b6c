"""What could not be translated, or only with a difference: named, with what to do."""

from __future__ import annotations

from typing import Literal

from skerry.kube.records import record

Kind = Literal["Missing", "Different", "Todo"]
"""Missing: it has no counterpart and is left out. Different: it works otherwise. Todo: somebody has to do something."""


@record
class Note:
    """One of them. `about`: "service web: ports", "volume data"."""

    kind: Kind
    about: str
    text: str

    def __str__(self) -> str:
        return f"{self.about}: {self.text}"


class Notes:
    """Collects notes in order, each once."""

    def __init__(self) -> None:
        self._notes: dict[Note, None] = {}

    def add(self, kind: Kind, about: str, text: str) -> None:
        """Note it."""
        self._notes[Note(kind, about, text)] = None

    @property
    def all(self) -> tuple[Note, ...]:
        """In order: what is missing first, then what is different, then what is to do."""
        order = ("Missing", "Different", "Todo")
        return tuple(sorted(self._notes, key=lambda note: order.index(note.kind)))


class About:
    """Notes of one service."""

    def __init__(self, notes: Notes, service: str) -> None:
        self._notes, self._service = notes, service

    def missing(self, key: str, text: str) -> None:
        """`key` of the service has no counterpart."""
        self._notes.add("Missing", f"service {self._service}: {key}", text)

    def different(self, key: str, text: str) -> None:
        """It works otherwise."""
        self._notes.add("Different", f"service {self._service}: {key}", text)

    def todo(self, key: str, text: str) -> None:
        """Somebody has to do something."""
        self._notes.add("Todo", f"service {self._service}: {key}", text)
