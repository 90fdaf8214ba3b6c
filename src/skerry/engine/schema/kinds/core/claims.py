"""PersistentVolumeClaim.

Source: `SetDefaults_PersistentVolumeClaim`, `persistentvolumeclaimStrategy` (`NormalizeDataSources`),
`ValidatePersistentVolumeClaim(Spec,Update,StatusUpdate)`. Neighbours: `volumes`. That only classes that allow it let
claims grow is admission's (`PersistentVolumeClaimResize`).
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from skerry.engine.schema.causes import forbidden, immutable, invalid, not_supported, required
from skerry.engine.schema.kinds.core.volumes import check_modes
from skerry.engine.schema.label_selectors import check_label_selector
from skerry.engine.schema.pods.resources import check_positive_quantity, check_quantity
from skerry.engine.schema.strategies import UncountedStrategy, set_default
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj, annotations_of
from skerry.kube.quantities import parse_quantity
from skerry.kube.volumes import OLD_CLASS

_FIXED = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
_ATTRIBUTES = "volumeAttributesClassName"
_RESIZE = (
    "ControllerResizeInProgress", "ControllerResizeInfeasible", "NodeResizePending", "NodeResizeInProgress",
    "NodeResizeInfeasible",
)  # fmt: skip
_NAMING = ("apiGroup", "kind", "name")
_ANY_KIND = ("PersistentVolumeClaim", "VolumeSnapshot")
"""What the older `dataSource` may name; anything else is dropped from it, as it always was."""


class ClaimStrategy(UncountedStrategy):
    """A wish for storage: once bound it may only grow."""

    judges_metadata = True

    def default(self, obj: Obj) -> None:
        """Mounted as a file system; where its data come from is said in both fields."""
        spec = obj.setdefault("spec", {})
        set_default(spec, "volumeMode", "Filesystem")
        _align_sources(spec)

    def initial_status(self, obj: Obj) -> None:
        """Nothing bound yet."""
        obj["status"] = {"phase": "Pending"}

    def validate(self, obj: Obj) -> list[Cause]:
        """Modes, size, selector and sources."""
        return list(_check_claim(obj.get("spec") or {}))

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        """Binding sets the volume once; the request may grow when the claim is bound."""
        causes = [*_check_change(new, old), *_check_attributes(new.get("spec") or {}, old.get("spec") or {})]
        if new.get("status") != old.get("status"):
            causes += _check_status(new.get("status") or {})
        return causes


def _align_sources(spec: Obj) -> None:
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if source is not None and source.get("kind") not in _ANY_KIND and reference is None:
        spec.pop("dataSource")
    elif source is not None and reference is None:
        spec["dataSourceRef"] = dict(source)
    elif reference is not None and source is None and not reference.get("namespace"):
        spec["dataSource"] = {key: value for key, value in reference.items() if key != "namespace"}


def _check_claim(spec: Obj) -> Iterator[Cause]:
    yield from check_modes(spec)
    if spec.get("selector"):
        yield from check_label_selector(spec["selector"], "spec.selector")
    size = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if size is None:
        yield required("spec.resources[storage]")
    else:
        yield from check_positive_quantity(size, "spec.resources[storage]")
    for name in ("dataSource", "dataSourceRef"):
        if spec.get(name) is not None:
            yield from _check_source(spec[name], f"spec.{name}")
    yield from _check_agreement(spec.get("dataSource"), spec.get("dataSourceRef") or {})


def _check_source(source: Obj, field: str) -> Iterator[Cause]:
    for needed in ("name", "kind"):
        if not source.get(needed):
            yield required(f"{field}.{needed}")
    if not source.get("apiGroup") and source.get("kind") != "PersistentVolumeClaim":
        why = "must be 'PersistentVolumeClaim' when referencing the default apiGroup"
        yield invalid(field, source.get("kind") or "", why)


def _check_agreement(source: Obj | None, reference: Obj) -> Iterator[Cause]:
    """Kubernetes drops a reference to another namespace unless a gate is open: the volume would come empty."""
    if reference.get("namespace"):
        yield forbidden("spec.dataSourceRef.namespace", "data of another namespace cannot be used in this release")
    elif source is not None and reference and any(source.get(part) != reference.get(part) for part in _NAMING):
        yield invalid("spec", "spec.dataSource", "must match dataSourceRef")


def _check_change(new: Obj, old: Obj) -> Iterator[Cause]:
    after, before = new.get("spec") or {}, old.get("spec") or {}
    if annotations_of(new).get(OLD_CLASS) != annotations_of(old).get(OLD_CLASS):
        yield immutable(f"metadata.annotations.{OLD_CLASS}", annotations_of(new).get(OLD_CLASS, ""))
    fixed = (after.keys() | before.keys()) - {_ATTRIBUTES}
    if not before.get("volumeName"):
        fixed.discard("volumeName")
    if before.get("storageClassName") is None and _may_be_class(after.get("storageClassName"), old):
        fixed.discard("storageClassName")
    if (new.get("status") or {}).get("phase") == "Bound":
        after, before = _sized_alike(after), _sized_alike(before)
    if any(after.get(part) != before.get(part) for part in fixed):
        yield forbidden("spec", _FIXED)
    yield from _check_size(new.get("spec") or {}, old)


def _may_be_class(name: str | None, old: Obj) -> bool:
    """Whether a claim that names no class may get this one."""
    return name is not None and annotations_of(old).get(OLD_CLASS) in (None, name)


def _check_size(after: Obj, old: Obj) -> Iterator[Cause]:
    """Asking for less is allowed down to what there is: so an expansion that cannot work is taken back."""
    size = _size(after)
    has = parse_quantity(((old.get("status") or {}).get("capacity") or {}).get("storage") or "0")
    if size < _size(old.get("spec") or {}) and size <= has:
        yield forbidden("spec.resources.requests.storage", "field can not be less than status.capacity")


def _sized_alike(spec: Obj) -> Obj:
    resources = spec.get("resources") or {}
    requests = {key: value for key, value in (resources.get("requests") or {}).items() if key != "storage"}
    return {**spec, "resources": {**resources, "requests": requests}}


def _check_attributes(after: Obj, before: Obj) -> Iterator[Cause]:
    if before.get(_ATTRIBUTES) is not None and not after.get(_ATTRIBUTES):
        what = "nil" if after.get(_ATTRIBUTES) is None else "an empty string"
        if after.get(_ATTRIBUTES) != before[_ATTRIBUTES]:
            yield forbidden(f"spec.{_ATTRIBUTES}", f"update from non-nil value to {what} is forbidden")


def _check_status(status: Obj) -> Iterator[Cause]:
    for name, amount in (status.get("capacity") or {}).items():
        yield from check_quantity(amount, f"status.capacity[{name}]")
    for name, state in (status.get("allocatedResourceStatuses") or {}).items():
        yield from _check_resource(name, "status.allocatedResourceStatus")
        if state not in _RESIZE:
            yield not_supported("status.allocatedResourceStatus", name, _RESIZE)
    for name, amount in (status.get("allocatedResources") or {}).items():
        yield from _check_resource(name, "status.allocatedResources")
        yield from check_quantity(amount, f"status.allocatedResources[{name}]")


def _check_resource(name: str, field: str) -> Iterator[Cause]:
    """Of Kubernetes' own resources a claim has storage only."""
    if name != "storage" and ("/" not in name or name.partition("/")[0].endswith("kubernetes.io")):
        yield not_supported(field, name, ("storage",))


def _size(spec: Obj) -> Decimal:
    return parse_quantity(((spec.get("resources") or {}).get("requests") or {}).get("storage") or "0")
