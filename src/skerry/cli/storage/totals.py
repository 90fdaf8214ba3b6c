"""Storage classes with what their volumes add up to. Pure."""

from __future__ import annotations

from typing import Any

from skerry.cli.storage.reading import Everything
from skerry.cli.volumes.facts import Measures
from skerry.kube.objects import Obj, annotations_of, name_of
from skerry.kube.quantities import bytes_of
from skerry.kube.records import record

_DEFAULT = "storageclass.kubernetes.io/is-default-class"


@record
class ClassTotals:
    """A class. Bytes: `promised` to its volumes, `used` in those that are mounted (None: none is), `available` for new
    ones (None: its driver does not say)."""

    name: str
    driver: str
    default: bool
    expands: bool
    reclaim: str
    binding: str
    volumes: int
    promised: int
    used: int | None
    available: int | None

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "name": self.name,
            "driver": self.driver,
            "default": self.default,
            "allowVolumeExpansion": self.expands,
            "reclaimPolicy": self.reclaim,
            "volumeBindingMode": self.binding,
            "volumes": self.volumes,
            "promised": self.promised,
            "used": self.used,
            "available": self.available,
        }


def totals(found: Everything, measures: Measures) -> list[ClassTotals]:
    """By class, and one with the name "" for volumes without a class, if there are some."""
    classes = sorted(found.classes, key=name_of)
    listed = [_totals(one, found, measures) for one in classes]
    without = _totals({"metadata": {"name": ""}, "provisioner": ""}, found, measures)
    return [*listed, without] if without.volumes else listed


def capacity_of(volume: Obj) -> int:
    """Bytes of a PersistentVolume."""
    return bytes_of((volume["spec"].get("capacity") or {}).get("storage", "0"))


def used_in(volume: Obj, measures: Measures) -> int | None:
    """Bytes in a PersistentVolume whose claim is mounted."""
    claim = volume["spec"].get("claimRef") or {}
    measured = measures.get((claim.get("namespace", ""), claim.get("name", "")))
    return measured.used if measured is not None else None


def _totals(storage_class: Obj, found: Everything, measures: Measures) -> ClassTotals:
    name, driver = name_of(storage_class), storage_class["provisioner"]
    volumes = [one for one in found.volumes if (one["spec"].get("storageClassName") or "") == name]
    used = [size for one in volumes if (size := used_in(one, measures)) is not None]
    return ClassTotals(
        name=name,
        driver=driver,
        default=annotations_of(storage_class).get(_DEFAULT) == "true",
        expands=bool(storage_class.get("allowVolumeExpansion")),
        reclaim=storage_class.get("reclaimPolicy", "Delete") if name else "",
        binding=storage_class.get("volumeBindingMode", "Immediate") if name else "",
        volumes=len(volumes),
        promised=sum(capacity_of(one) for one in volumes),
        used=sum(used) if used else None,
        available=next((_available(one) for one in found.pools if name_of(one) == driver), None),
    )


def _available(pool: Obj) -> int | None:
    available = (pool.get("status") or {}).get("available")
    return int(available) if available is not None else None
