"""An API that forgets nothing, in memory: enough of one to write a ledger to. It can break at any write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from skerry.kube.client import EVERYTHING, ObjectList, Selection
from skerry.kube.errors import AlreadyExists, Conflict, NotFound
from skerry.kube.informer import Delta
from skerry.kube.objects import Obj, Resource, copy_of, labels_of, name_of

Breaking = Literal["before", "after", ""]


class BrokenApi(Exception):
    """The process that wrote is gone: nothing of it goes on."""


class Api:
    """`breaks` is asked at every write whether it is done, lost, or done with its answer lost."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], Obj] = {}
        self.breaks: Callable[[], Breaking] = lambda: ""
        self._revision = 0

    def of(self, resource: Resource) -> list[Obj]:
        return [one for (plural, _), one in self.objects.items() if plural == resource.plural]

    async def get(self, resource: Resource, name: str, *_: Any) -> Obj:
        if (resource.plural, name) not in self.objects:
            raise NotFound(name)
        return self.objects[resource.plural, name]

    async def list(
        self, resource: Resource, namespace: str | None = None, selection: Selection = EVERYTHING, **_: Any
    ) -> ObjectList:
        name, _sign, value = selection.label_selector.partition("=")
        return ObjectList([one for one in self.of(resource) if not name or labels_of(one).get(name) == value], "1")

    async def create(self, resource: Resource, obj: Obj, *_: Any) -> Obj:
        key = (resource.plural, name_of(obj))
        if key in self.objects:
            raise AlreadyExists(name_of(obj))
        return self._write(key, {**obj, "metadata": {**obj["metadata"], "uid": f"uid-{self._revision}"}})

    async def update(self, resource: Resource, obj: Obj, subresource: str = "") -> Obj:
        key = (resource.plural, name_of(obj))
        present = self.objects[key]
        if obj["metadata"].get("resourceVersion") != present["metadata"]["resourceVersion"]:
            raise Conflict(name_of(obj))
        return self._write(key, {**present, "status": obj["status"]})

    async def delete(self, resource: Resource, name: str, *_: Any, **__: Any) -> Obj:
        return self._broken_around(lambda: self.objects.pop((resource.plural, name)))

    def _write(self, key: tuple[str, str], obj: Obj) -> Obj:
        self._revision += 1
        stored = copy_of({**obj, "metadata": {**obj["metadata"], "resourceVersion": str(self._revision)}})

        def put() -> Obj:
            self.objects[key] = stored
            return stored

        return self._broken_around(put)

    def _broken_around(self, act: Callable[[], Obj]) -> Obj:
        breaking = self.breaks()
        if breaking == "before":
            raise BrokenApi
        done = act()
        if breaking == "after":
            raise BrokenApi
        return done


class Told:
    """Stands where an informer is: handlers are told what a test says."""

    def __init__(self, known: Sequence[Obj] = ()) -> None:
        self._handlers: list[Callable[[Delta], None]] = []
        self._known = list(known)

    def add_handler(self, handler: Callable[[Delta], None]) -> None:
        self._handlers.append(handler)
        for one in self._known:
            handler(Delta(None, one))

    def tell(self, old: Obj | None, new: Obj | None) -> None:
        for handler in self._handlers:
            handler(Delta(old, new))
