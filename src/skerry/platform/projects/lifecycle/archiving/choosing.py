"""Which claims' data has to be kept before a project may be purged, and why others' need not or cannot. Pure.

The rule: what the purge would delete is kept. A volume that outlives its claim is named and left where it is.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from skerry.kube.objects import Obj, name_of, namespace_of
from skerry.kube.records import record

_DATASETS = "dataset.storage.skerry.dev"
_ON_DELETE = "onDelete"
"""Parameter of classes whose volumes are directories of a server."""


@record
class Choice:
    """Of one claim. `left`: its data is where it is and stays, or there is none; `stuck`: it cannot be kept."""

    what: Literal["keep", "left", "stuck"]
    why: str = ""


def choose(claim: Obj, volume: Obj | None, storage_class: Obj | None, given_up: Collection[str]) -> Choice:
    """`given_up`: claims, "namespace/name", whose data operators have said to be without."""
    if not claim["spec"].get("volumeName"):
        return Choice("left", "it has no volume yet")
    if f"{namespace_of(claim)}/{name_of(claim)}" in given_up:
        return Choice("left", "its data is given up, as an operator said")
    if volume is None:
        return Choice("left", "its volume is lost")
    spec = volume["spec"]
    if spec.get("persistentVolumeReclaimPolicy") != "Delete":
        return Choice("left", f"its volume {name_of(volume)} stays when the claim goes")
    if (spec.get("csi") or {}).get("driver") == _DATASETS:
        return Choice("left", "it is a dataset, which stays where it is")
    if ((storage_class or {}).get("parameters") or {}).get(_ON_DELETE) == "retain":
        return Choice("left", f"its data stays on its server, as class {name_of(storage_class or {})} says")
    if (spec.get("volumeMode") or "Filesystem") != "Filesystem":
        return Choice("stuck", "it is a raw device (volumeMode Block), which is not archived")
    return Choice("keep")
