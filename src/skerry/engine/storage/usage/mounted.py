"""Which volumes are mounted, as whoever measures them needs to know. `program` answers from `mounting`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from skerry.kube.records import record


@record
class MountedVolume:
    """A volume of a pod. `claim`: name of its claim, "" when it has none; `driver`: "kubernetes.io/nfs"
    and its like when the kernel alone knows it; `path`: where it is mounted for the pod."""

    namespace: str
    pod: str
    pod_uid: str
    name: str
    claim: str
    driver: str
    handle: str
    path: Path

    @property
    def content(self) -> tuple[str, str]:
        """Equal for the mounts of one volume in several pods."""
        return self.driver, self.handle

    @property
    def is_in_tree(self) -> bool:
        """Whether there is no driver to ask. Its file system is somebody else's as well: the machine's, a server's."""
        return self.driver.startswith("kubernetes.io/")


class Mounted(Protocol):
    """Whoever mounts."""

    def mounted(self) -> Sequence[MountedVolume]:
        """What is mounted now; quick."""
        ...
