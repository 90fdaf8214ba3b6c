"""What is mounted for which pod and what is staged, on disk: how the next engine knows what this one was doing.

A file per published volume (`<data>/storage/published/<uid>/<volume>.json`) and one per staged volume, beside its
directory (`<data>/storage/staged/<driver>/<hash>.json`). Written before a driver is asked, removed after it has taken
back. No secrets. What is in memory and on disk is the same at every moment a crash can come, or the disk has more.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from skerry.kube.records import record
from skerry.kube.threads import in_own_thread

log = logging.getLogger(__name__)

_SUFFIX = ".json"
_UNFINISHED = ".new"
"""Being written; what an engine that was killed left of these says nothing."""


@record
class Published:
    """A volume that one pod was given, or was going to be."""

    uid: str
    """The pod's."""
    pod: tuple[str, str]
    """Namespace and name."""
    volume: str
    """Its name in the pod."""
    name: str
    """Its name in events: that of the PersistentVolume, or the one in the pod."""
    driver: str
    handle: str
    target: Path
    claim: tuple[str, str] = ("", "")
    block: bool = False
    read_only: bool = False
    exclusive: bool = False
    """ReadWriteOncePod."""
    attached: bool = False
    """An attachment was waited for: it must stay as long as this."""
    group: int | None = None
    """The group its files were given to."""
    done: bool = False
    """It is there, whole."""

    @property
    def key(self) -> tuple[str, str]:
        """Uid and volume."""
        return self.uid, self.volume

    @property
    def place(self) -> tuple[str, str]:
        """Driver and handle: what it shares with others."""
        return self.driver, self.handle


@record
class Staged:
    """A volume that is mounted for the machine, or was going to be."""

    driver: str
    handle: str
    path: Path

    @property
    def place(self) -> tuple[str, str]:
        """Driver and handle."""
        return self.driver, self.handle


class Journal:
    """Of one instance. `load` first; all writing awaits the disk in a thread."""

    def __init__(self, storage: Path) -> None:
        self._published_root = storage / "published"
        self._staged_root = storage / "staged"
        self.published: dict[tuple[str, str], Published] = {}
        self.staged: dict[tuple[str, str], Staged] = {}
        self._uids: Counter[str] = Counter()

    def load(self) -> None:
        """Read what an earlier engine left. A file that cannot be read was being written when the machine went down,
        and its mount with it."""
        for path, content in _read_all(self._published_root):
            with _skipping(path):
                self._keep(_published(content))
        for path, content in _read_all(self._staged_root):
            with _skipping(path):
                staged = Staged(content["driver"], content["handle"], Path(content["path"]))
                self.staged[staged.place] = staged

    def stage_path(self, driver: str, handle: str) -> Path:
        """Where a volume is staged."""
        digest = hashlib.sha256(handle.encode()).hexdigest()
        return self._staged_root / driver.replace("/", "~") / digest

    def holds(self, uid: str) -> bool:
        """Whether a pod has something, or half has it."""
        return uid in self._uids

    def users(self, place: tuple[str, str]) -> list[Published]:
        """Pods that have a volume, or half have it."""
        return [one for one in self.published.values() if one.place == place]

    async def publish(self, published: Published) -> None:
        """Note what a pod is about to be given, or that it was."""
        self._keep(published)
        await in_own_thread(None, _write, self._file(published), _content(published))

    async def unpublish(self, published: Published) -> None:
        """A pod has it no longer."""
        await in_own_thread(None, _remove, self._file(published))
        if self.published.pop(published.key, None) is not None:
            self._uids.subtract([published.uid])
            self._uids += Counter()  # those with none left go

    async def stage(self, staged: Staged) -> None:
        """Note what is about to be staged."""
        self.staged[staged.place] = staged
        await in_own_thread(None, _write, _beside(staged.path), {**_plain(staged), "path": str(staged.path)})

    async def unstage(self, staged: Staged) -> None:
        """It is staged no longer."""
        await in_own_thread(None, _remove, _beside(staged.path))
        self.staged.pop(staged.place, None)

    def _keep(self, published: Published) -> None:
        if published.key not in self.published:
            self._uids[published.uid] += 1
        self.published[published.key] = published

    def _file(self, published: Published) -> Path:
        return self._published_root / published.uid / f"{published.volume}{_SUFFIX}"


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}{_SUFFIX}")


def _plain(one: Any) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__match_args__}


def _content(published: Published) -> dict[str, Any]:
    return {**_plain(published), "target": str(published.target)}


def _published(content: dict[str, Any]) -> Published:
    known = {name: content[name] for name in Published.__match_args__ if name in content}
    pod, claim = (tuple(content[name]) for name in ("pod", "claim"))
    return Published(**{**known, "pod": pod, "claim": claim, "target": Path(content["target"])})


def _read_all(root: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    for unfinished in root.glob(f"*/.*{_SUFFIX}{_UNFINISHED}"):
        _remove(unfinished)
    for path in sorted(root.glob(f"*/*{_SUFFIX}")):
        with _skipping(path):
            yield path, orjson.loads(path.read_bytes())


@contextlib.contextmanager
def _skipping(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("%s is left out: %s", path, error)


def _write(path: Path, content: dict[str, Any]) -> None:
    """Whole or not at all for whoever reads after a crash of this process."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f".{path.name}{_UNFINISHED}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(orjson.dumps(content))
    fresh.rename(path)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # others are in it
        path.parent.rmdir()
