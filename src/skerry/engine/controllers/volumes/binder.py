"""The PersistentVolume controller: binds claims and volumes, keeps their phases, releases volumes without a claim.

Keys are "claim:namespace/name" and "volume:name", worked on one after the other, so that no volume is promised twice.
`claims` and `volumes` decide, this looks things up and acts. What was written here counts before the watch brings it
(`Newest`). Nothing is looked at again without a reason: indexes say which claims a volume or class could help.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.newest import Newest
from skerry.engine.controllers.volumes import claims, volumes
from skerry.engine.controllers.volumes.claims import Remark, decide_claim, external_provisioning
from skerry.engine.controllers.volumes.users import UNPLACED, index_unplaced
from skerry.engine.controllers.volumes.volumes import decide_volume
from skerry.engine.controllers.volumes.writing import Writing
from skerry.kube.controller import Controller
from skerry.kube.errors import NotFound
from skerry.kube.informer import Delta
from skerry.kube.objects import Obj, annotations_of, key_of, name_of, split_key, uid_of
from skerry.kube.resources import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS, STORAGE_CLASSES
from skerry.kube.volumes import (
    BIND_COMPLETED,
    OLD_PROVISIONER,
    PROVISIONER,
    annotated,
    binding_of,
    claim_of,
    class_of,
    has_class,
)

_CLAIM, _VOLUME = "claim:", "volume:"
_ANY_CLASS = "?"


class VolumeBinder(Controller):
    """One for all claims and volumes."""

    name = "persistentvolume-binder"
    workers = 1

    def __init__(self, context: Context) -> None:
        super().__init__()
        informers = context.informers
        self._claims = Newest(informers.of(PERSISTENT_VOLUME_CLAIMS))
        self._volumes = Newest(informers.of(PERSISTENT_VOLUMES))
        self._classes = informers.of(STORAGE_CLASSES)
        self._pods = informers.of(PODS)
        self._client = context.client
        self._recorder = context.recorder.named("persistentvolume-controller")
        self._writing = Writing(context, self._claims, self._volumes)
        self._said: dict[str, Remark] = {}
        self._view = claims.View(
            self._volumes.get, self._candidates, self._classes.get, self._classes.list, self._unplaced_pods
        )
        self._watch()

    async def reconcile(self, key: str) -> float | None:
        """Look at one claim or one volume. What is gone meanwhile the watch tells."""
        with contextlib.suppress(NotFound):
            if key.startswith(_CLAIM):
                await self._claim(key.removeprefix(_CLAIM))
            else:
                await self._volume(key.removeprefix(_VOLUME))
        return None

    # ---- claims

    async def _claim(self, key: str) -> None:
        namespace, name = split_key(key)
        claim = self._claims.get(name, namespace)
        if claim is not None:
            await self._settle(claim, decide_claim(claim, self._view))

    async def _settle(self, claim: Obj, answer: claims.Answer) -> None:
        if isinstance(answer, claims.Bind):
            self._said.pop(uid_of(claim), None)
            await self._writing.bind(answer.volume, claim)
        elif isinstance(answer, claims.SetClass):
            changed = {**claim, "spec": {**claim["spec"], "storageClassName": answer.name}}
            await self._writing.update_claim(changed)
        elif isinstance(answer, claims.Provision):
            await self._ask_for_volume(claim, answer.provisioner)
        else:
            self._say(claim, answer.remark)
            await self._writing.mark_claim(claim, answer.phase)

    async def _ask_for_volume(self, claim: Obj, provisioner: str) -> None:
        wanted = {OLD_PROVISIONER: provisioner, PROVISIONER: provisioner}
        if not wanted.items() <= annotations_of(claim).items():
            claim = await self._writing.update_claim(annotated(claim, wanted))
        self._say(claim, external_provisioning(provisioner))

    def _say(self, claim: Obj, remark: Remark | None) -> None:
        """An event, when it is news."""
        if remark is not None and self._said.get(uid_of(claim)) != remark:
            self._said[uid_of(claim)] = remark
            self._recorder.event(claim, *remark)

    def _candidates(self, claim: Obj) -> Iterable[Obj]:
        cache = self._volumes.cache
        for value in (key_of(claim), f"={class_of(claim)}"):
            for one in cache.by_index("binding", value):
                volume = self._volumes.get(name_of(one))
                if volume is not None:
                    yield volume

    def _unplaced_pods(self, claim: Obj) -> Sequence[str]:
        return [name_of(pod) for pod in self._pods.by_index(UNPLACED, key_of(claim))]

    # ---- volumes

    async def _volume(self, name: str) -> None:
        volume = self._volumes.get(name)
        if volume is None:
            return
        claim = self._claims.get(*reversed(split_key(claim_of(volume)))) if claim_of(volume) else None
        answer = decide_volume(volume, claim)
        if isinstance(answer, volumes.Phase):
            await self._writing.mark_volume(volume, answer.phase)
        elif isinstance(answer, volumes.LookAtClaim):
            self.queue.add(f"{_CLAIM}{claim_of(volume)}")
        elif isinstance(answer, volumes.Unbind):
            changed = await self._writing.update_volume(volumes.unbound(volume))
            await self._writing.mark_volume(changed, "Available")
        elif isinstance(answer, volumes.Release):
            await self._release(volume)
        elif claim is not None:
            self._recorder.event(volume, *answer.about_volume)
            self._say(claim, answer.about_claim)

    async def _release(self, volume: Obj) -> None:
        """What follows is the reclaimer's. A volume whose reclaiming failed stays Failed."""
        is_released = (volume.get("status") or {}).get("phase") in ("Released", "Failed")
        if not is_released and not await self._is_still_claimed(volume):
            await self._writing.mark_volume(volume, "Released")

    async def _is_still_claimed(self, volume: Obj) -> bool:
        """Whether the claim of a volume that is about to be released is there, and only this cache is late."""
        namespace, name = split_key(claim_of(volume))
        try:
            claim = await self._client.get(PERSISTENT_VOLUME_CLAIMS, name, namespace)
        except NotFound:
            return False
        named = claim["spec"].get("volumeName") or name_of(volume)
        return uid_of(claim) == volume["spec"]["claimRef"]["uid"] and named == name_of(volume)

    # ---- what happens, and whom it concerns

    def _watch(self) -> None:
        self._claims.cache.add_index("waiting for class", _class_waited_for)
        self._claims.cache.add_index("volume", _volume_named)
        self._volumes.cache.add_index("binding", binding_of)
        index_unplaced(self._pods)
        self._claims.cache.add_handler(self._claim_changed)
        self._volumes.cache.add_handler(self._volume_changed)
        self._classes.add_handler(self._class_changed)

    def _claim_changed(self, delta: Delta) -> None:
        claim = delta.object
        if delta.new is None:
            self._said.pop(uid_of(claim), None)
            for volume in self._volumes.cache.by_index("binding", key_of(claim)):
                self.queue.add(f"{_VOLUME}{name_of(volume)}")
        else:
            self.queue.add(f"{_CLAIM}{key_of(claim)}")
        if claim["spec"].get("volumeName"):
            self.queue.add(f"{_VOLUME}{claim['spec']['volumeName']}")

    def _volume_changed(self, delta: Delta) -> None:
        volume = delta.object
        if delta.new is not None:
            self.queue.add(f"{_VOLUME}{name_of(volume)}")
        if claim_of(volume):
            self.queue.add(f"{_CLAIM}{claim_of(volume)}")
        elif (volume.get("status") or {}).get("phase") == "Available":
            self._look_at_claims("waiting for class", f"={class_of(volume)}")
        self._look_at_claims("volume", name_of(volume))

    def _class_changed(self, delta: Delta) -> None:
        self._look_at_claims("waiting for class", f"={name_of(delta.object)}")
        self._look_at_claims("waiting for class", _ANY_CLASS)

    def _look_at_claims(self, index: str, value: str) -> None:
        for claim in self._claims.cache.by_index(index, value):
            self.queue.add(f"{_CLAIM}{key_of(claim)}")


def _class_waited_for(claim: Obj) -> Iterable[str]:
    """Of a claim that has no volume."""
    if claim["spec"].get("volumeName") or BIND_COMPLETED in annotations_of(claim):
        return ()
    return (f"={class_of(claim)}",) if has_class(claim) else ("=", _ANY_CLASS)


def _volume_named(claim: Obj) -> Iterable[str]:
    name = claim["spec"].get("volumeName")
    return (name,) if name else ()
