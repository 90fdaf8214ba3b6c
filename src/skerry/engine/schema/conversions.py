"""Conversion between versions of built-in kinds: plain functions on one object, each way."""

from __future__ import annotations

from collections.abc import Callable

from skerry.kube.objects import Obj
from skerry.kube.records import record


@record
class FieldMapping:
    """The `Conversion` of a version that is never stored. The functions may change what they are given and give it
    back."""

    show: Callable[[Obj], Obj]
    store: Callable[[Obj], Obj]

    @property
    def stores(self) -> bool:
        """Another version is."""
        return False

    def is_current(self, revision: int) -> bool:
        """Never: what is stored is of another version."""
        return False

    async def to_served(self, objs: list[Obj]) -> list[Obj]:
        """As this version shows them."""
        return [self.show(obj) for obj in objs]

    async def to_stored(self, objs: list[Obj]) -> list[Obj]:
        """As they are stored."""
        return [self.store(obj) for obj in objs]
