"""Makes sure an image is on the machine, by policy, pulling each image once at a time, with back-off after failures.

Source of the behaviour and of the wording: the kubelet's `pkg/kubelet/images/image_manager.go`. Raises ImageError with
the waiting reason users know: ErrImagePull, ImagePullBackOff, ErrImageNeverPull, InvalidImageName, ImageInspectError.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from skerry.engine.config import Paths
from skerry.engine.node.backoff import BackOff
from skerry.engine.node.containerd.archiver_image import ARCHIVER_IMAGE
from skerry.engine.node.containerd.failure import ContainerdError
from skerry.engine.node.containerd.images import ensure_archiver_image
from skerry.engine.node.cri import cri_pb2 as pb
from skerry.engine.node.cri.client import CriClient, CriError
from skerry.engine.node.errors import ImageError
from skerry.engine.node.pulling.credentials import credentials
from skerry.engine.node.spec.security import ImageUser
from skerry.engine.private_files import file_system_to_disk
from skerry.kube.clock import Clock
from skerry.kube.events import Recorder
from skerry.kube.objects import Obj
from skerry.kube.records import record
from skerry.kube.threads import in_own_thread

_REFERENCE = re.compile(
    r"^(?:[A-Za-z0-9.-]+(?::\d+)?/)?[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$"
)
_SHOWN = timedelta(seconds=2)  # how long status says ErrImagePull before it says ImagePullBackOff


@record
class Wanted:
    """An image a container needs. `key` names pod and container for the back-off; `field` for events."""

    pod: Obj
    image: str
    policy: str
    key: str
    field: str
    secrets: Sequence[Obj]
    sandbox: pb.PodSandboxConfig


@record
class Available:
    """An image on the machine: what to create containers from, and whom it runs as."""

    reference: str
    user: ImageUser


def policy_of(container: Obj) -> str:
    """`imagePullPolicy`, by default Always for `:latest` or no tag, else IfNotPresent."""
    image = str(container.get("image") or "")
    name = image.rpartition("/")[2]
    floating = "@" not in name and (":" not in name or name.endswith(":latest"))
    return str(container.get("imagePullPolicy") or ("Always" if floating else "IfNotPresent"))


class Puller:
    """All images of the node. The one that archives volumes is made here, when a pod first wants it."""

    def __init__(self, cri: CriClient, recorder: Recorder, clock: Clock, paths: Paths) -> None:
        self._cri = cri
        self._paths = paths
        self._recorder = recorder
        self._clock = clock
        self._locks: dict[str, asyncio.Lock] = {}
        self._backoff = BackOff()
        self._blocked: dict[str, datetime] = {}

    async def ensure(self, wanted: Wanted) -> Available:
        """The image, pulled if the policy asks for it. Raises ImageError."""
        if not _REFERENCE.match(wanted.image):
            message = (
                f'Failed to apply default image tag "{wanted.image}": couldn\'t parse image name: invalid reference'
            )
            self._event(wanted, "Warning", "InspectFailed", message)
            raise ImageError("InvalidImageName", message)
        present = await self._present(wanted.image) or await self._made(wanted)
        if present is not None and wanted.policy != "Always":
            message = f'Container image "{wanted.image}" already present on machine'
            self._event(wanted, "Normal", "Pulled", message)
            return present
        if wanted.policy == "Never":
            message = f'Container image "{wanted.image}" is not present with pull policy of Never'
            self._event(wanted, "Warning", "ErrImageNeverPull", message)
            raise ImageError("ErrImageNeverPull", message)
        return await self._pull(wanted, present)

    async def _present(self, image: str) -> Available | None:
        try:
            status = await self._cri.image_status(image)
        except CriError as error:
            raise ImageError("ImageInspectError", f'Failed to inspect image "{image}": {error.message}') from error
        return Available(status.image.id, ImageUser.of(status.image)) if status else None

    async def _made(self, wanted: Wanted) -> Available | None:
        """An image that no registry has and we can make, None for all others."""
        if wanted.image != ARCHIVER_IMAGE:
            return None
        try:
            async with self._locks.setdefault(wanted.image, asyncio.Lock()):
                await in_own_thread(None, ensure_archiver_image, self._paths)
        except (ContainerdError, OSError) as error:
            self._event(wanted, "Warning", "Failed", f'Failed to make image "{wanted.image}": {error}')
            raise ImageError("ErrImagePull", str(error)) from error
        return await self._present(wanted.image)

    async def _pull(self, wanted: Wanted, present: Available | None) -> Available:
        until = self._blocked.get(wanted.key)
        if until is not None and until > self._clock.steady():
            message = f'Back-off pulling image "{wanted.image}"'
            self._event(wanted, "Normal", "BackOff", message)
            self._event(wanted, "Warning", "Failed", "Error: ImagePullBackOff")
            raise ImageError("ImagePullBackOff", message, until)
        began = time.monotonic()
        async with self._locks.setdefault(wanted.image, asyncio.Lock()):
            return await self._pull_now(wanted, present, began)

    async def _pull_now(self, wanted: Wanted, present: Available | None, began: float) -> Available:
        self._event(wanted, "Normal", "Pulling", f'Pulling image "{wanted.image}"')
        started = time.monotonic()
        try:
            await self._try_credentials(wanted)
        except CriError as error:
            raise self._failed(wanted, error) from error
        status = await self._cri.image_status(wanted.image)
        if status is None:
            raise ImageError("ErrImagePull", f'image "{wanted.image}" is not there after it was pulled')
        if present is None or present.reference != status.image.id:
            await self._to_disk(wanted.image)
        self.forget(wanted.key)
        took, waited = time.monotonic() - started, time.monotonic() - began
        message = (
            f'Successfully pulled image "{wanted.image}" in {_seconds(took)} ({_seconds(waited)} including waiting). '
            f"Image size: {status.image.size} bytes."
        )
        self._event(wanted, "Normal", "Pulled", message)
        return Available(status.image.id, ImageUser.of(status.image))

    async def _to_disk(self, image: str) -> None:
        """containerd does not sync the files of images: after a power cut their programs would be empty."""
        try:
            await in_own_thread(None, file_system_to_disk, self._paths.containerd)
        except OSError as error:
            raise ImageError("ErrImagePull", f'image "{image}" could not be written to disk: {error}') from error

    async def _try_credentials(self, wanted: Wanted) -> None:
        """Each matching credential in turn, the last failure is what is told; without any, anonymously."""
        tries: list[pb.AuthConfig | None] = [*credentials(wanted.image, wanted.secrets)]
        for position, auth in enumerate(tries or [None]):
            try:
                await self._cri.pull_image(wanted.image, auth, wanted.sandbox)
                return
            except CriError:
                if position >= len(tries) - 1:
                    raise

    def _failed(self, wanted: Wanted, error: CriError) -> ImageError:
        now = self._clock.steady()
        self._backoff.next(wanted.key, now)
        self._blocked[wanted.key] = now + self._backoff.delay(wanted.key)
        self._event(wanted, "Warning", "Failed", f'Failed to pull image "{wanted.image}": {error.message}')
        self._event(wanted, "Warning", "Failed", "Error: ErrImagePull")
        return ImageError("ErrImagePull", error.message, now + _SHOWN)

    def forget(self, prefix: str) -> None:
        """A pod is gone, or a pull went well: no more back-off for keys that begin so."""
        self._backoff.forget(prefix)
        for key in [key for key in self._blocked if key.startswith(prefix)]:
            del self._blocked[key]

    def _event(self, wanted: Wanted, kind: Literal["Normal", "Warning"], reason: str, message: str) -> None:
        self._recorder.event(wanted.pod, kind, reason, message, wanted.field)


def _seconds(duration: float) -> str:
    """As Go prints it: "1.234s", "87ms"."""
    return f"{duration:.3f}s" if duration >= 1 else f"{duration * 1000:.0f}ms"
