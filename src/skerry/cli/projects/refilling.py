"""A project's claim made anew with the data that an archive has of it.

The volume is made and filled beside the archive, compared there, and handed over whole: its PersistentVolume is bound
to the project's new claim. So no pod of ours has powers in a project's namespace, and a claim that is there has all of
its data. Every step finds what an earlier attempt has done, so a restore that was interrupted goes on.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from skerry.cli.errors import CommandFailed
from skerry.cli.projects.kept import Archive, until_pod
from skerry.cli.watching import changed
from skerry.kube.objects import Obj, Resource, annotations_of, is_deleting, name_of, namespace_of, uid_of
from skerry.kube.records import record

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient

_FILLED_FROM = "skerry.dev/filled-from"
"""Label of a PersistentVolume: the archive's claim that all of its data is from."""
_POLICY = "skerry.dev/reclaim-policy"
"""Annotation of the same: what happens to the volume when its claim goes, once it has one."""


@record
class Refill:
    """`kept`: the archive's claim; `wanted`: the project's, as it was."""

    archive: Archive
    kept: str
    wanted: Obj

    @property
    def what(self) -> str:
        """For people."""
        return f"{namespace_of(self.wanted)}/{name_of(self.wanted)}"


class Refiller:
    """`client`: an operator's."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    async def refill(self, refill: Refill) -> bool:
        """Returns when the project has the claim with all data; whether that was to be done. Raises CommandFailed,
        StatusError, OSError."""
        from skerry.kube.resources import PERSISTENT_VOLUME_CLAIMS

        there = await self._find(PERSISTENT_VOLUME_CLAIMS, name_of(refill.wanted), namespace_of(refill.wanted))
        filled = await self._filled(refill)
        begun = next((one for one in filled if _POLICY in annotations_of(one)), None)
        if there is not None and begun is None:
            if there["spec"].get("volumeName") in map(name_of, filled):
                return False
            raise CommandFailed(f"{refill.what}: there is such a claim, and it is left as it is")
        await self._hand_over(refill, begun or await self._fill(refill))
        return True

    async def _filled(self, refill: Refill) -> list[Obj]:
        """Volumes that earlier attempts have filled; one that is marked `_POLICY` has not been in anybody's use."""
        from skerry.kube.client import Selection
        from skerry.kube.resources import PERSISTENT_VOLUMES

        marked = (await self._client.list(PERSISTENT_VOLUMES, None, Selection(f"{_FILLED_FROM}={refill.kept}"))).items
        return [one for one in marked if not is_deleting(one)]

    async def _fill(self, refill: Refill) -> Obj:
        from skerry.kube.resources import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS
        from skerry.platform.projects.lifecycle.archiving.packing import ARCHIVES

        pod = await self._find(PODS, _name(refill), ARCHIVES)
        if pod is not None and (pod.get("status") or {}).get("phase") == "Failed":
            await self._end(PODS, _name(refill))
        await self._make(PERSISTENT_VOLUME_CLAIMS, _claim(refill))
        pod = await self._make(PODS, _pod(refill))
        await until_pod(self._client, pod, ("Succeeded",), refill.what)
        claim = await self._client.get(PERSISTENT_VOLUME_CLAIMS, _name(refill), ARCHIVES)
        volume = await self._client.get(PERSISTENT_VOLUMES, claim["spec"]["volumeName"])
        policy = volume["spec"].get("persistentVolumeReclaimPolicy") or "Delete"
        marks = {"labels": {_FILLED_FROM: refill.kept}, "annotations": {_POLICY: policy}}
        patch: Obj = {"metadata": marks, "spec": {"persistentVolumeReclaimPolicy": "Retain"}}
        return await self._client.patch(PERSISTENT_VOLUMES, name_of(volume), patch)

    async def _hand_over(self, refill: Refill, volume: Obj) -> None:
        from skerry.kube.resources import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS

        await self._end(PODS, _name(refill))
        await self._end(PERSISTENT_VOLUME_CLAIMS, _name(refill))
        namespace, name = namespace_of(refill.wanted), name_of(refill.wanted)
        claim = await self._find(PERSISTENT_VOLUME_CLAIMS, name, namespace)
        if claim is None:
            reference = {"namespace": namespace, "name": name, "uid": None, "resourceVersion": None}
            await self._client.patch(PERSISTENT_VOLUMES, name_of(volume), {"spec": {"claimRef": reference}})
            spec = {**refill.wanted["spec"], **_size(refill), "volumeName": name_of(volume)}
            claim = await self._client.create(PERSISTENT_VOLUME_CLAIMS, {**refill.wanted, "spec": spec}, namespace)
        await self._until_bound(PERSISTENT_VOLUME_CLAIMS, claim)
        # before its policy is Delete again: for a moment it is released
        await self._until_bound(PERSISTENT_VOLUMES, volume, to=uid_of(claim))
        policy = annotations_of(volume)[_POLICY]
        done: Obj = {"metadata": {"annotations": {_POLICY: None}}, "spec": {"persistentVolumeReclaimPolicy": policy}}
        await self._client.patch(PERSISTENT_VOLUMES, name_of(volume), done)

    async def _until_bound(self, resource: Resource, obj: Obj, to: str = "") -> None:
        """`to`: the claim's uid; a volume was bound to the one that it was filled by."""
        while True:
            obj = await self._client.get(resource, name_of(obj), namespace_of(obj) or None)
            bound = (obj.get("status") or {}).get("phase") == "Bound"
            if bound and (obj["spec"].get("claimRef") or {}).get("uid", "") == to:
                return
            await changed(self._client, resource, obj)

    async def _find(self, resource: Resource, name: str, namespace: str) -> Obj | None:
        from skerry.kube.errors import NotFound

        try:
            return await self._client.get(resource, name, namespace)
        except NotFound:
            return None

    async def _make(self, resource: Resource, wanted: Obj) -> Obj:
        from skerry.kube.errors import AlreadyExists
        from skerry.platform.projects.lifecycle.archiving.packing import ARCHIVES

        with suppress(AlreadyExists):
            return await self._client.create(resource, wanted, ARCHIVES)
        return await self._client.get(resource, name_of(wanted), ARCHIVES)

    async def _end(self, resource: Resource, name: str) -> None:
        """Returns when it is gone."""
        from skerry.kube.errors import NotFound
        from skerry.platform.projects.lifecycle.archiving.packing import ARCHIVES

        with suppress(NotFound):
            await self._client.delete(resource, name, ARCHIVES)
        while (left := await self._find(resource, name, ARCHIVES)) is not None:
            await changed(self._client, resource, left)


def _name(refill: Refill) -> str:
    return f"{refill.kept}-fill"


def _size(refill: Refill) -> dict[str, Any]:
    return {"resources": {"requests": {"storage": refill.archive.data[refill.kept]["size"]}}}


def _claim(refill: Refill) -> Obj:
    """As the project's was, beside the archive."""
    named = {key: value for key, value in refill.wanted["spec"].items() if key in ("accessModes", "storageClassName")}
    return {"metadata": {"name": _name(refill), "labels": _labels(refill)}, "spec": {**named, **_size(refill)}}


def _pod(refill: Refill) -> Obj:
    from skerry.platform.projects.lifecycle.archiving import copying, programs

    checksum = ("SHA256", str(refill.archive.data[refill.kept]["sha256"]))
    mounts = copying.filling_mounts(refill.kept, _name(refill))
    task = copying.Task(programs.FILL, mounts, env=(checksum,), writes=True)
    return copying.pod(_name(refill), _labels(refill), refill.archive.image, task)


def _labels(refill: Refill) -> dict[str, str]:
    """Not those of the archive: what fills a new life must not go with the old one's."""
    return {"skerry.dev/restores": refill.archive.life}
