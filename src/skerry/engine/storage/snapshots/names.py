"""Annotations and finalizers of snapshots. Source: external-snapshotter 8.3, `pkg/utils/util.go`."""

from __future__ import annotations

SNAPSHOT_SOURCE = "snapshot.storage.kubernetes.io/volumesnapshot-as-source-protection"
SNAPSHOT_BOUND = "snapshot.storage.kubernetes.io/volumesnapshot-bound-protection"
CONTENT_BOUND = "snapshot.storage.kubernetes.io/volumesnapshotcontent-bound-protection"
CLAIM_SOURCE = "snapshot.storage.kubernetes.io/pvc-as-source-protection"
DEFAULT_CLASS = "snapshot.storage.kubernetes.io/is-default-class"
BEING_CREATED = "snapshot.storage.kubernetes.io/volumesnapshot-being-created"
BEING_DELETED = "snapshot.storage.kubernetes.io/volumesnapshot-being-deleted"
DELETION_SECRET = "snapshot.storage.kubernetes.io/deletion-secret-name"  # noqa: S105  # an annotation
DELETION_SECRET_NAMESPACE = "snapshot.storage.kubernetes.io/deletion-secret-namespace"  # noqa: S105
