"""StoragePools: what only the machine knows of a storage driver's volumes, for whoever looks after them.

A kind of Skerry's own: Kubernetes has no word for volumes that no PersistentVolume speaks of.
`engine/storage/inspection` writes them, `skerry storage` reads them; docs/resources/storagepool.md explains the fields.
"""

from __future__ import annotations

from skerry.engine.definitions.notation import (
    AGE,
    CONDITIONS,
    INTEGER,
    STRING,
    TIME,
    Column,
    Definition,
    Schema,
    array,
    obj,
)
from skerry.kube.objects import Resource

STORAGE_POOLS = Resource("storage.skerry.dev", "v1alpha1", "storagepools", "StoragePool", namespaced=False)
MOST_LISTED = 500
"""Orphans and missing volumes that a status lists: an object has a largest size."""

_BYTES: Schema = {**INTEGER, "format": "int64"}
_HANDLE: Schema = {"type": "string", "minLength": 1, "maxLength": 256}


def _said(schema: Schema, text: str) -> Schema:
    """With what `kubectl explain` says of it."""
    return {**schema, "description": text}


_SPEC = obj(
    {
        "reclaim": _said(
            array(_HANDLE, maxItems=MOST_LISTED, **{"x-kubernetes-list-type": "set"}),
            "Handles of orphans to delete with their data. Whatever a PersistentVolume has is kept; a handle goes "
            "out of the list when it is done with.",
        )
    }
)
_ORPHAN = obj(
    {
        "handle": _said(STRING, "What the driver calls it."),
        "size": _said(_BYTES, "Bytes."),
        "since": _said(TIME, "When it was first seen without a PersistentVolume."),
    },
    "handle",
)
_MISSING = obj(
    {
        "persistentVolume": _said(STRING, "The PersistentVolume."),
        "handle": _said(STRING, "The volume it has and the driver does not."),
        "claim": _said(STRING, "namespace/name of the claim that is bound to it."),
    },
    "persistentVolume",
    "handle",
)
_REFUSED = obj(
    {"handle": STRING, "message": _said(STRING, "Why it was not deleted.")}, "handle", description="Not reclaimed."
)
_STATUS = obj(
    {
        "conditions": _said(CONDITIONS, "Ready: whether the driver could be asked."),
        "observedGeneration": _said(_BYTES, "Which spec this is about."),
        "available": _said(_BYTES, "Bytes new volumes may have, when the driver knows."),
        "promised": _said(_BYTES, "Bytes of all volumes there are, as promised to claims."),
        "volumes": _said(INTEGER, "How many volumes there are."),
        "orphanCount": _said(INTEGER, "How many of them no PersistentVolume has."),
        "missingCount": _said(INTEGER, "How many PersistentVolumes have a volume that is gone."),
        "orphans": _said(array(_ORPHAN, maxItems=MOST_LISTED), "Volumes that no PersistentVolume has."),
        "missing": _said(array(_MISSING, maxItems=MOST_LISTED), "PersistentVolumes whose data is gone."),
        "refused": _said(array(_REFUSED, maxItems=MOST_LISTED), "What the last reclaiming did not delete."),
    }
)

DEFINITIONS = (
    Definition(
        STORAGE_POOLS,
        spec=_SPEC,
        status=_STATUS,
        columns=(
            Column("Volumes", ".status.volumes", "integer"),
            Column("Promised", ".status.promised", "integer"),
            Column("Available", ".status.available", "integer"),
            Column("Orphans", ".status.orphanCount", "integer"),
            Column("Missing", ".status.missingCount", "integer"),
            Column("Ready", '.status.conditions[?(@.type=="Ready")].status'),
            AGE,
        ),
        required=(),
    ),
)
