"""What a storage driver does: the calls of the Container Storage Interface, in Python.

Built-in drivers (`drivers`) implement it in this process, `csi` implements it over the socket of a third party's. Who
calls: `provisioning` (controller side), `mounting` (node side), `inspection` (what is there). Source of names and
meaning: the CSI specification 1.11.

Invariants every driver keeps: each call may come again with the same arguments, also after a crash half-way, and then
succeeds or finishes the work; nothing blocks the event loop; a server that does not answer is a `StorageError` with
code `UNAVAILABLE` or `DEADLINE_EXCEEDED` within `PATIENCE`; secrets are neither kept on disk nor in messages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from enum import Enum
from pathlib import Path

from skerry.kube.records import record

PATIENCE = 30.0
"""Seconds a call may take before it counts as unanswered, unless it works on data in proportion to their size."""


Report = Callable[[str, str], None]
"""Called on the event loop with the handle of a mounted volume and one line: what has happened to it."""


class StorageError(Exception):
    """A call failed. `code`: as gRPC names it. The message is one line a person can act on, and goes into events."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def is_final(self) -> bool:
        """Whether nothing was done and nothing is under way: the same request may then be dropped without a trace."""
        return self.code not in ("CANCELLED", "DEADLINE_EXCEEDED", "UNAVAILABLE", "RESOURCE_EXHAUSTED", "ABORTED")


class Ability(Enum):
    """What a driver can do besides making and mounting; the rest is refused by name."""

    PROVISION = "provision"
    EXPAND = "expand"
    SNAPSHOT = "snapshot"
    CLONE = "clone"
    BLOCK = "block"
    LIST = "list"
    STAGE = "stage"
    """Volumes are mounted once for the machine (`stage`) and from there for each pod."""
    ATTACH = "attach"
    STATS = "stats"
    GROUP = "group"
    """Files keep owners and modes, so that `fsGroup` can be brought about."""


@record
class Use:
    """How a volume is used (CSI's VolumeCapability)."""

    access_modes: tuple[str, ...]
    """As in claims: "ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"."""
    block: bool = False
    """A device instead of a file system."""
    fs_type: str = ""
    mount_options: tuple[str, ...] = ()


@record
class VolumeSource:
    """What a new volume begins with: one of the two."""

    snapshot: str = ""
    """Handle of a snapshot."""
    volume: str = ""
    """Handle of a volume to clone."""


@record
class VolumeRequest:
    """A volume to be made. The same `name` means the same volume."""

    name: str
    """"pvc-<uid of the claim>"."""
    size: int
    """Bytes that are asked for; the volume has at least as much."""
    use: Use
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Of the class, without those of `csi.storage.k8s.io/`."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    source: VolumeSource = VolumeSource()
    claim: tuple[str, str] = ("", "")
    """Namespace and name of the claim."""
    topology: Mapping[str, str] = field(default_factory=dict)
    """Labels of the node where it is used first, {} when that is not known."""


@record
class Volume:
    """A volume that is there."""

    handle: str
    size: int
    context: Mapping[str, str] = field(default_factory=dict)
    """What its driver wants to be told again when it is mounted; kept in the PersistentVolume, so without secrets."""
    nodes: tuple[Mapping[str, str], ...] = ()
    """It can be reached from nodes that have all labels of one of these; () from everywhere."""


@record
class Snapshot:
    """A snapshot that is there. `taken`: seconds since the epoch. `size`: bytes a volume made from it needs."""

    handle: str
    volume: str
    taken: float
    size: int
    ready: bool = True


@record
class Staging:
    """A volume to be mounted once for the machine at `path`, an existing empty directory of its own. For a block
    volume the driver puts there what `publish` needs."""

    handle: str
    path: Path
    use: Use
    context: Mapping[str, str]
    secrets: Mapping[str, str]
    attachment: Mapping[str, str] = field(default_factory=dict)
    """What attaching it gave (CSI's publish context)."""


@record
class Publishing:
    """A staged volume to be shown to one pod at `target`: a directory that is not there yet, or for a block volume a
    file. `read_only` holds for the whole pod."""

    handle: str
    staged: Path
    target: Path
    use: Use
    read_only: bool
    context: Mapping[str, str]
    secrets: Mapping[str, str]
    attachment: Mapping[str, str] = field(default_factory=dict)
    pod: Mapping[str, str] = field(default_factory=dict)
    """`csi.storage.k8s.io/pod.name` and its like."""


@record
class Usage:
    """What is in a mounted volume: bytes and inodes; None where the driver cannot tell."""

    capacity: int | None
    used: int | None
    available: int | None
    inodes: int | None = None
    inodes_used: int | None = None
    inodes_free: int | None = None


@record
class Expansion:
    """`size` it has now, in bytes; `on_node`: `expand_on_node` must follow where it is mounted."""

    size: int
    on_node: bool


class Driver:
    """One driver. A call it lacks the ability for is refused by name: the defaults here do that."""

    name: str = ""
    """As in `provisioner` of a class and `csi.driver` of a volume. A third party's driver says it per object."""
    abilities: frozenset[Ability] = frozenset()

    def on_trouble(self, report: Report) -> None:
        """Say so from now on when a mounted volume stops working by itself, for drivers that can tell."""
        return

    # ---- controller side

    async def create(self, request: VolumeRequest) -> Volume:
        """Make a volume, or return the one of that name. Raises StorageError; ALREADY_EXISTS when it is different."""
        raise self.lacks("volumes are not made by it")

    async def delete(self, handle: str, secrets: Mapping[str, str]) -> None:
        """Delete a volume and its data; harmless when it is gone. Raises StorageError."""
        raise self.lacks("volumes are not deleted by it")

    async def expand(self, handle: str, size: int, secrets: Mapping[str, str]) -> Expansion:
        """Give it at least `size` bytes; never shrinks. Raises StorageError."""
        raise self.lacks("volumes cannot be expanded")

    async def snapshot(
        self, name: str, volume: str, parameters: Mapping[str, str], secrets: Mapping[str, str]
    ) -> Snapshot:
        """Take a snapshot, or return the one of that name. Raises StorageError."""
        raise self.lacks("snapshots cannot be taken")

    async def delete_snapshot(self, handle: str, secrets: Mapping[str, str]) -> None:
        """Harmless when it is gone. Raises StorageError."""
        raise self.lacks("snapshots cannot be deleted")

    async def snapshot_of(self, handle: str, secrets: Mapping[str, str]) -> Snapshot | None:
        """A snapshot by its handle, None when there is none. Raises StorageError."""
        raise self.lacks("snapshots cannot be looked up")

    async def volumes(self) -> Sequence[Volume]:
        """All volumes there are, of claims or of nobody. Raises StorageError."""
        raise self.lacks("volumes cannot be listed")

    async def capacity(self, parameters: Mapping[str, str]) -> int | None:
        """Bytes that new volumes of a class may have in all; None when that is unknown. Raises StorageError."""
        return None

    # ---- node side

    async def stage(self, staging: Staging) -> None:
        """Mount it for the machine; harmless when it is. Raises StorageError."""
        raise self.lacks("volumes are not staged")

    async def unstage(self, handle: str, path: Path) -> None:
        """Take back what `stage` did, also a half of it. Raises StorageError."""
        raise self.lacks("volumes are not staged")

    async def publish(self, publishing: Publishing) -> None:
        """Show it to a pod; harmless when it is shown. Raises StorageError."""
        raise self.lacks("volumes cannot be mounted")

    async def unpublish(self, handle: str, target: Path) -> None:
        """Take back what `publish` did, `target` included. Raises StorageError."""
        raise self.lacks("volumes cannot be unmounted")

    async def expand_on_node(self, handle: str, path: Path, size: int) -> int:
        """Let the mounted file system fill a volume that grew; its size in bytes. Raises StorageError."""
        raise self.lacks("volumes cannot be expanded where they are mounted")

    async def stats(self, handle: str, path: Path) -> Usage:
        """What is in a volume that is mounted at `path`. Raises StorageError."""
        raise self.lacks("usage cannot be told")

    async def close(self) -> None:
        """Watch nothing any more, as the engine ends. What is mounted stays."""

    def lacks(self, what: str) -> StorageError:
        """The refusal of a call that the driver does not have."""
        return StorageError("UNIMPLEMENTED", f"{self.name}: {what}")
