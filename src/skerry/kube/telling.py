"""Says once what is wrong with an object, and says it again only when it has become something else."""

from __future__ import annotations

from collections.abc import Iterable

from skerry.kube.events import Recorder
from skerry.kube.objects import Obj, uid_of


class Telling:
    """Events of one component, which looks at the same objects again and again."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._told: dict[tuple[str, str], str] = {}
        """Messages by uid and reason."""

    def news(self, obj: Obj, reason: str, message: str) -> None:
        """Something good."""
        self._recorder.event(obj, "Normal", reason, message)

    def problem(self, obj: Obj, reason: str, message: str) -> None:
        """What is wrong, "" when nothing is any more."""
        key = uid_of(obj), reason
        if message and self._told.get(key) != message:
            self._recorder.event(obj, "Warning", reason, message)
        if message:
            self._told[key] = message
        else:
            self._told.pop(key, None)

    def forget_all_but(self, objects: Iterable[Obj]) -> None:
        """These are all there are."""
        there = {uid_of(one) for one in objects}
        self._told = {key: message for key, message in self._told.items() if key[0] in there}
