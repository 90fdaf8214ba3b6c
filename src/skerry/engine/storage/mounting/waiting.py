"""Which pods wait for what, and who is told when it comes: claims, drivers, attachments. Nobody polls.

A change is told of by name only; whether it was what the pod needed is found out by trying again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from skerry.engine.storage.registry import Drivers
from skerry.kube.informer import Delta, Informers
from skerry.kube.objects import key_of
from skerry.kube.resources import PERSISTENT_VOLUME_CLAIMS, VOLUME_ATTACHMENTS


class Waiting:
    """Pods of one node, by uid."""

    def __init__(self, informers: Informers, drivers: Drivers, node: str) -> None:
        self._node = node
        self._drivers = drivers
        self._claims: dict[str, frozenset[str]] = {}
        self._listeners: list[Callable[[str], None]] = []
        self._informers = (informers.of(PERSISTENT_VOLUME_CLAIMS), informers.of(VOLUME_ATTACHMENTS))
        self._handlers = (self._claim_changed, self._attachment_changed)
        for informer, handler in zip(self._informers, self._handlers, strict=True):
            informer.add_handler(handler)
        drivers.on_change(self._driver_changed)

    def listen(self, changed: Callable[[str], None]) -> None:
        """Call `changed` with the uid of a pod that may be tried again."""
        self._listeners.append(changed)

    def wait(self, uid: str, claims: Collection[str]) -> None:
        """A pod is about to ask for volumes of these claims ("namespace/name"), and others without."""
        self._claims[uid] = frozenset(claims)

    def done(self, uid: str) -> None:
        """It has all of them, or needs none any more."""
        self._claims.pop(uid, None)

    def close(self) -> None:
        """Tell nobody any more."""
        for informer, handler in zip(self._informers, self._handlers, strict=True):
            informer.remove_handler(handler)
        self._drivers.off_change(self._driver_changed)

    def _claim_changed(self, delta: Delta) -> None:
        key = key_of(delta.object)
        self._tell(uid for uid, claims in self._claims.items() if key in claims)

    def _attachment_changed(self, delta: Delta) -> None:
        if delta.object["spec"].get("nodeName") == self._node:
            self._tell(self._claims)

    def _driver_changed(self, name: str) -> None:
        self._tell(self._claims)

    def _tell(self, uids: Iterable[str]) -> None:
        for uid in list(uids):
            for listener in self._listeners:
                listener(uid)
