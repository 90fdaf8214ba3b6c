"""All control loops that make, delete and expand volumes and take snapshots. `waking` imports this when needed."""

from __future__ import annotations

from collections.abc import Sequence

from skerry.engine.storage.context import StorageContext
from skerry.engine.storage.inspection.inspector import Inspector
from skerry.engine.storage.provisioning.capacity import CapacityPublisher
from skerry.engine.storage.provisioning.claims import ClaimProvisioner
from skerry.engine.storage.provisioning.cloning import CloneProtection
from skerry.engine.storage.provisioning.expanding import ClaimExpander
from skerry.engine.storage.provisioning.releasing import VolumeReleaser
from skerry.engine.storage.snapshots.contents import ContentController
from skerry.engine.storage.snapshots.protection import SnapshotSourceProtection
from skerry.engine.storage.snapshots.snapshots import SnapshotController
from skerry.kube.controller import Controller


def make_storage_controllers(context: StorageContext) -> Sequence[Controller]:
    """Every one, connected to its informers, not yet started."""
    return (
        CapacityPublisher(context),
        ClaimProvisioner(context),
        VolumeReleaser(context),
        ClaimExpander(context),
        CloneProtection(context),
        SnapshotController(context),
        ContentController(context),
        SnapshotSourceProtection(context),
        Inspector(context),
    )
