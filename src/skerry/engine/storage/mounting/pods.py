"""The claims and their like of all pods of this machine: set up, waited for, taken back, also after a crash.

`program.pod_volumes` hands it to the node agent. Neighbours: `reading` asks the API, `mounter` the drivers, `growth`
lets file systems follow their volumes, `republishing` says what drivers want to be asked again. Invariants: a volume's
work goes on when whoever waits for it gives up; what could not be taken back is tried again until it is; nothing is
done while nothing changes, unless a driver wants it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from skerry.engine.config import EngineConfig
from skerry.engine.storage.contract import PATIENCE, StorageError
from skerry.engine.storage.drivers.publishing import is_mounted
from skerry.engine.storage.mounting.errors import MountError
from skerry.engine.storage.mounting.growth import Growth
from skerry.engine.storage.mounting.in_tree import host_path
from skerry.engine.storage.mounting.journal import Journal, Published
from skerry.engine.storage.mounting.mounter import Group, Job, Mounter
from skerry.engine.storage.mounting.reading import Manners, NotReady, Reader, pod_info, supports_group
from skerry.engine.storage.mounting.republishing import Republishing
from skerry.engine.storage.mounting.resolving import HOST_PATH, Mountable, place_of
from skerry.engine.storage.mounting.sources import claim_name, wanted
from skerry.engine.storage.mounting.waiting import Waiting
from skerry.engine.storage.registry import Drivers
from skerry.engine.storage.usage.mounted import MountedVolume
from skerry.kube.client import Client
from skerry.kube.errors import StatusError
from skerry.kube.events import Recorder
from skerry.kube.informer import Informers
from skerry.kube.objects import Obj, name_of, namespace_of, uid_of
from skerry.kube.resources import NODES
from skerry.kube.threads import in_own_thread

log = logging.getLogger(__name__)

_GIVEN_BACK = PATIENCE
"""Seconds the end of a pod waits for its volumes."""
_FIRST_RETRY, _LAST_RETRY = 1.0, 60.0


class PodMounts:
    """Make it before the node agent, `start` it before the agent starts. `client`: the node's own; `recorder`: the
    kubelet's."""

    def __init__(
        self, config: EngineConfig, client: Client, informers: Informers, recorder: Recorder, drivers: Drivers
    ) -> None:
        self._pods = config.paths.pods
        self._client, self._node = client, config.node_name
        self._recorder = recorder
        self._journal = Journal(config.paths.data / "storage")
        self._mounter = Mounter(drivers, self._journal)
        self._reader = Reader(client, config.node_name)
        self._waiting = Waiting(informers, drivers, config.node_name)
        self._growth = Growth(client, config, informers, recorder, self._mounter, self._journal)
        self._republishing = Republishing(informers, self._journal, self._publish_again)
        self._ready: set[tuple[str, str]] = set()
        """Set up by this engine, by uid and volume: not asked for again."""
        self._host_paths: set[tuple[str, str]] = set()
        """`hostPath` volumes, which are not mounted, that are to be read only."""
        self._announced: set[str] = set()
        """Volumes that are attached and about to be mounted, as `in_use` lists them."""
        self._ending: set[str] = set()
        self._tasks: dict[tuple[str, str], asyncio.Task[Any]] = {}
        self._late: set[str] = set()
        """Pods that went without waiting any longer for what is being taken back from them."""
        self._news = asyncio.Event()
        """Set, and replaced, when a driver comes or goes."""
        self._returns: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._leftovers: set[asyncio.Task[None]] = set()
        self._drivers = drivers
        drivers.on_change(self._driver_changed)

    async def start(self) -> None:
        """Read what an earlier engine left, and take back what it staged for nobody. Pods that are gone are the
        agent's to find (`pods`)."""
        await in_own_thread(None, self._journal.load)
        for place in self._journal.staged:
            if not self._journal.users(place):
                self._later(self._unstage(place), f"unstage {place[1]}")

    async def close(self) -> None:
        """Let go of everything: mounts stay, the next engine takes over."""
        self._drivers.off_change(self._driver_changed)
        await self._republishing.close()
        await self._growth.close()
        self._waiting.close()
        tasks = [*self._tasks.values(), *self._leftovers]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # ---- what the agent asks

    def listen(self, changed: Callable[[str], None]) -> None:
        """Have `changed` called with a pod's uid when what it waits for may be there."""
        self._waiting.listen(changed)

    def pods(self) -> Iterable[str]:
        """Uids of pods that have something mounted, or half mounted."""
        return {uid for uid, _ in self._journal.published}

    def holds(self, uid: str) -> bool:
        """Whether a pod is among `pods`."""
        return self._journal.holds(uid)

    def is_read_only(self, uid: str, volume: str) -> bool:
        """Whether a pod was given a volume to read only."""
        known = self._journal.published.get((uid, volume))
        return (uid, volume) in self._host_paths or (known is not None and known.read_only)

    def in_use(self) -> list[str]:
        """What the node's status lists as `volumesInUse`."""
        return sorted({_in_use_name(*one.place) for one in self._published() if one.attached} | self._announced)

    def mounted(self) -> Sequence[MountedVolume]:
        """What is mounted for pods now, for whoever measures it. Devices hold no files and are left out."""
        return [
            MountedVolume(
                namespace=one.pod[0],
                pod=one.pod[1],
                pod_uid=one.uid,
                name=one.volume,
                claim=one.claim[1],
                driver=one.driver,
                handle=one.handle,
                path=one.target,
            )
            for one in self.published()
            if not one.block
        ]

    def published(self) -> Sequence[Published]:
        """Everything that pods have, whole, devices included."""
        return [one for one in self._published() if one.done]

    def _published(self) -> Sequence[Published]:
        return list(self._journal.published.values())

    async def set_up(self, pod: Obj) -> Mapping[str, Path]:
        """Make all volumes of a pod ready, side by side; where each is. Raises MountError with the words of the event
        for the first that is not."""
        volumes = wanted(pod)
        uid = uid_of(pod)
        self._ending.discard(uid)
        if not volumes:
            return {}
        self._waiting.wait(uid, {f"{namespace_of(pod)}/{claim_name(pod, one)}" for one in volumes})
        results = await asyncio.gather(*(self._set_up_one(pod, one) for one in volumes), return_exceptions=True)
        failed = {one["name"]: error for one, error in zip(volumes, results, strict=True) if _is_error(error)}
        if not failed:
            self._waiting.done(uid)
            return {one["name"]: path for one, path in zip(volumes, results, strict=True) if isinstance(path, Path)}
        raise _failure(failed)

    async def tear_down(self, uid: str) -> bool:
        """Take back everything of a pod; False when something stays, which is tried again in the background."""
        self._waiting.done(uid)
        self._host_paths = {key for key in self._host_paths if key[0] != uid}
        mounting = [task for key, task in self._tasks.items() if key[0] == uid]
        if not mounting and not self._journal.holds(uid):
            self._late.discard(uid)
            return True
        if uid in self._late:
            return False
        self._ending.add(uid)
        self._ready = {key for key in self._ready if key[0] != uid}
        try:
            async with asyncio.timeout(_GIVEN_BACK):
                if mounting:
                    await asyncio.wait(mounting)
                held = [one for one in self._published() if one.uid == uid]
                await asyncio.gather(*(asyncio.shield(self._taking_back(one)) for one in held))
        except TimeoutError:
            for one in [one for one in self._published() if one.uid == uid]:
                self._taking_back(one)
            self._late.add(uid)
            return False
        self._ending.discard(uid)
        return True

    # ---- one volume

    async def _set_up_one(self, pod: Obj, volume: Obj) -> Path:
        """Its work is one task, which is not cancelled with whoever waits for it."""
        key = (uid_of(pod), volume["name"])
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.create_task(self._mount(pod, volume), name=f"mount {volume['name']}")
            task.add_done_callback(lambda _: self._tasks.pop(key, None))
            task.add_done_callback(_look_at)
        path: Path = await asyncio.shield(task)
        return path

    async def _mount(self, pod: Obj, volume: Obj) -> Path:
        uid, name = uid_of(pod), volume["name"]
        known = self._journal.published.get((uid, name))
        if known is not None and known.done and (uid, name) in self._ready:
            return known.target
        if known is not None and await self._is_there_without_driver(known):
            return known.target
        mountable = await self._reader.mountable(pod, volume, is_mounted=known is not None and known.done)
        if mountable.driver == HOST_PATH:
            return await self._host_path(mountable, (uid, name))
        job = await self._job(pod, mountable)
        async with self._announcing(job):
            published = await self._mounter.mount(job)
        self._ready.add((uid, name))
        await self._growth.look(published)
        return published.target

    @contextlib.asynccontextmanager
    async def _announcing(self, job: Job) -> AsyncIterator[None]:
        """The Node says that an attached volume is in use before it is: else it is detached under a pod that is over
        before the next heartbeat. From the mount on, the journal says so."""
        if job.attachment is None:
            yield
            return
        name = _in_use_name(job.mountable.driver, job.mountable.handle)
        self._announced.add(name)
        try:
            node = await self._client.get(NODES, self._node)
            if name not in ((node.get("status") or {}).get("volumesInUse") or ()):
                status = {"volumesInUse": self.in_use()}
                await self._client.patch(NODES, self._node, {"status": status}, subresource="status")
            yield
        finally:
            self._announced.discard(name)

    async def _publish_again(self, pod: Obj, published: Published) -> None:
        (volume,) = (one for one in pod["spec"]["volumes"] if one["name"] == published.volume)
        try:
            mountable = await self._reader.mountable(pod, volume, is_mounted=True)
            await self._mounter.publish_again(await self._job(pod, mountable))
        except (MountError, NotReady, StatusError) as error:
            log.warning("pod %s/%s: %s", *published.pod, error)
            self._recorder.event(pod, "Warning", "FailedMount", str(error))

    async def _is_there_without_driver(self, known: Published) -> bool:
        """Whether an earlier engine mounted it and its driver has not come back yet, and need not. By the mount table:
        the journal outlives a reboot, the mount does not, and what is written to the empty place would be lost."""
        if not known.done or self._mounter.driver(known.driver) is not None:
            return False
        return await in_own_thread(None, is_mounted, known.target)

    async def _host_path(self, mountable: Mountable, key: tuple[str, str]) -> Path:
        if mountable.read_only:
            self._host_paths.add(key)
        try:
            return await in_own_thread(PATIENCE, host_path, Path(mountable.handle), mountable.context["type"])
        except (StorageError, OSError, TimeoutError) as error:
            raise MountError(f'MountVolume.SetUp failed for volume "{mountable.name}" : {error}') from error

    async def _job(self, pod: Obj, mountable: Mountable) -> Job:
        uid = uid_of(pod)
        manners = await self._reader.manners(mountable.driver, self._mounter.driver(mountable.driver))
        if mountable.inline and not manners.inline:
            why = f'volume mode "Ephemeral" not supported by driver {mountable.driver} (only supports ["Persistent"])'
            raise MountError(f'MountVolume.NewMounter initialization failed for volume "{mountable.name}" : {why}')
        attach = manners.attach and not mountable.inline
        tokens = await self._reader.tokens(pod, manners)
        secret_tokens, shown_tokens = (tokens, {}) if manners.tokens_are_secrets else ({}, tokens)
        return Job(
            mountable=mountable,
            uid=uid,
            pod=(namespace_of(pod), name_of(pod)),
            target=self._pods / uid / "volumes" / place_of(mountable),
            group=_group(pod, mountable, manners),
            attachment=await self._reader.attachment(mountable) if attach else None,
            stage_secrets=await self._reader.secret(mountable, mountable.stage_secret),
            publish_secrets={**await self._reader.secret(mountable, mountable.publish_secret), **secret_tokens},
            pod_info={**(pod_info(pod, mountable) if manners.pod_info else {}), **shown_tokens},
            go_on=lambda: uid not in self._ending,
        )

    # ---- taking back

    def _later(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._leftovers.add(task)
        task.add_done_callback(self._leftovers.discard)
        return task

    def _taking_back(self, published: Published) -> asyncio.Task[None]:
        task = self._returns.get(published.key)
        if task is None:
            task = self._returns[published.key] = self._later(self._take_back(published), f"take back {published.name}")
            task.add_done_callback(lambda _: self._returns.pop(published.key, None))
        return task

    async def _take_back(self, published: Published) -> None:
        """Until it is done."""
        delay = _FIRST_RETRY
        while published.key in self._journal.published:
            try:
                await self._mounter.unmount(published)
            except (StorageError, OSError, TimeoutError) as error:
                self._tell(published, str(error))
                delay = await self._pause(delay)
        if not self._journal.holds(published.uid):
            self._late.discard(published.uid)
            self._ending.discard(published.uid)
        await self._unstage(published.place)

    async def _unstage(self, place: tuple[str, str]) -> None:
        """Until it is done, some pod has the volume again, or its driver is gone: that one's return comes back here."""
        delay = _FIRST_RETRY
        while place in self._journal.staged:
            try:
                if self._journal.users(place) or not await self._mounter.unstage(place):
                    return
            except (StorageError, OSError, TimeoutError) as error:
                log.warning("volume %s of %s: not unstaged, trying again: %s", place[1], place[0], error)
                delay = await self._pause(delay)

    async def _pause(self, seconds: float) -> float:
        """Until it makes sense to try again; the next pause."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()
        return min(seconds * 2, _LAST_RETRY)

    def _driver_changed(self, name: str) -> None:
        self._news.set()
        self._news = asyncio.Event()
        for place in list(self._journal.staged):
            if place[0] == name and not self._journal.users(place):
                self._later(self._unstage(place), f"unstage {place[1]}")

    def _tell(self, published: Published, why: str) -> None:
        namespace, name = published.pod
        pod: Obj = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": namespace, "uid": published.uid},
        }
        message = f'UnmountVolume.TearDown failed for volume "{published.name}" : {why}'
        log.warning("pod %s/%s: %s", namespace, name, message)
        self._recorder.event(pod, "Warning", "FailedUnMount", message)


def _in_use_name(driver: str, handle: str) -> str:
    return f"kubernetes.io/csi/{driver}^{handle}"


def _group(pod: Obj, mountable: Mountable, manners: Manners) -> Group | None:
    context = pod["spec"].get("securityContext") or {}
    if context.get("fsGroup") is None or not supports_group(manners, mountable):
        return None
    return Group(int(context["fsGroup"]), context.get("fsGroupChangePolicy") == "OnRootMismatch")


def _is_error(result: object) -> bool:
    return isinstance(result, BaseException)


def _failure(failed: Mapping[str, Any]) -> BaseException:
    """Unexpected failures as they are; else the driver's words, else what the kubelet says of volumes that wait."""
    for error in failed.values():
        if not isinstance(error, MountError | NotReady | StatusError):
            assert isinstance(error, BaseException)
            return error
    for error in failed.values():
        if isinstance(error, MountError):
            return error
    names = " ".join(sorted(failed))
    why = "; ".join(str(error) for error in failed.values())
    lists = f"unmounted volumes=[{names}], unattached volumes=[], failed to process volumes=[{names}]"
    return MountError(f"Unable to attach or mount volumes: {lists}: {why}")


def _look_at(task: asyncio.Task[Any]) -> None:
    """Whoever waited may have given up: an exception nobody reads is no news."""
    if not task.cancelled():
        task.exception()
