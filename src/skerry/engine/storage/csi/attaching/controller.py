"""Makes a VolumeAttachment for each volume that must be attached where a pod needs it, and deletes it when no pod does
and the node has unmounted it (Kubernetes' attach/detach controller).

Keys are PersistentVolumes. Who answers the objects: external-attacher of the driver's chart, or `attacher`.
"""

from __future__ import annotations

from collections.abc import Iterable

from skerry.engine.storage.context import StorageContext
from skerry.engine.storage.contract import Ability
from skerry.engine.storage.csi.attaching import wanted
from skerry.engine.storage.csi.driver_objects import rules_of
from skerry.engine.storage.registry import Drivers
from skerry.kube.controller import Controller
from skerry.kube.errors import AlreadyExists, NotFound
from skerry.kube.objects import Obj, is_deleting, name_of
from skerry.kube.resources import (
    CSI_DRIVERS,
    NODES,
    PERSISTENT_VOLUME_CLAIMS,
    PERSISTENT_VOLUMES,
    PODS,
    VOLUME_ATTACHMENTS,
)

_BY_VOLUME, _BY_DRIVER = "attached-volume", "csi-driver"


class AttachDetach(Controller):
    """Of all nodes."""

    name = "attachdetach"
    workers = 2

    def __init__(self, context: StorageContext, drivers: Drivers) -> None:
        super().__init__()
        informers = context.informers
        self._client = context.identity("attachdetach-controller")
        self._drivers = drivers
        self._pods, self._nodes = informers.of(PODS), informers.of(NODES)
        self._claims, self._volumes = informers.of(PERSISTENT_VOLUME_CLAIMS), informers.of(PERSISTENT_VOLUMES)
        self._driver_objects, self._attachments = informers.of(CSI_DRIVERS), informers.of(VOLUME_ATTACHMENTS)
        self._attachments.add_index(_BY_VOLUME, lambda one: (wanted.volume_of(one),))
        self._volumes.add_index(_BY_DRIVER, _driver_names)
        self.watch(self._volumes, lambda volume: (name_of(volume),) if _driver_names(volume) else ())
        self.watch(self._attachments, lambda one: (wanted.volume_of(one),))
        self.watch(self._claims, lambda claim: filter(None, (claim["spec"].get("volumeName"),)))
        self.watch(self._pods, self._volumes_of)
        self.watch(self._nodes, lambda _: map(wanted.volume_of, self._attachments.list()))
        self.watch(self._driver_objects, lambda driver: self._of_driver(name_of(driver)))
        drivers.on_change(self._driver_changed)

    async def close(self) -> None:
        """Hear of no drivers any more."""
        self._drivers.off_change(self._driver_changed)
        await super().close()

    async def reconcile(self, key: str) -> float | None:
        """Attachments of one volume."""
        if not key:
            return None  # of somebody else's attachment
        nodes = self._nodes_wanting(key)
        present = {one["spec"]["nodeName"]: one for one in self._attachments.by_index(_BY_VOLUME, key)}
        volume = self._volumes.get(key)
        for node in sorted(nodes - present.keys()):
            assert volume is not None
            await self._attach(volume, node)
        surplus = [one for node, one in present.items() if node not in nodes and not is_deleting(one)]
        if surplus:
            in_use = wanted.held(self._nodes.list())
            for one in surplus:
                if name_of(one) not in in_use:
                    await self._detach(one)
        return None

    def _nodes_wanting(self, name: str) -> set[str]:
        """Nobody attaches a volume that is on its way out, or of a driver that needs no attaching."""
        volume = self._volumes.get(name)
        if volume is None or not (drivers := _driver_names(volume)) or not self._needs_attaching(drivers[0]):
            return set()
        namespace = (volume["spec"].get("claimRef") or {}).get("namespace", "")
        return wanted.nodes_wanting(volume, self._pods.list(namespace))

    def _needs_attaching(self, driver: str) -> bool:
        declared = self._driver_objects.get(driver)
        if declared is not None:
            return rules_of(declared).attach
        known = self._drivers.get(driver)
        return known is not None and Ability.ATTACH in known.abilities

    async def _attach(self, volume: Obj, node: str) -> None:
        try:
            await self._client.create(VOLUME_ATTACHMENTS, wanted.attachment(volume, node))
        except AlreadyExists:
            return  # the cache will show it

    async def _detach(self, attached: Obj) -> None:
        try:
            await self._client.delete(VOLUME_ATTACHMENTS, name_of(attached))
        except NotFound:
            return

    def _volumes_of(self, pod: Obj) -> Iterable[str]:
        for claim in wanted.claims_of(pod):
            namespace, name = claim.split("/")
            found = self._claims.get(name, namespace)
            if found is not None and found["spec"].get("volumeName"):
                yield found["spec"]["volumeName"]

    def _of_driver(self, driver: str) -> Iterable[str]:
        return [name_of(volume) for volume in self._volumes.by_index(_BY_DRIVER, driver)]

    def _driver_changed(self, name: str) -> None:
        for volume in self._of_driver(name):
            self.queue.add(volume)


def _driver_names(volume: Obj) -> tuple[str, ...]:
    source = (volume.get("spec") or {}).get("csi")
    return (source["driver"],) if source else ()
