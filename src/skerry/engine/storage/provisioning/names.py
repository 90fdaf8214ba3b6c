"""Annotations and finalizers by which binder, scheduler and provisioner speak with each other. Source: Kubernetes'
`pkg/volume/util` and `sig-storage-lib-external-provisioner` 11."""

from __future__ import annotations

DELETION_SECRET = "volume.kubernetes.io/provisioner-deletion-secret-name"  # noqa: S105  # an annotation
DELETION_SECRET_NAMESPACE = "volume.kubernetes.io/provisioner-deletion-secret-namespace"  # noqa: S105
FINALIZER = "external-provisioner.volume.kubernetes.io/finalizer"
CLONING = "provisioner.storage.kubernetes.io/cloning-protection"
"""On a claim that is being cloned."""
MODE_CHANGE = "snapshot.storage.kubernetes.io/allow-volume-mode-change"
