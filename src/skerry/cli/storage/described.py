"""One class, volume or claim in full, as names and values. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from skerry.cli.storage.findings import findings
from skerry.cli.storage.reading import Everything
from skerry.cli.storage.totals import capacity_of, totals, used_in
from skerry.cli.volumes.facts import Measures, claims_of
from skerry.kube.conditions import conditions_of
from skerry.kube.objects import Obj, name_of, namespace_of

BYTES = frozenset({"size", "requested", "promised", "used", "available"})
"""Keys whose values are bytes."""

Facts = dict[str, Any]


def describe(kind: str, name: str, namespace: str, found: Everything, measures: Measures) -> Facts | None:
    """`kind`: class, volume or claim. None when there is none of that name."""
    if kind == "class":
        return _class(name, found, measures)
    if kind == "volume":
        return _volume(name, found, measures)
    return _claim(name, namespace, found, measures)


def _class(name: str, found: Everything, measures: Measures) -> Facts | None:
    storage_class = _find(found.classes, name)
    if storage_class is None:
        return None
    (total,) = (one for one in totals(found, measures) if one.name == name)
    volumes = [name_of(one) for one in found.volumes if one["spec"].get("storageClassName") == name]
    return {
        **total.to_json(),
        "parameters": storage_class.get("parameters") or {},
        "mountOptions": storage_class.get("mountOptions") or [],
        "volumeNames": volumes,
    }


def _volume(name: str, found: Everything, measures: Measures) -> Facts | None:
    volume = _find(found.volumes, name)
    if volume is None:
        return None
    spec = volume["spec"]
    claim, csi = spec.get("claimRef") or {}, spec.get("csi") or {}
    return {
        "name": name,
        "phase": (volume.get("status") or {}).get("phase"),
        "storageClass": spec.get("storageClassName"),
        "size": capacity_of(volume),
        "used": used_in(volume, measures),
        "accessModes": spec.get("accessModes") or [],
        "reclaimPolicy": spec.get("persistentVolumeReclaimPolicy"),
        "claim": f"{claim['namespace']}/{claim['name']}" if claim.get("name") else None,
        "driver": csi.get("driver"),
        "handle": csi.get("volumeHandle"),
        "attributes": csi.get("volumeAttributes") or {},
        "nodes": _nodes(volume),
        "attachedTo": [
            one["spec"].get("nodeName")
            for one in found.attachments
            if (one["spec"].get("source") or {}).get("persistentVolumeName") == name
        ],
        "wrong": _wrong(f"persistentvolume/{name}", found),
    }


def _claim(name: str, namespace: str, found: Everything, measures: Measures) -> Facts | None:
    claim = _find(found.claims, name, namespace)
    if claim is None:
        return None
    (one,) = claims_of([claim], [pod for pod in found.pods if namespace_of(pod) == namespace], measures)
    snapshots = [
        name_of(snapshot)
        for snapshot in found.snapshots
        if namespace_of(snapshot) == namespace
        and (snapshot["spec"].get("source") or {}).get("persistentVolumeClaimName") == name
    ]
    conditions = {each["type"]: each.get("message") or each["status"] for each in conditions_of(claim)}
    return {
        **one.to_json(),
        "accessModes": claim["spec"].get("accessModes") or [],
        "conditions": conditions,
        "snapshots": snapshots,
        "wrong": _wrong(f"persistentvolumeclaim/{namespace}/{name}", found),
    }


def _find(objects: Iterable[Obj], name: str, namespace: str = "") -> Obj | None:
    return next((one for one in objects if name_of(one) == name and namespace_of(one) == namespace), None)


def _nodes(volume: Obj) -> list[str]:
    """The nodes it can be reached from, as its affinity has them; none named: all."""
    required = (volume["spec"].get("nodeAffinity") or {}).get("required") or {}
    return [
        value
        for term in required.get("nodeSelectorTerms") or ()
        for expression in term.get("matchExpressions") or ()
        for value in expression.get("values") or ()
    ]


def _wrong(about: str, found: Everything) -> list[str]:
    return [one.message for one in findings(found) if one.about == about]
