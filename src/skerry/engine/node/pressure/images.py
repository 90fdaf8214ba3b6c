"""Removes images nobody uses when the disk fills up: from 85 % on, down to 80 %, those unused longest first.

Never removed: what a container on this machine uses, the pause image, what was first seen less than two minutes ago,
and images that came from no registry (`skerry image load`): they could not be had again. Source of the behaviour: the
kubelet's `pkg/kubelet/images/image_gc_manager.go`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from skerry.engine.node.context import NodeContext
from skerry.engine.node.cri import cri_pb2 as pb
from skerry.engine.node.machine import Pressure
from skerry.engine.node.pressure.signals import binary
from skerry.kube.objects import Obj
from skerry.kube.records import record

HIGH, LOW = 0.85, 0.80
YOUNGEST = timedelta(minutes=2)


@record
class Seen:
    """Since when an image is known, and when a container last used it."""

    first: datetime
    last_used: datetime | None = None


class ImageCleaner:
    """One node's."""

    def __init__(self, context: NodeContext, node: Obj) -> None:
        self._context = context
        self._node = node
        """What events are about."""
        self._seen: dict[str, Seen] = {}

    async def look(self, pressure: Pressure) -> None:
        """Note what is used; remove images if the disk is too full. Raises CriError."""
        await self._note()
        if 1 - pressure.disk_free_part < HIGH or not pressure.disk_total:
            return
        wanted = int((1 - LOW - pressure.disk_free_part) * pressure.disk_total)
        freed = await self._remove(wanted)
        if freed < wanted:
            text = "Failed to garbage collect required amount of images. Attempted to free"
            text += f" {wanted} bytes, but only found {freed} bytes eligible to free."
            self._context.recorder.event(self._node, "Warning", "FreeDiskSpaceFailed", text)

    async def remove_all_unused(self) -> bool:
        """Remove every image that may go; whether there was one. Raises CriError."""
        return await self._remove(1 << 62) > 0

    async def _note(self) -> tuple[Sequence[pb.Image], set[str]]:
        """The images there are, and references of those that containers use."""
        images = await self._context.cri.list_images()
        used = {container.image_ref for container in await self._context.cri.list_containers()}
        self._seen = remembered(self._seen, images, used, self._context.config.clock.steady())
        return images, used

    async def _remove(self, wanted: int) -> int:
        """Remove images until `wanted` bytes are free; the bytes freed."""
        context, freed = self._context, 0
        images, used = await self._note()
        for image in removable(images, used, self._seen, context.config.clock.steady()):
            if freed >= wanted:
                break
            await context.cri.remove_image(image.id)
            freed += image.size
            text = f"Removed image {image.repo_tags[0] if image.repo_tags else image.id}, {binary(image.size)}"
            context.recorder.event(self._node, "Normal", "ImageRemoved", text)
        return freed


def remembered(
    before: Mapping[str, Seen], images: Iterable[pb.Image], used: set[str], now: datetime
) -> dict[str, Seen]:
    """What is known of the images there are now. `used`: ids or references of containers' images."""
    return {
        image.id: Seen(
            before[image.id].first if image.id in before else now,
            now if _is_used(image, used) else before[image.id].last_used if image.id in before else None,
        )
        for image in images
    }


def removable(images: Iterable[pb.Image], used: set[str], seen: Mapping[str, Seen], now: datetime) -> list[pb.Image]:
    """Images that may go, those unused longest first."""
    found = [image for image in images if _may_go(image, used) and now - seen[image.id].first >= YOUNGEST]
    return sorted(found, key=lambda image: (seen[image.id].last_used or seen[image.id].first, seen[image.id].first))


def _may_go(image: pb.Image, used: set[str]) -> bool:
    """An image that came from a registry has a name with a digest; one that was loaded has none, nor has ours."""
    return bool(image.repo_digests) and not image.pinned and not _is_used(image, used)


def _is_used(image: pb.Image, used: set[str]) -> bool:
    return image.id in used or any(name in used for name in (*image.repo_tags, *image.repo_digests))
