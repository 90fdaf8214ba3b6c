"""What a CSIDriver object says about a driver (`storage.k8s.io/v1`), with the defaults that hold without one. Pure.

Source of the behaviour: Kubernetes' `pkg/volume/csi/csi_plugin.go`. Neighbour: `mounting.reading`, which asks as the
node what concerns mounting.
"""

from __future__ import annotations

from skerry.kube.objects import Obj, annotations_of
from skerry.kube.records import record

CONTROLLER_ANNOTATION = "storage.skerry.dev/controller"
"""On a CSIDriver: "engine" when the engine is to drive the controller side, because no sidecar does."""


@record
class DriverRules:
    """Who attaches volumes of a driver, and who drives its controller side. How they are mounted is for
    `mounting.reading` to ask."""

    attach: bool = True
    engine_controls: bool = False


def rules_of(driver: Obj | None) -> DriverRules:
    """Of a CSIDriver object; volumes of a driver without one wait to be attached, as in Kubernetes."""
    if driver is None:
        return DriverRules()
    return DriverRules(
        attach=(driver.get("spec") or {}).get("attachRequired") is not False,
        engine_controls=annotations_of(driver).get(CONTROLLER_ANNOTATION) == "engine",
    )
