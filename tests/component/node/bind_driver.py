"""A storage driver for tests of mounting: volumes are directories (or files with a loop device), staged and published
by bind mounts. It can be told to hang or to fail, and notes what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from skerry.engine import mounts
from skerry.engine.storage.contract import Ability, Driver, Publishing, Staging, StorageError

NAME = "bind.test.skerry.dev"


class BindDriver(Driver):
    """`root/<handle>` is the volume."""

    name = NAME
    abilities = frozenset({Ability.STAGE, Ability.GROUP, Ability.EXPAND, Ability.BLOCK})

    def __init__(self, root: Path) -> None:
        self.root = root
        self.calls: list[str] = []
        self.secrets: dict[str, Mapping[str, str]] = {}
        self.options: tuple[str, ...] = ()
        self.sizes: dict[str, int] = {}
        self.failure: StorageError | None = None
        self.hangs = asyncio.Event()
        self.hanging: set[str] = set()
        """Calls that do not return before `hangs` is set."""

    async def stage(self, staging: Staging) -> None:
        await self._asked("stage", staging.handle)
        self.secrets["stage"], self.options = staging.secrets, staging.use.mount_options
        (self.root / staging.handle).mkdir(parents=True, exist_ok=True)
        if not mounts.at_or_below(staging.path) and not staging.use.block:
            mounts.bind(str(self.root / staging.handle), staging.path)

    async def unstage(self, handle: str, path: Path) -> None:
        await self._asked("unstage", handle)
        mounts.unmount(path)

    async def publish(self, publishing: Publishing) -> None:
        await self._asked("publish", publishing.handle)
        self.secrets["publish"] = publishing.secrets
        target = publishing.target
        if mounts.at_or_below(target):
            return
        if publishing.use.block:
            target.touch()
            mounts.bind(publishing.context["device"], target)
            return
        target.mkdir(exist_ok=True)
        mounts.bind(str(publishing.staged), target)
        if publishing.read_only:
            mounts.remount_read_only(target)

    async def unpublish(self, handle: str, target: Path) -> None:
        await self._asked("unpublish", handle)
        mounts.unmount(target)

    async def expand_on_node(self, handle: str, path: Path, size: int) -> int:
        await self._asked("expand", handle)
        self.sizes[handle] = size
        return size

    async def _asked(self, call: str, handle: str) -> None:
        self.calls.append(f"{call} {handle}")
        if self.failure is not None:
            raise self.failure
        if call in self.hanging:
            await self.hangs.wait()
