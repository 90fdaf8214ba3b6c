"""Registers drivers as their sockets come, and forgets them as these go (what the kubelet's plug-in watcher does).

Keys: "socket/<file>" below `plugins_registry`, "driver/<name>" of a CSIDriver object, "node/". The directory is watched
by inotify. Neighbours: `plugin` and `facts` ask, `node_objects` tells the API, `storage.registry` has the drivers.
Invariants: a driver is told that it is registered after the API was; one that does not answer keeps nobody waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from skerry.engine.file_watch import DirectoryWatch
from skerry.engine.storage.contract import StorageError
from skerry.engine.storage.csi.driver_objects import DriverRules, rules_of
from skerry.engine.storage.csi.kubelet_directory import KubeletDirectory
from skerry.engine.storage.csi.registration.node_facts import Collision, NodeDriver, built_in
from skerry.engine.storage.csi.registration.node_objects import NodeObjects
from skerry.engine.storage.registry import DOMAIN, Drivers
from skerry.kube.client import Client
from skerry.kube.controller import Controller
from skerry.kube.errors import StatusError
from skerry.kube.informer import Informers
from skerry.kube.objects import Obj, name_of, uid_of
from skerry.kube.records import record
from skerry.kube.resources import CSI_DRIVERS, NODES
from skerry.kube.tasks import end

if TYPE_CHECKING:
    from skerry.engine.storage.csi.client import CsiClient
    from skerry.engine.storage.csi.facts import DriverFacts
    from skerry.engine.storage.csi.remote_driver import RemoteDriver

log = logging.getLogger(__name__)

_FIRST_RETRY, _LAST_RETRY = 0.1, 60.0


@record
class _Registered:
    """`stamp` tells a socket from another of its name."""

    stamp: tuple[int, int]
    client: CsiClient
    driver: RemoteDriver
    told: NodeDriver
    rules: DriverRules


class Registration(Controller):
    """Of one node. `client`: the node's own."""

    name = "csi-registration"

    def __init__(
        self, node: str, client: Client, informers: Informers, drivers: Drivers, directory: KubeletDirectory
    ) -> None:
        super().__init__()
        self._node = node
        self._objects = NodeObjects(client, node)
        self._drivers = drivers
        self._directory = directory
        self._registered: dict[str, _Registered] = {}
        self._failures: dict[str, int] = {}
        self._told_node = ""
        self._gone: set[str] = set()
        """Drivers that went while this engine ran."""
        self._following: asyncio.Task[None] | None = None
        self._driver_objects = informers.of(CSI_DRIVERS)
        self._nodes = informers.of(NODES)
        self.watch(self._driver_objects, lambda driver: (f"driver/{name_of(driver)}",))
        self.watch(self._nodes, self._if_new)

    def start(self) -> None:
        """Begin to watch the directory, too."""
        super().start()
        self._following = asyncio.create_task(self._follow(), name="csi sockets")

    async def close(self) -> None:
        """Let go of the drivers; they stay in the API, because their volumes stay mounted."""
        await end(self._following)
        await super().close()
        for known in self._registered.values():
            await known.client.close()

    async def reconcile(self, key: str) -> float | None:
        """One socket, one CSIDriver, or the node."""
        kind, _, name = key.partition("/")
        if kind == "driver" and name.endswith(DOMAIN):
            self.queue.add("node/")
        elif kind == "driver":
            self._look_at_rules(name)
        elif kind == "node":
            await self._look_at_node()
        else:
            return await self._look_at_socket(name)
        return None

    # ---- the directory

    async def _follow(self) -> None:
        """For ever: the directory may be removed, and watches may be used up."""
        while True:
            try:
                await self._watch_directory(self._directory.registry)
            except OSError as error:
                log.warning("storage drivers that come are not seen, trying again: %s", error)
                await asyncio.sleep(_LAST_RETRY)

    async def _watch_directory(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o750)
        with DirectoryWatch(directory) as watch:
            while directory.is_dir():
                for file in {*self._registered, *(entry.name for entry in directory.iterdir())}:
                    self.queue.add(f"socket/{file}")
                await watch.changed()

    async def _look_at_socket(self, file: str) -> float | None:
        socket = self._directory.registry / file
        stamp, known = _stamp(socket), self._registered.get(file)
        if stamp is None or file.startswith("."):
            self._failures.pop(file, None)
            if known is not None:
                await self._forget(file, known)
            return None
        if known is not None and known.stamp == stamp:
            return None
        try:
            name = await self._register(file, socket, stamp)
        except (StorageError, StatusError, Collision) as error:
            return await self._failed(file, socket, str(error))
        self._failures.pop(file, None)
        log.info("storage driver %s is registered", name)
        await self._notify(socket, "")
        return None

    async def _failed(self, file: str, socket: Path, why: str) -> float:
        count = self._failures[file] = self._failures.get(file, 0) + 1
        log.warning("storage driver at %s is not registered: %s", socket, why)
        await self._notify(socket, f"RegisterPlugin error -- plugin registration failed with err: {why}")
        return min(_FIRST_RETRY * 2.0 ** min(count - 1, 16), _LAST_RETRY)

    async def _notify(self, socket: Path, error: str) -> None:
        """It may have gone meanwhile."""
        from skerry.engine.storage.csi.registration import plugin

        with contextlib.suppress(StorageError):
            await plugin.notify(socket, error)

    # ---- one driver

    async def _register(self, file: str, socket: Path, stamp: tuple[int, int]) -> str:
        """Its name. Raises StorageError, StatusError, Collision."""
        from skerry.engine.storage.csi import facts as asking
        from skerry.engine.storage.csi.client import CsiClient
        from skerry.engine.storage.csi.registration import plugin

        found = await plugin.ask(socket)
        if found.name.endswith(DOMAIN):
            raise StorageError("ALREADY_EXISTS", f"{found.name} is a driver of the engine's own")
        client = CsiClient(found.endpoint)
        try:
            facts = await asking.ask(client, found.name)
            told = NodeDriver(facts.name, facts.node_id, facts.most_volumes, facts.segments)
            await self._tell(file, told)
        except BaseException:
            await client.close()
            raise
        rules = self._rules(facts.name)
        driver = self._driver(client, facts, rules)
        before, self._registered[file] = self._registered.get(file), _Registered(stamp, client, driver, told, rules)
        self._drivers.add(facts.name, driver)
        if before is not None:
            await before.client.close()
        return facts.name

    async def _forget(self, file: str, known: _Registered) -> None:
        del self._registered[file]
        log.info("storage driver %s is gone", known.told.name)
        self._gone.add(known.told.name)
        self._drivers.remove(known.told.name, known.driver)
        await known.client.close()
        self.queue.add("node/")

    def _driver(self, client: CsiClient, facts: DriverFacts, rules: DriverRules) -> RemoteDriver:
        from skerry.engine.storage.csi.facts import abilities
        from skerry.engine.storage.csi.remote_driver import RemoteDriver

        can = abilities(facts, engine_controls=rules.engine_controls, attach=rules.attach)
        return RemoteDriver(client, facts, can, self._directory.paths)

    def _rules(self, name: str) -> DriverRules:
        return rules_of(self._driver_objects.get(name))

    def _look_at_rules(self, name: str) -> None:
        """A CSIDriver object may come after its driver, and changes what the engine does with it."""
        for file, known in list(self._registered.items()):
            rules = self._rules(name)
            if known.told.name == name and known.rules != rules:
                driver = self._driver(known.client, known.driver.facts, rules)
                self._registered[file] = _Registered(known.stamp, known.client, driver, known.told, rules)
                self._drivers.add(name, driver)

    # ---- the API

    def _if_new(self, node: Obj) -> Iterable[str]:
        """The object may be deleted, and comes again; that its status changes is no news."""
        return ("node/",) if name_of(node) == self._node and uid_of(node) != self._told_node else ()

    async def _look_at_node(self) -> None:
        node = self._nodes.get(self._node)
        if node is not None:
            self._told_node = uid_of(node)
            await self._tell()

    async def _tell(self, file: str = "", coming: NodeDriver | None = None) -> None:
        """Of all drivers that are registered, and of one that is about to be. What an earlier engine told of stays
        while there are sockets that have not answered."""
        known = {each.told.name: each.told for name, each in self._registered.items() if name != file}
        if coming is not None:
            known[coming.name] = coming
        self._gone -= known.keys()
        settled = all(name in self._registered or name == file for name in self._sockets())
        gone = frozenset(self._gone)
        ours = [built_in(name, self._node) for name in self._built_in()]
        await self._objects.tell(known.values(), ours, lambda name: not settled and name not in gone)

    def _built_in(self) -> list[str]:
        """Drivers of the engine's own, by their CSIDriver objects: they themselves are loaded with the first claim."""
        return [name_of(one) for one in self._driver_objects.list() if name_of(one).endswith(DOMAIN)]

    def _sockets(self) -> list[str]:
        found = self._directory.registry
        return [entry.name for entry in found.iterdir() if _stamp(entry)] if found.is_dir() else []


def _stamp(socket: Path) -> tuple[int, int] | None:
    """None when there is no socket."""
    try:
        found = socket.stat()
    except OSError:
        return None
    return (found.st_ino, found.st_ctime_ns) if stat.S_ISSOCK(found.st_mode) else None
