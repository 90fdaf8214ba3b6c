"""A cache that shows at once what its owner wrote, although the watch brings that a moment later.

Who binds claim after claim must not take a volume twice because the cache still shows it free. One global revision
makes this exact: what was written counts until the cache has reached its revision (decision 0005).
"""

from __future__ import annotations

from skerry.kube.informer import Delta, Informer
from skerry.kube.objects import Obj, name_of, namespace_of


class Newest:
    """Objects of one informer."""

    def __init__(self, cache: Informer) -> None:
        self.cache = cache
        self._written: dict[tuple[str, str], Obj] = {}
        cache.add_handler(self._drop_deleted)

    def get(self, name: str, namespace: str = "") -> Obj | None:
        """The object as last seen or written, None when there is none."""
        key = (namespace, name)
        written = self._written.get(key)
        if written is not None:
            if _revision(written) > self.cache.revision:
                return written
            del self._written[key]
        return self.cache.get(name, namespace)

    def note(self, written: Obj) -> Obj:
        """Remember the answer to an update; gives it back."""
        key = (namespace_of(written), name_of(written))
        if _revision(written) > self.cache.revision:
            self._written[key] = written
        else:
            self._written.pop(key, None)
        return written

    def _drop_deleted(self, delta: Delta) -> None:
        """Nobody may ever ask for it again."""
        if delta.new is None:
            self._written.pop((namespace_of(delta.object), name_of(delta.object)), None)


def _revision(obj: Obj) -> int:
    text = str(obj["metadata"].get("resourceVersion", ""))
    return int(text) if text.isdecimal() else 0
